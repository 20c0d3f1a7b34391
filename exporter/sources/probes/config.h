// The finalized configuration of one active probe. Made by config/load only.
#pragma once

#include <vector>

#include "base/address.h"
#include "sources/common_config.h"

namespace shortcircuit::probes {

// `target` is the probe's name, `endpoint.url` what it asks for. The target `routes`
// (`expect.probe_routes`) has no URL: it asks for every public host through each entry address.
struct Config : CommonConfig {
  std::string proxy;                       // http://, https:// or socks5:// URL; "" = none
  Duration stall_timeout = 5s;             // bytes arrived, then none for so long: stalled
  std::vector<IpAddress> entry_addresses;  // of the target `routes`
  [[nodiscard]] bool probes_routes() const { return endpoint.url.empty(); }
};

}  // namespace shortcircuit::probes
