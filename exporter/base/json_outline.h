// A first look at the text of a JSON answer, before the parser builds a tree of it: the tree takes
// ten times the room and the time.
#pragma once

#include <string>
#include <string_view>

namespace shortcircuit {

// Only brackets and strings are looked at: whether what is kept is JSON is for the parser to say;
// damage inside of what is cut goes unnoticed.
class JsonOutline {
 public:
  static constexpr int deepest_level = 256;

  // Borrows `body`.
  explicit JsonOutline(std::string_view body);
  JsonOutline(const JsonOutline&) = delete;
  JsonOutline& operator=(const JsonOutline&) = delete;

  // Nested deeper than `deepest_level`; then `kept` is not to be used.
  [[nodiscard]] bool too_deep() const { return too_deep_; }
  // The body without what nobody reads: each `"managedFields"` that is an array or an object, with
  // the comma that belonged to it. Borrows from this and from the body.
  [[nodiscard]] std::string_view kept() const { return copied_to_ > 0 ? kept_ : body_; }

 private:
  [[nodiscard]] bool is_managed_fields(std::size_t begin, std::size_t end) const;
  void cut(std::size_t begin, std::size_t end);

  std::string_view body_;
  std::string kept_;
  std::size_t copied_to_ = 0;
  bool too_deep_ = false;
};

}  // namespace shortcircuit
