#include "base/exposition_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>

#include "base/text.h"

namespace shortcircuit {
namespace {

bool name_character(char c, bool first) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == ':' ||
         (!first && c >= '0' && c <= '9');
}

std::string_view take_name(std::string_view& rest) {
  std::size_t length = 0;
  while (length < rest.size() && name_character(rest[length], length == 0)) ++length;
  const auto name = rest.substr(0, length);
  rest.remove_prefix(length);
  return name;
}

void skip_blanks(std::string_view& rest) {
  while (!rest.empty() && (rest.front() == ' ' || rest.front() == '\t')) rest.remove_prefix(1);
}

std::optional<std::string> take_quoted(std::string_view& rest) {
  if (rest.empty() || rest.front() != '"') return std::nullopt;
  std::string value;
  for (std::size_t i = 1; i < rest.size(); ++i) {
    if (rest[i] == '"') {
      rest.remove_prefix(i + 1);
      return value;
    }
    if (rest[i] == '\\' && i + 1 < rest.size()) {
      ++i;
      value.push_back(rest[i] == 'n' ? '\n' : rest[i]);
    } else {
      value.push_back(rest[i]);
    }
  }
  return std::nullopt;
}

bool take_labels(std::string_view& rest, std::map<std::string, std::string>& labels) {
  if (rest.empty() || rest.front() != '{') return true;
  rest.remove_prefix(1);
  while (true) {
    skip_blanks(rest);
    if (rest.starts_with('}')) {
      rest.remove_prefix(1);
      return true;
    }
    const auto name = take_name(rest);
    skip_blanks(rest);
    if (name.empty() || !rest.starts_with('=')) return false;
    rest.remove_prefix(1);
    skip_blanks(rest);
    auto value = take_quoted(rest);
    if (!value) return false;
    labels.insert_or_assign(std::string(name), std::move(*value));
    skip_blanks(rest);
    if (rest.starts_with(',')) {
      rest.remove_prefix(1);
    } else if (!rest.starts_with('}')) {
      return false;
    }
  }
}

std::optional<double> number(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  const std::string lower = to_lower(text);
  if (lower == "nan") return std::numeric_limits<double>::quiet_NaN();
  if (lower == "inf") return std::numeric_limits<double>::infinity();
  if (lower == "-inf") return -std::numeric_limits<double>::infinity();
  double value = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (code != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

bool parse_line(std::string_view line, Sample& sample) {
  sample.name = take_name(line);
  skip_blanks(line);
  if (sample.name.empty() || !take_labels(line, sample.labels)) return false;
  skip_blanks(line);
  const auto value = number(line.substr(0, line.find_first_of(" \t")));
  if (!value) return false;
  sample.value = *value;
  return true;
}

}  // namespace

Result<std::vector<Sample>> parse_exposition(std::string_view text,
                                             const std::vector<std::string_view>& prefixes) {
  std::vector<Sample> samples;
  int line_number = 0;
  while (!text.empty()) {
    ++line_number;
    const auto end = text.find('\n');
    const std::string_view line = trim(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.empty() || line.front() == '#') continue;
    const auto wanted = [&](std::string_view prefix) { return line.starts_with(prefix); };
    if (!prefixes.empty() && std::none_of(prefixes.begin(), prefixes.end(), wanted)) {
      if (!name_character(line.front(), true)) {
        return fail(Failure::syntax, fmt::format("line {}: not a metric sample", line_number));
      }
      continue;
    }
    Sample sample;
    if (!parse_line(line, sample)) {
      return fail(Failure::syntax, fmt::format("line {}: not a metric sample", line_number));
    }
    samples.push_back(std::move(sample));
  }
  return samples;
}

}  // namespace shortcircuit
