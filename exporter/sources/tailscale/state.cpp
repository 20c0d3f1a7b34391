#include "sources/tailscale/state.h"

#include <algorithm>

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

const Peer* State::peer(std::string_view name) const {
  const auto found = std::lower_bound(
      peers.begin(), peers.end(), name,
      [](const Peer& peer, std::string_view wanted) { return peer.name < wanted; });
  return found != peers.end() && found->name == name ? &*found : nullptr;
}

}  // namespace shortcircuit::tailscale
