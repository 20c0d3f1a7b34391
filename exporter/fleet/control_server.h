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

// The expected one; the configured Headscale when a node uses it; the one name of it that nodes use
// which it sees connected; its own name when nodes can use that; else the one that most nodes use.
ControlServer control_server_of(const Fleet& fleet);

// Does the configured Headscale see this very node connected? Then the node obeys it, by whatever
// name.
bool connected_to_headscale(const Fleet& fleet, const Observed<tailscale::State>& view);

// Nodes whose tailscaled told its control server, by the server's host.
using ViewsByControlServer = std::map<std::string, std::vector<const Observed<tailscale::State>*>>;
ViewsByControlServer views_by_control_server(const Fleet& fleet);

}  // namespace shortcircuit
