// Reads lists of Kubernetes objects: all kinds at once, each kind page by page.
//
// A page is parsed into plain values and dropped before the next one is asked for, so memory holds
// one page of JSON for each kind at most. Objects that come as they were in the poll before are
// shared with it, so ten minutes of States take little more memory than one.
// A request gets two thirds of the time that is left: a kind that hangs fails alone and leaves time
// for the further pages of the others.
// An expired `continue` (410) starts that list over, once; the token that comes with it leads to an
// inconsistent remainder and is not used. A page that is too large makes pages ten times smaller.
// Errors: of one list, in `error`; an object of the wrong shape fails its whole list, since a list
// with a gap would make present objects look absent.
// A list can be followed: what a watch says of its objects is gathered and then taken in one step,
// so that a list never shows half of it (watch_event.h, watches.h).
#pragma once

#include <algorithm>
#include <chrono>
#include <functional>
#include <iterator>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/shared_vector.h"
#include "sources/kubernetes/parse_common.h"
#include "sources/source.h"

namespace shortcircuit::kubernetes {

class List {
 public:
  enum class Outcome { asking, listed, not_found, failed };

  List(std::string answer_name, std::string url_path, std::string label_selector = "")
      : kind(answer_name),
        answer(std::move(answer_name)),
        path(std::move(url_path)),
        selector(std::move(label_selector)) {}
  virtual ~List() = default;
  List(const List&) = default;
  List& operator=(const List&) = default;

  // Where an older server has the kind, asked when `path` is 404; answer name `<answer>-<suffix>`.
  void fall_back_to(std::string older_path, std::string suffix) {
    fallback_path = std::move(older_path);
    fallback_suffix = std::move(suffix);
  }

  // What is asked for, wherever it is found.
  [[nodiscard]] std::string name() const { return kind + "?" + selector; }

  std::string kind;    // the answer's name of the first page; stays
  std::string answer;  // may get the fallback's suffix
  std::string path;
  std::string selector;
  int limit = 500;  // 0: no list, no query
  std::string fallback_path;
  std::string fallback_suffix;

  Outcome outcome = Outcome::asking;
  Error error;

  std::string continue_token;
  int page = 1;
  bool started_over = false;
  bool made_smaller = false;

  std::string resource_version;  // what the list, or its last event, is as new as; "" = not said

  // Adds a page's objects; gives the token of the next page.
  virtual Result<std::string> read(std::string_view body);
  virtual void add(JsonView object) = 0;
  virtual void clear() = 0;
  // Objects that come as they are in `before`, a list of the same kind, are shared with it.
  virtual void share_with(const List& /*before*/) {}

  // Following. A copy, and taking another list of the same kind as it is.
  [[nodiscard]] virtual std::unique_ptr<List> copy() const { return nullptr; }  // not followed
  virtual void become(const List& /*other*/) {}
  // An object was added or changed, or is gone; counts with apply(). The object may be of any
  // shape: SchemaError as in add().
  virtual void change(JsonView /*object*/) {}
  virtual void remove(JsonView /*object*/) {}
  // Brings items into the order of their names and takes in what was changed and removed.
  virtual void apply() {}
  // Objects that differ from those of `listed`, though no event that awaits apply() is about them.
  [[nodiscard]] std::vector<ObjectName> unexplained(const List& listed) const;

 protected:
  struct Element {
    ObjectName name;
    const void* item;
  };
  [[nodiscard]] virtual std::vector<Element> elements() const { return {}; }
  [[nodiscard]] virtual bool equal(const void* a, const void* b) const { return a == b; }
  [[nodiscard]] virtual bool awaits(const ObjectName& /*name*/) const { return false; }
};

template <class T>
ObjectName key_of(const T& item) {
  if constexpr (std::is_same_v<decltype(item.name), std::string>) {
    return {.namespace_name = "", .name = item.name};
  } else {
    return item.name;
  }
}

// Where the items of a list stand, in the order of their names; those of one name stay as they
// were.
using Order = std::vector<std::pair<ObjectName, std::size_t>>;
std::vector<std::size_t> by_name(Order& order);

// An object gives one item or, with the second form of parser, any number of them.
template <class T>
class ListOf : public List {
 public:
  ListOf(std::string answer_name, std::string url_path, T (*parse)(JsonView),
         std::string label_selector = "")
      : List(std::move(answer_name), std::move(url_path), std::move(label_selector)),
        parse_([parse](JsonView object) { return std::vector<T>{parse(object)}; }) {}
  ListOf(std::string answer_name, std::string url_path,
         std::function<std::vector<T>(JsonView)> parse)
      : List(std::move(answer_name), std::move(url_path)), parse_(std::move(parse)) {}

  void add(JsonView object) override {
    for (T& item : parse_(object)) before_.add(items, std::move(item));
    in_order_ = false;
  }
  void clear() override {
    items.clear();
    in_order_ = true;
  }
  void share_with(const List& before) override {
    before_ = {dynamic_cast<const ListOf&>(before).items, hash_of_name};
  }

  [[nodiscard]] std::unique_ptr<List> copy() const override {
    auto copy = std::make_unique<ListOf>(*this);
    copy->before_ = {{}, hash_of_name};
    return copy;
  }
  void become(const List& other) override { *this = dynamic_cast<const ListOf&>(other); }
  void change(JsonView object) override { changes_[object_name(object)] = parse_(object); }
  void remove(JsonView object) override { changes_[object_name(object)].clear(); }

  void apply() override {
    if (in_order_ && changes_.empty()) return;
    SharedVector<T> all = std::exchange(items, {});
    all.erase_if([&](const T& item) { return changes_.contains(key_of(item)); });
    for (auto& [name, parsed] : changes_) {
      for (T& item : parsed) all.push_back(std::move(item));
    }
    changes_.clear();
    Order order;
    for (const T& item : all) order.emplace_back(key_of(item), order.size());
    for (const std::size_t i : by_name(order)) items.share(all, i);
    in_order_ = true;
  }

  SharedVector<T> items;

 protected:
  [[nodiscard]] std::vector<Element> elements() const override {
    std::vector<Element> elements;
    for (const T& item : items) elements.push_back({key_of(item), &item});
    return elements;
  }
  [[nodiscard]] bool equal(const void* a, const void* b) const override {
    return a == b || *static_cast<const T*>(a) == *static_cast<const T*>(b);
  }
  [[nodiscard]] bool awaits(const ObjectName& name) const override {
    return changes_.contains(name);
  }

 private:
  static std::size_t hash_of_name(const T& item) {
    constexpr std::hash<std::string> hash;
    const ObjectName name = key_of(item);
    return hash(name.namespace_name) * 31 + hash(name.name);
  }

  std::function<std::vector<T>(JsonView)> parse_;
  bool in_order_ = true;                          // of the names
  std::map<ObjectName, std::vector<T>> changes_;  // by object; none = it is gone
  SharedWith<T> before_{{}, hash_of_name};
};

// The server's version: one answer, asked together with the lists.
class VersionAnswer : public List {
 public:
  VersionAnswer() : List("version", "/version") { limit = 0; }
  Result<std::string> read(std::string_view body) override;
  void add(JsonView root) override { version = root["gitVersion"].string(); }
  void clear() override { version.clear(); }
  std::string version;
};

// Until each has an outcome. `base` is the server's URL without a trailing slash.
void read_lists(std::span<List* const> lists, PollContext& context, const std::string& base);

// Asks for what changes after the list's `resource_version`, for so long.
HttpRequest watch_request(const List& list, const std::string& base, std::chrono::seconds lasting);

}  // namespace shortcircuit::kubernetes
