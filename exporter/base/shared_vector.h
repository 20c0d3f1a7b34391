// A vector whose copies share their elements: a copy costs a pointer for each, and many copies that
// differ in a few elements cost little more than one. An element that is shared is copied before it
// is changed.
// Thread rules: as of std::vector, with one more: elements of a copy that another thread may hold
// are only read.
#pragma once

#include <algorithm>
#include <cstddef>
#include <initializer_list>
#include <iterator>
#include <memory>
#include <unordered_map>
#include <utility>
#include <vector>

namespace shortcircuit {

template <class T>
class SharedVector {
  using Elements = std::vector<std::shared_ptr<T>>;

 public:
  using value_type = T;

  class const_iterator {
   public:
    using value_type = T;
    using reference = const T&;
    using pointer = const T*;
    using difference_type = std::ptrdiff_t;
    using iterator_category = std::forward_iterator_tag;

    const_iterator() = default;
    explicit const_iterator(Elements::const_iterator at) : at_(at) {}
    reference operator*() const { return **at_; }
    pointer operator->() const { return at_->get(); }
    const_iterator& operator++() {
      ++at_;
      return *this;
    }
    const_iterator operator++(int) { return const_iterator(at_++); }
    bool operator==(const const_iterator&) const = default;

   private:
    Elements::const_iterator at_;
  };

  SharedVector() = default;
  SharedVector(std::initializer_list<T> items) {
    for (const T& item : items) push_back(item);
  }

  [[nodiscard]] const_iterator begin() const { return const_iterator(elements_.begin()); }
  [[nodiscard]] const_iterator end() const { return const_iterator(elements_.end()); }
  [[nodiscard]] std::size_t size() const { return elements_.size(); }
  [[nodiscard]] bool empty() const { return elements_.empty(); }
  [[nodiscard]] const T& operator[](std::size_t i) const { return *elements_[i]; }

  // To change it.
  [[nodiscard]] T& operator[](std::size_t i) {
    std::shared_ptr<T>& element = elements_[i];
    if (element.use_count() > 1) element = std::make_shared<T>(*element);
    return *element;
  }
  [[nodiscard]] T& back() { return (*this)[size() - 1]; }

  T& push_back(T item) { return *elements_.emplace_back(std::make_shared<T>(std::move(item))); }
  // The same element as in another vector.
  void share(const SharedVector& other, std::size_t i) { elements_.push_back(other.elements_[i]); }

  template <class Predicate>
  void erase_if(Predicate predicate) {
    std::erase_if(elements_,
                  [&](const auto& element) { return predicate(std::as_const(*element)); });
  }
  void clear() { elements_.clear(); }

  bool operator==(const SharedVector& other) const {
    return std::ranges::equal(elements_, other.elements_,
                              [](const auto& a, const auto& b) { return a == b || *a == *b; });
  }

 private:
  Elements elements_;
};

// Fills vectors with elements, as far as it can with equal ones of `before`. `hash` is of what
// tells elements apart.
template <class T>
class SharedWith {
 public:
  using Hash = std::size_t (*)(const T&);
  SharedWith(SharedVector<T> before, Hash hash) : before_(std::move(before)), hash_(hash) {}

  void add(SharedVector<T>& items, T item) {
    if (places_.empty()) {
      for (const T& before : before_) places_.emplace(hash_(before), places_.size());
    }
    const auto [begin, end] = places_.equal_range(hash_(item));
    const auto equal = std::find_if(begin, end, [&](const auto& place) {
      return std::as_const(before_)[place.second] == item;
    });
    if (equal != end) {
      items.share(before_, equal->second);
    } else {
      items.push_back(std::move(item));
    }
  }

 private:
  SharedVector<T> before_;
  Hash hash_;
  std::unordered_multimap<std::size_t, std::size_t> places_;  // in `before_`, by hash; filled late
};

}  // namespace shortcircuit
