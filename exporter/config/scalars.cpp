#include "config/scalars.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "base/text.h"

namespace shortcircuit {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool all_digits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_digit);
}

// How YAML would understand a plain scalar; "" when it is text.
std::string_view other_reading(const Scalar& scalar) {
  if (!scalar.plain) return "";
  const std::string lower = to_lower(scalar.written);
  for (const std::string_view word : {"true", "false", "yes", "no", "on", "off", "y", "n"}) {
    if (lower == word) return "a boolean";
  }
  std::string_view number = lower;
  if (number.starts_with('-') || number.starts_with('+')) number.remove_prefix(1);
  if (number.empty() || !is_digit(number.front())) return "";
  if (number.starts_with("0x") || number.starts_with("0o")) return "a number";
  const bool numeric = std::all_of(number.begin(), number.end(), [](char c) {
    return is_digit(c) || c == '_' || c == '.' || c == 'e' || c == '+' || c == '-';
  });
  if (!numeric || std::count(number.begin(), number.end(), '.') > 1) return "";
  const auto dash = number.find('-');
  if (dash != std::string_view::npos && number[dash - 1] != 'e') return "";
  return "a number";
}

// A URL may hold credentials: in front of an @, or in its query.
std::string shown_url(const Scalar& scalar) {
  if (scalar.written.contains('@')) return "other text";
  return shown({"", scalar.written.substr(0, scalar.written.find('?')), true});
}

struct Unit {
  std::string_view name;
  Duration size;
};
constexpr std::array<Unit, 4> units{{{"h", 1h}, {"m", 1min}, {"s", 1s}, {"ms", 1ms}}};
constexpr Duration longest = 24h;

bool host_is_valid(const std::string& host, bool bracketed) {
  if (bracketed) {
    const auto address = IpAddress::parse(host);
    return address && host.contains(':');
  }
  if (host.empty() || host.size() > 253) return false;
  const bool characters = std::all_of(host.begin(), host.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '-' || c == '.' || c == '_';
  });
  // What looks like an IPv4 address has to be one.
  const bool numeric =
      std::all_of(host.begin(), host.end(), [](char c) { return is_digit(c) || c == '.'; });
  return characters && (!numeric || IpAddress::parse(host)) && !host.starts_with('.') &&
         !host.contains("..");
}

}  // namespace

std::string shown(const Scalar& scalar) {
  std::string text;
  for (const char c : scalar.written.substr(0, 80)) {
    text += static_cast<unsigned char>(c) < 0x20 || c == 0x7F ? '?' : c;
  }
  return "\"" + text + (scalar.written.size() > 80 ? "…\"" : "\"");
}

Parsed<std::string> parse_source_url(const Scalar& scalar, UrlRules rules) {
  const std::string schemes =
      rules.proxy ? "http://, https:// or socks5://" : "http:// or https://";
  const std::string expected = fmt::format("expected a URL that begins with {}", schemes);
  const std::string& text = scalar.text;
  if (other_reading(scalar) != "" || text.empty()) return std::unexpected(expected);
  const auto scheme_end = text.find("://");
  const std::string authority =
      scheme_end == std::string::npos
          ? ""
          : text.substr(scheme_end + 3, text.find_first_of("/?#", scheme_end + 3) - scheme_end - 3);
  if (authority.contains('@')) {
    return std::unexpected(fmt::format(
        "user information in a URL ends up in logs; {}",
        rules.basic_auth ? "expected it under basic_auth: {username: …, password_file: …}"
                         : "expected a URL without it"));
  }
  if (scheme_end == std::string::npos) {
    const bool plain_host =
        text.find_first_of(" @?#") == std::string::npos && scalar.text == scalar.written;
    return std::unexpected(fmt::format("{}, got {}{}", expected, shown_url(scalar),
                                       plain_host ? "; did you mean http://" + text + "?" : ""));
  }
  const std::string scheme = to_lower(text.substr(0, scheme_end));
  const bool known = scheme == "http" || scheme == "https" ||
                     (rules.proxy && (scheme == "socks5" || scheme == "socks5h"));
  if (!known) return std::unexpected(fmt::format("{}, got {}", expected, shown_url(scalar)));
  if (std::any_of(text.begin(), text.end(),
                  [](unsigned char c) { return c <= 0x20 || c == 0x7F; })) {
    return std::unexpected("expected a URL without white space");
  }
  const auto port_start = authority.rfind(':');
  const bool bracketed = authority.starts_with('[');
  if (port_start != std::string::npos && (!bracketed || authority[port_start - 1] == ']')) {
    const std::string port = authority.substr(port_start + 1);
    int number = 0;
    std::from_chars(port.data(), port.data() + port.size(), number);
    if (!all_digits(port) || port.size() > 5 || number < 1 || number > 65535) {
      return std::unexpected(
          fmt::format("expected a port between 1 and 65535, got {}", shown_url(scalar)));
    }
  }
  const std::optional<Url> url = parse_url(text);
  if (!url || !host_is_valid(url->host, bracketed)) {
    return std::unexpected(
        fmt::format("expected a host name or an address after ://, got {}", shown_url(scalar)));
  }
  if (text.contains('#') || (!rules.query && text.contains('?'))) {
    return std::unexpected(fmt::format("expected a URL without {}, got {}",
                                       rules.query ? "#" : "? and #", shown_url(scalar)));
  }
  if (rules.proxy && !url->path.empty() && url->path != "/") {
    return std::unexpected(
        fmt::format("expected a proxy's URL without a path, got {}", shown_url(scalar)));
  }
  if (rules.query) return text;
  return text.substr(0, text.find_last_not_of('/') + 1);
}

