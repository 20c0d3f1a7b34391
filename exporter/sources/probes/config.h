// The finalized configuration of one active probe. Made by config/load only.
#pragma once

#include <vector>

#include "base/address.h"
#include "sources/common_config.h"

namespace shortcircuit::probes {

// `target` is the probe's name, `endpoint.url` what it asks for. The target `routes`
// (`expect.probe_routes`) has no URL: it asks for every public host through each entry address,
// or, where none is configured, through each address that DNS gives for that host.
struct Config : CommonConfig {
  std::string proxy;                       // http://, https:// or socks5:// URL; "" = none
  Duration stall_timeout = 5s;             // bytes arrived, then none for so long: stalled
  std::vector<IpAddress> entry_addresses;  // of the target `routes`
  [[nodiscard]] bool probes_routes() const { return endpoint.url.empty(); }
  [[nodiscard]] bool by_name() const { return probes_routes() && entry_addresses.empty(); }
  [[nodiscard]] Follows follows() const {
    if (!probes_routes()) return Follows::nothing;
    return by_name() ? Follows::names : Follows::routes;
  }
};

}  // namespace shortcircuit::probes
