// The finalized configuration of one tailscaled. Made by config/load only.
#pragma once

#include "sources/common_config.h"

namespace shortcircuit::tailscale {

// `target` is the node's name, as it is called in the mesh. Either `endpoint.unix_socket` or
// `status_file` (output of `tailscale status --json`) is set.
struct Config : CommonConfig {
  std::string status_file;
  bool path_mtu = false;  // opt-in: pings with a size are sent to peers
  // Of the tunnel: tailscale's own unless TS_DEBUG_MTU says otherwise.
  int interface_mtu = 1280;
};

}  // namespace shortcircuit::tailscale