Parsed<std::string> parse_text(const Scalar& scalar) {
  if (trim(scalar.text).empty()) return std::unexpected("the text is empty");
  if (const std::string_view reading = other_reading(scalar); !reading.empty()) {
    return std::unexpected(fmt::format(
        "expected text, got {0}, which YAML reads as {1}; did you mean \"{0}\" in quotes?",
        scalar.written, reading));
  }
  return scalar.text;
}

Parsed<std::string> parse_name(const Scalar& scalar) {
  Parsed<std::string> text = parse_text(scalar);
  if (!text) return text;
  const bool control = std::any_of(text->begin(), text->end(),
                                   [](unsigned char c) { return c < 0x20 || c == 0x7F; });
  if (control || text->contains('/') || trim(*text) != *text || text->starts_with('.') ||
      text->size() > 200) {
    return std::unexpected(fmt::format(
        "expected a name that can be a label and a folder (no /, no dot in front, no white space "
        "at its ends, at most 200 bytes), got {}",
        shown(scalar)));
  }
  return text;
}

Parsed<Duration> parse_duration(const Scalar& scalar) {
  const auto refuse = [&](std::string_view hint = "") {
    return std::unexpected(
        fmt::format("expected {}, got {}{}", duration_type, shown(scalar), hint));
  };
  std::string_view rest = scalar.text;
  if (all_digits(rest)) return refuse(fmt::format("; did you mean {}s?", rest.substr(0, 20)));
  Duration sum{0};
  auto next_unit = units.begin();
  if (rest.empty()) return refuse();
  while (!rest.empty()) {
    std::int64_t number = 0;
    const auto [end, code] = std::from_chars(rest.data(), rest.data() + rest.size(), number);
    if (code == std::errc::result_out_of_range) {
      return std::unexpected(fmt::format("expected at most 24h, got {}", shown(scalar)));
    }
    if (code != std::errc{} || number < 0 || !is_digit(rest.front())) return refuse();
    rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
    const auto letters = std::find_if(rest.begin(), rest.end(), is_digit);
    const std::string_view name(rest.begin(), letters);
    next_unit =
        std::find_if(next_unit, units.end(), [&](const Unit& unit) { return unit.name == name; });
    if (next_unit == units.end()) return refuse();
    if (number > longest / next_unit->size) {
      return std::unexpected(fmt::format("expected at most 24h, got {}", shown(scalar)));
    }
    sum += next_unit->size * number;
    ++next_unit;
    rest.remove_prefix(name.size());
  }
  if (sum <= Duration{0}) return std::unexpected("expected more than 0");
  if (sum > longest)
    return std::unexpected(fmt::format("expected at most 24h, got {}", shown(scalar)));
  return sum;
}

Parsed<Prefix> parse_cidr(const Scalar& scalar) {
  const std::optional<Prefix> loose = Prefix::parse(scalar.text);
  if (!loose || scalar.text.contains('%')) {
    return std::unexpected(
        fmt::format("expected a network such as 10.0.0.0/8 or fd00::/8, got {}", shown(scalar)));
  }
  if (!scalar.text.contains('/')) {
    return std::unexpected(
        fmt::format("expected the length of the prefix too, got {}; did you mean {}?",
                    shown(scalar), loose->text()));
  }
  if (!Prefix::parse(scalar.text, true)) {
    return std::unexpected(
        fmt::format("expected a network without host bits, got {}; did you mean {}?", shown(scalar),
                    loose->text()));
  }
  return *loose;
}

Parsed<IpAddress> parse_address(const Scalar& scalar) {
  const std::optional<IpAddress> address = IpAddress::parse(scalar.text);
  if (!address || scalar.text.contains('%')) {
    return std::unexpected(fmt::format(
        "expected an IP address such as 192.0.2.1 or 2001:db8::1, got {}", shown(scalar)));
  }
  return *address;
}

Parsed<std::int64_t> parse_integer(const Scalar& scalar, std::int64_t least, std::int64_t most) {
  std::int64_t number = 0;
  const std::string& text = scalar.text;
  std::from_chars(text.data(), text.data() + text.size(), number);
  if (scalar.plain && all_digits(text) && text.size() < 19 && (text == "0" || text[0] != '0') &&
      number >= least && number <= most) {
    return number;
  }
  return std::unexpected(
      fmt::format("expected a whole number between {} and {} in plain digits, got {}", least, most,
                  shown(scalar)));
}

Parsed<std::string> parse_secret(const Scalar& scalar) {
  if (trim(scalar.text).empty()) return std::unexpected("the secret is empty");
  if (!other_reading(scalar).empty()) {
    return std::unexpected("expected text, got a number or a boolean; put it in quotes");
  }
  if (scalar.text.find_first_of("\r\n") != std::string::npos) {
    return std::unexpected("expected a secret of one line");
  }
  return scalar.text;
}

std::string written_duration(Duration duration) {
  for (const Unit& unit : units) {
    if (duration % unit.size == Duration{0})
      return fmt::format("{}{}", duration / unit.size, unit.name);
  }
  return fmt::format("{}ms", duration / Duration(1ms));
}

}  // namespace shortcircuit
