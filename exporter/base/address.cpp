#include "base/address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "base/text.h"

namespace shortcircuit {

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
  const std::string literal(text.substr(0, text.find('%')));
  IpAddress address;
  if (inet_pton(AF_INET, literal.c_str(), address.bytes_.data()) == 1) return address;
  address.bytes_.fill(0);
  if (inet_pton(AF_INET6, literal.c_str(), address.bytes_.data()) != 1) return std::nullopt;
  constexpr std::array<std::uint8_t, 12> mapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
  if (std::equal(mapped.begin(), mapped.end(), address.bytes_.begin())) {
    std::copy(address.bytes_.begin() + 12, address.bytes_.end(), address.bytes_.begin());
    std::fill(address.bytes_.begin() + 4, address.bytes_.end(), std::uint8_t{0});
    return address;
  }
  address.v4_ = false;
  return address;
}

std::string IpAddress::text() const {
  std::array<char, INET6_ADDRSTRLEN> buffer{};
  inet_ntop(v4_ ? AF_INET : AF_INET6, bytes_.data(), buffer.data(), buffer.size());
  return buffer.data();
}

bool IpAddress::bit(int index) const {
  return (bytes_[static_cast<std::size_t>(index / 8)] >> (7 - index % 8) & 1) != 0;
}

std::optional<Prefix> Prefix::parse(std::string_view text, bool strict) {
  const auto slash = text.find('/');
  const auto address = IpAddress::parse(text.substr(0, slash));
  if (!address) return std::nullopt;
  Prefix prefix{*address, address->bits()};
  if (slash != std::string_view::npos) {
    const auto digits = text.substr(slash + 1);
    const auto [end, code] =
        std::from_chars(digits.data(), digits.data() + digits.size(), prefix.length);
    if (code != std::errc{} || end != digits.data() + digits.size() || prefix.length < 0 ||
        prefix.length > address->bits()) {
      return std::nullopt;
    }
  }
  for (int i = prefix.length; i < address->bits(); ++i) {
    if (address->bit(i) && strict) return std::nullopt;
    auto& byte = prefix.address.bytes_[static_cast<std::size_t>(i / 8)];
    byte = static_cast<std::uint8_t>(byte & ~(1U << (7 - i % 8)));
  }
  return prefix;
}

Prefix Prefix::around(const IpAddress& address, int length) {
  Prefix prefix{address, length};
  const auto bytes = static_cast<std::size_t>(address.bits() / 8);
  for (std::size_t i = 0; i < bytes; ++i) {
    const int kept = std::clamp(length - static_cast<int>(i) * 8, 0, 8);
    auto& byte = prefix.address.bytes_[i];
    byte = static_cast<std::uint8_t>(byte & (0xFF00U >> kept));
  }
  return prefix;
}

bool Prefix::contains(const IpAddress& candidate) const {
  if (candidate.is_v4() != address.is_v4()) return false;
  const auto whole = static_cast<std::size_t>(length / 8);
  if (!std::equal(address.bytes_.begin(), address.bytes_.begin() + static_cast<long>(whole),
                  candidate.bytes_.begin())) {
    return false;
  }
  const int rest = length % 8;
  if (rest == 0) return true;
  const auto mask = static_cast<std::uint8_t>(0xFF00U >> rest);
  return (address.bytes_[whole] & mask) == (candidate.bytes_[whole] & mask);
}

bool Prefix::contains(const Prefix& other) const {
  return other.length >= length && contains(other.address);
}

std::string Prefix::text() const { return address.text() + "/" + std::to_string(length); }

std::optional<IpAddress> address_of_endpoint(std::string_view text) {
  if (text.starts_with('[')) {
    const auto end = text.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    return IpAddress::parse(text.substr(1, end - 1));
  }
  if (std::count(text.begin(), text.end(), ':') == 1) text = text.substr(0, text.find(':'));
  return IpAddress::parse(text);
}

std::optional<Url> parse_url(std::string_view text) {
  const std::string clean = without_userinfo(trim(text));
  std::string_view rest = clean;
  const auto scheme_end = rest.find("://");
  if (scheme_end == std::string_view::npos || scheme_end == 0) return std::nullopt;
  Url url;
  url.scheme = to_lower(rest.substr(0, scheme_end));
  if (!std::all_of(url.scheme.begin(), url.scheme.end(), [](unsigned char c) {
        return std::isalnum(c) != 0 || c == '+' || c == '-' || c == '.';
      })) {
    return std::nullopt;
  }
  rest.remove_prefix(scheme_end + 3);
  const auto authority_end = rest.find_first_of("/?#");
  std::string_view authority = rest.substr(0, authority_end);
  if (authority_end != std::string_view::npos) url.path = rest.substr(authority_end);
  if (authority.starts_with('[')) {
    const auto end = authority.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    url.host = authority.substr(1, end - 1);
    authority.remove_prefix(end + 1);
  } else {
    const auto colon = authority.find(':');
    url.host = authority.substr(0, colon);
    authority.remove_prefix(std::min(colon, authority.size()));
  }
  if (url.host.empty()) return std::nullopt;
  if (authority.starts_with(':')) {
    authority.remove_prefix(1);
    const auto [end, code] =
        std::from_chars(authority.data(), authority.data() + authority.size(), url.port);
    if (code != std::errc{} || end != authority.data() + authority.size() || url.port < 1 ||
        url.port > 65535) {
      return std::nullopt;
    }
  } else if (!authority.empty()) {
    return std::nullopt;
  }
  return url;
}

}  // namespace shortcircuit
