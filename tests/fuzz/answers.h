// Several named texts in one input: a line `@@ <name>` begins each. Text before the first line is
// dropped. Views borrow from the input.
#pragma once

#include <string_view>
#include <utility>
#include <vector>

namespace shortcircuit::fuzz {

using NamedTexts = std::vector<std::pair<std::string_view, std::string_view>>;

inline NamedTexts named_texts(std::string_view input, std::size_t most) {
  constexpr std::string_view mark = "@@ ";
  NamedTexts texts;
  std::size_t at = input.starts_with(mark) ? 0 : input.find("\n@@ ");
  while (at != std::string_view::npos && texts.size() < most) {
    if (input[at] == '\n') ++at;
    const std::size_t line_end = std::min(input.find('\n', at), input.size());
    const std::string_view name = input.substr(at + mark.size(), line_end - at - mark.size());
    const std::size_t next = input.find("\n@@ ", line_end);
    const std::size_t begin = std::min(line_end + 1, input.size());
    const std::size_t end = next == std::string_view::npos ? input.size() : std::max(begin, next);
    texts.emplace_back(name, input.substr(begin, end - begin));
    at = next;
  }
  return texts;
}

}  // namespace shortcircuit::fuzz
