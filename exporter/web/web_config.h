// The file of `--web.config.file`, in the format that Prometheus exporters share
// (prometheus/exporter-toolkit, docs/web-configuration.md). Read strictly, all problems at once.
//
// Messages never quote a hash.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/time.h"
#include "config/problem.h"
#include "web/tls_server_settings.h"

namespace shortcircuit {

struct WebConfig {
  std::optional<TlsServerSettings> tls;                      // nothing = plain HTTP
  std::vector<std::pair<std::string, std::string>> users;    // name, bcrypt hash; empty = everybody
  std::vector<std::pair<std::string, std::string>> headers;  // for every answer
  Duration request_interval{};                               // 0 = as many as come
  int request_burst = 0;
};

std::expected<WebConfig, std::vector<ConfigProblem>> parse_web_config(std::string_view text,
                                                                      const std::string& file);

}  // namespace shortcircuit
