#include "sources/tailscale/state.h"

namespace shortcircuit::tailscale {

PathClass Peer::path_class() const {
  if (!online) return PathClass::offline;
  if (!active) return PathClass::idle;
  if (!current_endpoint.empty()) return PathClass::direct;
  if (!peer_relay.empty()) return PathClass::peer_relay;
  return PathClass::derp;
}

std::optional<IpAddress> Peer::underlay_address() const {
  if (path_class() != PathClass::direct) return std::nullopt;
  return address_of_endpoint(current_endpoint);
}

}  // namespace shortcircuit::tailscale
