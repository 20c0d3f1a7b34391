// IP addresses and prefixes, IPv4 and IPv6 alike. Plain values, compared and hashed by content.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace shortcircuit {

class IpAddress {
 public:
  // `10.0.0.1`, `fd7a::1`; IPv4-mapped IPv6 (`::ffff:10.0.0.1`) becomes IPv4. A zone (`%eth0`)
  // is cut off. Nothing for anything that is no literal address.
  static std::optional<IpAddress> parse(std::string_view text);

  [[nodiscard]] bool is_v4() const { return v4_; }
  [[nodiscard]] std::string text() const;
  // Bit `index` counted from the most significant one of the address's own family.
  [[nodiscard]] bool bit(int index) const;
  [[nodiscard]] int bits() const { return v4_ ? 32 : 128; }
  auto operator<=>(const IpAddress&) const = default;

 private:
  friend struct Prefix;
  bool v4_ = true;
  std::array<std::uint8_t, 16> bytes_{};  // IPv4 in the first four
};

struct Prefix {
  IpAddress address;  // host bits are zero
  int length = 0;

  // `10.0.0.0/8`; a bare address is a prefix of full length. Nothing when host bits are set and
  // `strict`, or when it is no prefix.
  static std::optional<Prefix> parse(std::string_view text, bool strict = false);

  // The prefix of that length in which the address lies. 0 <= length <= address.bits().
  static Prefix around(const IpAddress& address, int length);

  [[nodiscard]] bool contains(const IpAddress& candidate) const;
  [[nodiscard]] bool contains(const Prefix& other) const;
  [[nodiscard]] std::string text() const;
  auto operator<=>(const Prefix&) const = default;
};

// `10.0.0.1:80`, `[fd7a::1]:80`, `10.0.0.1`, `fd7a::1` → the address without its port.
std::optional<IpAddress> address_of_endpoint(std::string_view text);

// The parts of a URL that checks need. `host` without brackets. Port 0: none was written.
struct Url {
  std::string scheme;  // lower case
  std::string host;
  int port = 0;
  std::string path;  // from the first `/` on, with the query
  [[nodiscard]] std::optional<IpAddress> address() const { return IpAddress::parse(host); }
};
std::optional<Url> parse_url(std::string_view text);

}  // namespace shortcircuit
