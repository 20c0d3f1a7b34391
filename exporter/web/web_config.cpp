#include "web/web_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "config/scalars.h"
#include "config/yaml_reader.h"

namespace shortcircuit {
namespace {

struct KnownHeader {
  std::string_view name;
  std::array<std::string_view, 2> values;  // "" = none; both empty = any value
};
constexpr std::array<KnownHeader, 5> known_headers{{
    {"Content-Security-Policy", {"", ""}},
    {"Strict-Transport-Security", {"", ""}},
    {"X-Content-Type-Options", {"nosniff", ""}},
    {"X-Frame-Options", {"deny", "sameorigin"}},
    {"X-XSS-Protection", {"", ""}},
}};

// `$2y$10$` and 53 characters of salt and digest.
bool is_bcrypt(std::string_view hash) {
  constexpr std::string_view alphabet =
      "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  constexpr std::size_t prefix = 7;
  if (hash.size() != prefix + 53) return false;
  const bool form =
      hash.starts_with("$2a$") || hash.starts_with("$2b$") || hash.starts_with("$2y$");
  const std::string_view cost = hash.substr(4, 2);
  return form && hash[6] == '$' && cost >= "04" && cost <= "31" &&
         cost.find_first_not_of("0123456789") == cost.npos &&
         hash.substr(prefix).find_first_not_of(alphabet) == hash.npos;
}

void read_users(YamlMapping& users, WebConfig& config) {
  if (users.keys().empty()) {  // perhaps half written
    users.problem(users.place(), "expected at least one user; remove the key to let everybody in");
  }
  for (const std::string& name : users.keys()) {
    const auto hash = users.value<std::string>(
        {.name = name, .description = "", .secret = true}, "a bcrypt hash",
        [](const Scalar& scalar) -> Parsed<std::string> {
          if (is_bcrypt(scalar.text)) return scalar.text;
          return std::unexpected(
              "expected a bcrypt hash ($2y$…, as `htpasswd -nBC 10 NAME` prints it), got other "
              "text");
        });
    if (name.empty() || name.contains(':')) {
      users.problem(name, "expected a user's name without a colon");
    }
    if (hash) config.users.emplace_back(name, *hash);
  }
}

void read_headers(YamlMapping& headers, WebConfig& config) {
  for (const KnownHeader& known : known_headers) {
    const auto value = headers.value<std::string>(
        {.name = known.name, .description = ""}, "the value of a header",
        [&](const Scalar& scalar) -> Parsed<std::string> {
          const auto control = [](char c) { return static_cast<unsigned char>(c) < ' '; };
          if (std::any_of(scalar.text.begin(), scalar.text.end(), control)) {
            return std::unexpected("expected one line of text");
          }
          const bool any = known.values[0].empty();
          if (any || scalar.text.empty() || scalar.text == known.values[0] ||
              scalar.text == known.values[1]) {
            return scalar.text;
          }
          return std::unexpected(fmt::format("expected {}{}{}", known.values[0],
                                             known.values[1].empty() ? "" : " or ",
                                             known.values[1]));
        });
    if (value && !value->empty()) config.headers.emplace_back(known.name, *value);
  }
}

void read_rate_limit(YamlMapping& limit, WebConfig& config) {
  config.request_interval =
      limit
          .value<Duration>({.name = "interval", .description = ""}, duration_type,
                           [](const Scalar& scalar) -> Parsed<Duration> {
                             if (scalar.text == "0" || scalar.text == "0s") return Duration::zero();
                             return parse_duration(scalar);
                           })
          .value_or(Duration::zero());
  config.request_burst = static_cast<int>(
      limit
          .value<std::int64_t>(
              {.name = "burst", .description = ""}, "a whole number",
              [](const Scalar& scalar) { return parse_integer(scalar, 0, 1'000'000); })
          .value_or(0));
  if (config.request_interval > Duration::zero() && config.request_burst == 0) {
    limit.problem("burst", "expected 1 or more beside an interval, or nobody would be answered");
  }
}

void read_root(YamlMapping& root, WebConfig& config) {
  config.tls = read_tls_server_settings(root);
  root.mapping({.name = "http_server_config", .description = ""}, [&](YamlMapping& http) {
    http.boolean({.name = "http2", .description = ""});  // HTTP/1.1 is spoken, with TLS too
    http.mapping({.name = "headers", .description = ""},
                 [&](YamlMapping& headers) { read_headers(headers, config); });
  });
  root.mapping({.name = "basic_auth_users", .description = ""},
               [&](YamlMapping& users) { read_users(users, config); });
  root.mapping({.name = "rate_limit", .description = ""},
               [&](YamlMapping& limit) { read_rate_limit(limit, config); });
}

}  // namespace

std::expected<WebConfig, std::vector<ConfigProblem>> parse_web_config(std::string_view text,
                                                                      const std::string& file) {
  WebConfig config;
  YamlReader reader(file, text, "basic_auth_users: {ada: $2y$…}", nullptr);
  reader.read([&](YamlMapping& root) { read_root(root, config); });
  if (auto problems = reader.problems(); !problems.empty()) {
    return std::unexpected(std::move(problems));
  }
  return config;
}

}  // namespace shortcircuit
