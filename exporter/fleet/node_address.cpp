#include "fleet/node_address.h"

#include <algorithm>

namespace shortcircuit {

std::optional<bool> mesh_reaches(const Fleet& fleet, const Mesh& mesh, const kubernetes::Node& node,
                                 const IpAddress& address) {
  const auto is_it = [&](std::string_view name, const std::vector<IpAddress>& addresses) {
    return std::ranges::find(addresses, address) != addresses.end() &&
           (name == node.name || mesh.cluster_node(name, addresses) == &node);
  };
  bool own_word = false;
  for (const TailscaleView& view : fleet.snapshot.tailscale) {
    if (!view.state || !is_it(view.target, view.state->self_addresses)) continue;
    if (view.state->backend_state != "Running" || view.state->self_expired) return false;
    own_word = true;
  }
  if (const auto* control = fleet.headscale()) {
    for (const headscale::Node& entry : control->nodes) {
      if (is_it(entry.given_name, entry.addresses) || is_it(entry.host_name, entry.addresses))
        return !entry.away(fleet.snapshot.time);
    }
  }
  if (own_word) return true;
  if (mesh.unknown_headscale()) return std::nullopt;
  if (!fleet.snapshot.headscale.empty()) return false;
  for (const TailscaleView& view : fleet.snapshot.tailscale) {
    if (!view.state) continue;
    for (const tailscale::Peer& peer : view.state->peers) {
      if (is_it(peer.name, peer.addresses)) return peer.online && !peer.expired;
    }
  }
  return mesh.unknown_views().empty() ? std::optional(false) : std::nullopt;
}

}  // namespace shortcircuit
