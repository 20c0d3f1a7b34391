#include "base/matched_values.h"

#include <cctype>

namespace shortcircuit {
namespace {

bool is_letter(char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0; }

// Traefik knows its matchers in upper and lower case.
bool compares_values(std::string_view name) {
  std::string lower(name);
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  if (lower.ends_with("regexp")) lower.resize(lower.size() - 6);
  return lower == "header" || lower == "headers" || lower == "query";
}

constexpr std::string_view withheld = "`withheld`";

// What the first argument of a matcher keeps. In Traefik 2 a query is `key=value`.
std::string name_alone(std::string_view argument) {
  const auto equals = argument.find('=');
  if (equals == std::string_view::npos) return std::string(argument);
  return std::string(argument.substr(0, equals + 1)) + "withheld" + argument.front();
}

// Copies the arguments of a matcher, from behind its `(` up to its `)`. False when they are not
// understood: then nothing of what follows may be kept.
bool copy_names(std::string_view& rest, std::string& to) {
  for (int number = 0;; ++number) {
    while (!rest.empty() && std::isspace(static_cast<unsigned char>(rest.front())) != 0) {
      rest.remove_prefix(1);
    }
    if (number == 0 && rest.starts_with(')')) return true;
    if (rest.empty()) return false;
    const char quote = rest.front();
    if (quote != '`' && quote != '"' && quote != '\'') return false;
    std::size_t end = 1;
    while (end < rest.size() && rest[end] != quote) {
      end += rest[end] == '\\' && quote == '"' ? 2 : 1;
    }
    if (end >= rest.size()) return false;
    const std::string_view argument = rest.substr(0, end + 1);
    rest.remove_prefix(end + 1);
    to += number == 0 ? name_alone(argument) : std::string(withheld);
    while (!rest.empty() && std::isspace(static_cast<unsigned char>(rest.front())) != 0) {
      rest.remove_prefix(1);
    }
    if (rest.starts_with(')')) return true;
    if (!rest.starts_with(',')) return false;
    rest.remove_prefix(1);
    to += ", ";
  }
}

}  // namespace

std::string without_matched_values(std::string_view text) {
  std::string result;
  while (!text.empty()) {
    std::size_t length = 0;
    while (length < text.size() && is_letter(text[length])) ++length;
    const std::string_view name = text.substr(0, length);
    result += name.empty() ? text.substr(0, 1) : name;
    text.remove_prefix(name.empty() ? 1 : length);
    if (!compares_values(name)) continue;
    const auto opening = text.find_first_not_of(" \t\r\n");
    if (opening == std::string_view::npos || text[opening] != '(') continue;
    text.remove_prefix(opening + 1);
    result += '(';
    if (!copy_names(text, result)) return result + std::string(withheld);
  }
  return result;
}

}  // namespace shortcircuit
