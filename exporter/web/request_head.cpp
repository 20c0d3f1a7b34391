#include "web/request_head.h"

#include <algorithm>

namespace shortcircuit {

std::size_t end_of_head(std::string_view input, std::size_t from) {
  const auto after = [&](std::string_view mark) {
    const auto found = input.find(mark, from);
    return found == input.npos ? input.npos : found + mark.size();
  };
  return std::min(after("\r\n\r\n"), after("\n\n"));
}

bool may_be_http(std::string_view head) {
  const std::string_view line = head.substr(0, head.find_first_of("\r\n"));
  return (line.ends_with(" HTTP/1.1") || line.ends_with(" HTTP/1.0")) && !line.contains("%00") &&
         std::all_of(head.begin(), head.end(), [](char c) {
           return (static_cast<unsigned char>(c) >= ' ' && c != 0x7f) || c == '\r' || c == '\n';
         });
}

std::ptrdiff_t header_lines(std::string_view head) {
  return std::count(head.begin(), head.end(), '\n') - 2;
}

}  // namespace shortcircuit
