#include "config/values.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

namespace shortcircuit {

std::optional<std::string> read_url(YamlMapping& mapping, const Key& key, UrlRules rules) {
  return mapping.value<std::string>(
      key, "a URL", [&](const Scalar& scalar) { return parse_source_url(scalar, rules); });
}

std::optional<std::string> read_text(YamlMapping& mapping, const Key& key) {
  return mapping.value<std::string>(key, "text", parse_text);
}

std::optional<std::string> read_name(YamlMapping& mapping, const Key& key) {
  return mapping.value<std::string>(key, name_type, parse_name);
}

std::optional<Duration> read_duration(YamlMapping& mapping, const Key& key) {
  return mapping.value<Duration>(key, duration_type, parse_duration);
}

std::optional<std::int64_t> read_integer(YamlMapping& mapping, const Key& key, std::int64_t least,
                                         std::int64_t most) {
  const std::string type = fmt::format("a whole number between {} and {}", least, most);
  return mapping.value<std::int64_t>(
      key, type, [&](const Scalar& scalar) { return parse_integer(scalar, least, most); });
}

std::optional<std::string> read_path(YamlMapping& mapping, const Key& key) {
  return mapping.value<std::string>(
      key, "a path", [&](const Scalar& scalar) -> Parsed<std::string> {
        Parsed<std::string> text = parse_text(scalar);
        if (!text) return text;
        if (text->starts_with('~')) {
          return std::unexpected(fmt::format(
              "~ is not replaced in a path, got {}; expected ${{HOME}} instead", shown(scalar)));
        }
        const std::filesystem::path folder = std::filesystem::path(mapping.file()).parent_path();
        return (folder / *text).lexically_normal().string();
      });
}

Secret read_secret(YamlMapping& mapping, std::string_view name, std::string_view description) {
  const std::string file_key = fmt::format("{}_file", name);
  const std::string file_description =
      fmt::format("File that holds `{}`; read again at every use", name);
  const std::string value_description =
      fmt::format("{}. Write it as \"${{NAME}}\", or use `{}`", description, file_key);
  const bool both = mapping.written(name) && mapping.written(file_key);
  if (both) {
    mapping.problem(file_key,
                    fmt::format("written beside {0}; expected one of {0} and {1}", name, file_key));
  }
  const std::optional<std::string> value = mapping.value<std::string>(
      {.name = name, .description = value_description, .secret = true}, "text", parse_secret);
  const std::optional<std::string> path =
      read_path(mapping, {.name = file_key, .description = file_description});
  if (value) return Secret::of_value(*value);
  return path ? Secret::of_file(*path) : Secret{};
}

std::vector<std::string> read_names(YamlMapping& mapping, const Key& key) {
  std::vector<std::string> names;
  for (Placed<std::string>& name : mapping.values<std::string>(key, name_type, parse_name)) {
    if (std::find(names.begin(), names.end(), name.value) != names.end()) {
      mapping.problem(name.place,
                      fmt::format("{} is in this list already; expected each once", name.value));
    } else {
      names.push_back(std::move(name.value));
    }
  }
  return names;
}

void UniqueNames::add(YamlMapping& mapping, std::string_view key, const std::string& name) {
  const Place place = mapping.place_of(key);
  for (const Placed<std::string>& other : seen_) {
    if (other.value == name) {
      mapping.problem(place, fmt::format("{} is the name of {} already; expected unique names",
                                         name, other.place.path));
      return;
    }
  }
  seen_.push_back({name, mapping.place()});
}

void read_tls(YamlMapping& mapping, TlsSettings& tls) {
  const Key key{.name = "tls",
                .description = "How the server's certificate is checked, and the client's own",
                .shared = true};
  mapping.mapping(key, [&](YamlMapping& section) {
    TlsSettings own;
    own.ca_file = read_path(section, {.name = "ca_file",
                                      .description = "Certificates that may sign the server's, PEM",
                                      .fallback = "the system's"})
                      .value_or("");
    own.cert_file = read_path(section, {.name = "cert_file",
                                        .description = "Client certificate, PEM; with `key_file`"})
                        .value_or("");
    own.key_file = read_path(section, {.name = "key_file",
                                       .description = "Key of the client certificate, PEM"})
                       .value_or("");
    own.server_name =
        read_text(section, {.name = "server_name",
                            .description = "Name that the server's certificate must have",
                            .fallback = "the URL's host"})
            .value_or("");
    own.insecure_skip_verify = section
                                   .boolean({.name = "insecure_skip_verify",
                                             .description = "Accept any certificate",
                                             .fallback = "false"})
                                   .value_or(false);
    if (section.written("cert_file") != section.written("key_file") && !section.describing()) {
      section.problem(section.written("cert_file") ? "cert_file" : "key_file",
                      "expected cert_file and key_file together");
    }
    if (own.insecure_skip_verify && section.written("ca_file")) {
      section.problem("insecure_skip_verify",
                      "with it ca_file is not looked at; expected one of the two");
    }
    tls = std::move(own);
  });
}

void read_credentials(YamlMapping& mapping, Endpoint& endpoint) {
  const Key key{.name = "basic_auth", .description = "User name and password", .shared = true};
  const bool basic = mapping.mapping(key, [&](YamlMapping& section) {
    endpoint.username =
        read_text(section, {.name = "username", .description = "User name", .required = true})
            .value_or("");
    if (endpoint.username.contains(':')) {
      section.problem("username", "expected a user name without a colon");
    }
    endpoint.password = read_secret(section, "password", "Password");
    if (!section.describing() && !section.written("password") &&
        !section.written("password_file")) {
      section.problem(section.place(), "no password; expected password_file or password");
    }
  });
  endpoint.bearer_token =
      read_secret(mapping, "bearer_token", "Token sent as `Authorization: Bearer`");
  for (const std::string_view token : {"bearer_token", "bearer_token_file"}) {
    if (basic && mapping.written(token)) {
      mapping.problem(
          token,
          fmt::format("written beside basic_auth; expected one of basic_auth and {}", token));
    }
  }
}

void read_timing(YamlMapping& mapping, CommonConfig& config) {
  const std::string default_interval = written_duration(config.interval);
  const std::string default_timeout = written_duration(config.timeout);
  const Key interval{.name = "interval",
                     .description = "Time from one poll to the next",
                     .fallback = default_interval};
  const Key timeout{.name = "timeout",
                    .description = "Time that one poll may take; shorter than `interval`",
                    .fallback = default_timeout};
  config.interval = read_duration(mapping, interval).value_or(config.interval);
  config.timeout = read_duration(mapping, timeout).value_or(config.timeout);
  if (config.timeout < config.interval || mapping.describing()) return;
  const bool timeout_written = mapping.written("timeout");
  mapping.problem(
      timeout_written ? "timeout" : "interval",
      fmt::format("expected a timeout shorter than the interval, got a timeout of {}{} and an "
                  "interval of {}{}",
                  written_duration(config.timeout), timeout_written ? "" : " (the default)",
                  written_duration(config.interval),
                  mapping.written("interval") ? "" : " (the default)"));
}

}  // namespace shortcircuit
