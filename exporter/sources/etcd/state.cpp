#include "sources/etcd/state.h"

#include <fmt/format.h>

#include <charconv>

namespace shortcircuit::etcd {

std::string hexadecimal(std::uint64_t id) { return fmt::format("{:x}", id); }

std::optional<std::uint64_t> parse_hexadecimal(std::string_view text) {
  std::uint64_t value = 0;
  const char* const end = text.data() + text.size();
  const auto [stopped, code] = std::from_chars(text.data(), end, value, 16);
  if (text.empty() || code != std::errc{} || stopped != end) return std::nullopt;
  return value;
}

}  // namespace shortcircuit::etcd
