// Reads lists of Kubernetes objects: all kinds at once, each kind page by page.
//
// A page is parsed into plain values and dropped before the next one is asked for, so memory holds
// one page of JSON for each kind at most. A request gets two thirds of the time that is left: a
// kind that hangs fails alone and leaves time for the further pages of the others.
// An expired `continue` (410) starts that list over, once; the token that comes with it leads to an
// inconsistent remainder and is not used. A page that is too large makes pages ten times smaller.
// Errors: of one list, in `error`; an object of the wrong shape fails its whole list, since a list
// with a gap would make present objects look absent.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/json.h"
#include "sources/source.h"

namespace shortcircuit::kubernetes {

class List {
 public:
  enum class Outcome { asking, listed, not_found, failed };

  List(std::string answer_name, std::string url_path, std::string label_selector = "")
      : answer(std::move(answer_name)),
        path(std::move(url_path)),
        selector(std::move(label_selector)) {}
  virtual ~List() = default;

  // Where an older server has the kind, asked when `path` is 404; answer name `<answer>-<suffix>`.
  void fall_back_to(std::string older_path, std::string suffix) {
    fallback_path = std::move(older_path);
    fallback_suffix = std::move(suffix);
  }

  std::string answer;
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

  // Adds a page's objects; gives the token of the next page.
  virtual Result<std::string> read(std::string_view body);
  virtual void add(JsonView object) = 0;
  virtual void clear() = 0;
};

template <class T>
class ListOf : public List {
 public:
  using Parse = T (*)(JsonView);
  ListOf(std::string answer_name, std::string url_path, Parse parse,
         std::string label_selector = "")
      : List(std::move(answer_name), std::move(url_path), std::move(label_selector)),
        parse_(parse) {}
  void add(JsonView object) override { items.push_back(parse_(object)); }
  void clear() override { items.clear(); }
  std::vector<T> items;

 private:
  Parse parse_;
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

}  // namespace shortcircuit::kubernetes
