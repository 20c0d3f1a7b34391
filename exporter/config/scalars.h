// The kinds of single values that the configuration has, and how each is checked. Pure: a value, or
// the sentence that says what was expected. Units: durations become Duration here, once.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/address.h"
#include "base/time.h"
#include "config/yaml_reader.h"

namespace shortcircuit {

// Text that cannot be taken for a number or a boolean.
Parsed<std::string> parse_text(const Scalar& scalar);
// Text that serves as a label and as a folder's name.
Parsed<std::string> parse_name(const Scalar& scalar);
// `500ms`, `15s`, `10m`, `1h`, `1m30s`; more than nothing, at most a day.
Parsed<Duration> parse_duration(const Scalar& scalar);
Parsed<Prefix> parse_cidr(const Scalar& scalar);
Parsed<IpAddress> parse_address(const Scalar& scalar);

inline constexpr std::string_view duration_type = "a duration such as 500ms, 15s, 10m or 1h";
inline constexpr std::string_view name_type = "a name";
inline constexpr std::string_view address_type = "an IP address";

// A whole number in plain digits.
Parsed<std::int64_t> parse_integer(const Scalar& scalar, std::int64_t least, std::int64_t most);
// One line of text; the message never quotes it.
Parsed<std::string> parse_secret(const Scalar& scalar);

struct UrlRules {
  bool proxy = false;      // socks5:// too, no path
  bool query = false;      // `?…` is allowed
  bool basic_auth = true;  // there is a basic_auth key to point at
};
// Without a slash at the end.
Parsed<std::string> parse_source_url(const Scalar& scalar, UrlRules rules);

// What a person typed, shortened and without control characters, in quotes. Not for secrets.
std::string shown(const Scalar& scalar);

// `90s`, `1500ms`: as it would be written in the configuration.
std::string written_duration(Duration duration);

}  // namespace shortcircuit
