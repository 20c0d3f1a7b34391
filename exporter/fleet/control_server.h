// The control server that the fleet's nodes should obey: one answer for the check that looks for
// nodes which obey another, and for every cure that logs a node in. A wrong one would send a node
// back to where the fleet comes from. Pure.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "fleet/fleet.h"

namespace shortcircuit {

struct ControlServer {
  std::string host;  // in lower case; "" = cannot be said
  std::string url;   // as a node can use it; "" = cannot be said
};

// The expected one; the configured Headscale when a node uses it, or when nothing says that it has
// another name; else the one that most nodes use.
ControlServer control_server_of(const Fleet& fleet);

// Nodes whose tailscaled told its control server, by the server's host.
std::map<std::string, std::vector<const Observed<tailscale::State>*>> views_by_control_server(
    const Fleet& fleet);

}  // namespace shortcircuit
