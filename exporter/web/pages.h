// Which path answers what: the handler of the server, made of the newest publication and two
// actions of the application. Tested without sockets.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "web/server.h"

namespace shortcircuit {

// What the pages need to know; filled by the application. Any thread may call the functions.
struct PageSources {
  // Nothing before the first snapshot.
  std::function<std::shared_ptr<const std::string>()> metrics_text;
  std::function<std::shared_ptr<const std::string>()> metrics_gzip;
  std::function<std::string()> status_page;
  std::function<std::string()> findings_json;
  std::function<std::string()> redacted_config;
  std::function<Result<void>()> reload;
  std::string telemetry_path = "/metrics";
};

WebHandler make_pages(PageSources sources);

}  // namespace shortcircuit
