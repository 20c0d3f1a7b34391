#include "sources/kubernetes/proxy_setting.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/address.h"
#include "base/text.h"

namespace shortcircuit::kubernetes {
namespace {

// HTTPS_PROXY, https-proxy and httpsProxy are one name.
std::string plain_name(std::string_view name) {
  std::string plain = to_lower(name);
  std::erase_if(plain, [](char c) { return c == '_' || c == '-' || c == '.'; });
  return plain;
}

bool ends_with_one_of(std::string_view text, std::initializer_list<std::string_view> endings) {
  return std::any_of(endings.begin(), endings.end(),
                     [&](std::string_view ending) { return text.ends_with(ending); });
}

bool names_proxy(std::string_view plain) {
  return plain.ends_with("proxy") && !plain.ends_with("noproxy");
}

bool allows_missing_scheme(std::string_view plain) {
  return ends_with_one_of(plain, {"httpproxy", "httpsproxy", "allproxy", "ftpproxy"});
}

// The user information ends at the last `@`, wherever that is: a password may hold a slash, and a
// proxy has no path that could hold an `@`.
std::optional<std::string> proxy_url(std::string_view value, bool scheme_may_miss) {
  value = trim(value);
  const auto scheme_end = value.find("://");
  std::string scheme;
  if (scheme_end != std::string_view::npos) {
    scheme = to_lower(value.substr(0, scheme_end));
    value.remove_prefix(scheme_end + 3);
  } else if (scheme_may_miss) {
    scheme = "http";
  }
  if (scheme != "http" && scheme != "https" && !scheme.starts_with("socks")) return std::nullopt;
  if (const auto at = value.rfind('@'); at != std::string_view::npos) value.remove_prefix(at + 1);
  const auto url = parse_url(fmt::format("{}://{}", scheme, value));
  if (!url || url->host.empty()) return std::nullopt;
  if (scheme_end == std::string_view::npos && url->port == 0) return std::nullopt;
  // `$(PROXY_HOST)`, `{{ host }}`, a list: no literal host.
  if (url->host.find_first_of("$(){}<>,; \t\"'") != std::string::npos) return std::nullopt;
  const bool ipv6 = url->host.find(':') != std::string::npos;
  std::string text = fmt::format(fmt::runtime(ipv6 ? "{}://[{}]" : "{}://{}"), scheme, url->host);
  if (url->port != 0) text += fmt::format(":{}", url->port);
  return text;
}

}  // namespace

std::optional<std::string> proxy_in_config_map(std::string_view key, std::string_view value) {
  const std::string plain = plain_name(key);
  if (!names_proxy(plain)) return std::nullopt;
  return proxy_url(value, allows_missing_scheme(plain));
}

std::optional<std::string> proxy_in_environment(std::string_view name, std::string_view value) {
  const std::string plain = plain_name(name);
  if (plain.ends_with("noproxy")) return std::nullopt;
  const bool socks = to_lower(trim(value).substr(0, 5)) == "socks";
  if (socks || ends_with_one_of(
                   plain, {"proxyurl", "proxyuri", "proxyserver", "proxyaddr", "proxyaddress"})) {
    return proxy_url(value, false);
  }
  return proxy_in_config_map(name, value);
}

}  // namespace shortcircuit::kubernetes
