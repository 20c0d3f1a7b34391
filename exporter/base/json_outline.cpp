#include "base/json_outline.h"

#include <algorithm>

namespace shortcircuit {
namespace {

constexpr std::string_view white = " \t\r\n";
constexpr std::size_t none = std::string_view::npos;

// Of the string that begins with the quote at `at`; the body's size when it does not end.
std::size_t closing_quote(std::string_view body, std::size_t at) {
  for (++at; at < body.size() && body[at] != '"'; ++at) {
    if (body[at] == '\\') ++at;
  }
  return std::min(at, body.size());
}

}  // namespace

JsonOutline::JsonOutline(std::string_view body) : body_(body) {
  int level = 0;
  std::size_t cut_begin = none;
  int cut_level = 0;
  for (std::size_t i = 0; i < body_.size(); ++i) {
    const char c = body_[i];
    if (c == '"') {
      const std::size_t end = closing_quote(body_, i);
      if (cut_begin == none && is_managed_fields(i, end)) {
        cut_begin = i;
        cut_level = level;
      }
      i = end;
    } else if (c == '{' || c == '[') {
      if (++level > deepest_level) {
        too_deep_ = true;
        return;
      }
    } else if (c == '}' || c == ']') {
      --level;
      if (cut_begin != none && level == cut_level) {
        cut(cut_begin, i + 1);
        cut_begin = none;
      }
    }
  }
  if (copied_to_ > 0) kept_ += body_.substr(copied_to_);
}

// The string between the quotes at `begin` and `end` is that key and leads to an array or object.
bool JsonOutline::is_managed_fields(std::size_t begin, std::size_t end) const {
  if (body_.substr(begin + 1, end - begin - 1) != "managedFields") return false;
  const std::size_t colon = body_.find_first_not_of(white, end + 1);
  if (colon == none || body_[colon] != ':') return false;
  const std::size_t value = body_.find_first_not_of(white, colon + 1);
  return value != none && (body_[value] == '[' || body_[value] == '{');
}

void JsonOutline::cut(std::size_t begin, std::size_t end) {
  const std::size_t before = begin == 0 ? none : body_.find_last_not_of(white, begin - 1);
  const std::size_t after = body_.find_first_not_of(white, end);
  if (before != none && before >= copied_to_ && body_[before] == ',') {
    begin = before;
  } else if (after != none && body_[after] == ',') {
    end = after + 1;
  }
  kept_ += body_.substr(copied_to_, begin - copied_to_);
  copied_to_ = end;
}

}  // namespace shortcircuit
