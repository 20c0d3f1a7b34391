// The finalized configuration of one etcd member. Made by config/load only.
#pragma once

#include "sources/common_config.h"

namespace shortcircuit::etcd {

// `target` is the member's name. `endpoint.url` is the full API; with `metrics_url` alone (K3s)
// only metrics are read, and health if the same port has it.
struct Config : CommonConfig {
  std::string metrics_url;  // "" = <url>/metrics
  [[nodiscard]] bool metrics_only() const { return endpoint.url.empty(); }
};

}  // namespace shortcircuit::etcd
