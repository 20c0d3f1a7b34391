// Writes HTML that is escaped by default, so that a page cannot forget it: names in a fleet are
// other people's text. Elements are closed in the order of their scopes.
//
// Tags and attribute names are literals of this program; values and texts may be anything. Text
// that a browser would not show (control characters) becomes a replacement character.
// Errors: none. An object belongs to one thread.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace shortcircuit {

// An attribute with an empty value is left out, but for `alt`, which must be there.
struct HtmlAttribute {
  std::string_view name;
  std::string_view value;
};
using HtmlAttributes = std::initializer_list<HtmlAttribute>;

class Html {
 public:
  // Closes its element at the end of the scope.
  class Scope {
   public:
    Scope(Html& html, std::string_view tag) : html_(html), tag_(tag) {}
    ~Scope() { html_.close(tag_); }
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    Html& html_;
    std::string_view tag_;
  };

  [[nodiscard]] Scope scope(std::string_view tag, HtmlAttributes attributes = {}) {
    open(tag, attributes);
    return {*this, tag};
  }
  Html& open(std::string_view tag, HtmlAttributes attributes = {});
  Html& close(std::string_view tag);
  // A whole element with text, `<td>text</td>`.
  Html& element(std::string_view tag, HtmlAttributes attributes, std::string_view text);
  Html& element(std::string_view tag, std::string_view text) { return element(tag, {}, text); }
  Html& text(std::string_view text);
  // Only for text that this program made itself: the doctype, the style sheet.
  Html& raw(std::string_view markup);

  [[nodiscard]] std::size_t size() const { return out_.size(); }
  [[nodiscard]] std::string take() { return std::move(out_); }

 private:
  std::string out_;
};

// At most `most` bytes, cut between characters and marked with `…`.
std::string shortened(std::string_view text, std::size_t most);

}  // namespace shortcircuit
