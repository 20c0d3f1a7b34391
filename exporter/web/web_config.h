// The file of `--web.config.file`, in the format that Prometheus exporters share
// (prometheus/exporter-toolkit, docs/web-configuration.md). Read strictly, all problems at once.
//
// `tls_server_config` is refused: the linked civetweb cannot do TLS (Debian 12's ends the process
// at its first handshake), so a proxy has to; deploy/tls/ has tested ones.
// Messages never quote a hash.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/time.h"
#include "config/problem.h"

namespace shortcircuit {

struct WebConfig {
  std::vector<std::pair<std::string, std::string>> users;    // name, bcrypt hash; empty = everybody
  std::vector<std::pair<std::string, std::string>> headers;  // for every answer
  Duration request_interval{};                               // 0 = as many as come
  int request_burst = 0;
};

std::expected<WebConfig, std::vector<ConfigProblem>> parse_web_config(std::string_view text,
                                                                      const std::string& file);

}  // namespace shortcircuit
