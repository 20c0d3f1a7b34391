#include "fleet/node_address.h"

#include <algorithm>

namespace shortcircuit {
namespace {

bool contains(const std::vector<IpAddress>& addresses, const IpAddress& address) {
  return std::ranges::find(addresses, address) != addresses.end();
}

// Does a node that is connected say that the address is in use, by itself or by a peer?
bool seen_in_use(const Fleet& fleet, const IpAddress& address) {
  return std::ranges::any_of(fleet.snapshot.tailscale, [&](const TailscaleView& view) {
    if (!view.state || view.state->backend_state != "Running") return false;
    return contains(view.state->self_addresses, address) ||
           std::ranges::any_of(view.state->peers, [&](const tailscale::Peer& peer) {
             return peer.online && contains(peer.addresses, address);
           });
  });
}

// The user may name a tailnet that is not this one.
bool holds_this_mesh(const Fleet& fleet, const Network& network) {
  const auto lies_there = [&](const IpAddress& address) {
    return &fleet.networks.of(address) == &network;
  };
  if (!network.configured) return true;
  if (const auto* control = fleet.headscale()) {
    return std::ranges::any_of(control->nodes, [&](const headscale::Node& entry) {
      return std::ranges::any_of(entry.addresses, lies_there);
    });
  }
  return std::ranges::any_of(fleet.snapshot.tailscale, [&](const TailscaleView& view) {
    return view.state && std::ranges::any_of(view.state->self_addresses, lies_there);
  });
}

std::optional<IpAddress> of_family(const std::vector<IpAddress>& addresses, bool v4) {
  const auto found = std::ranges::find(addresses, v4, &IpAddress::is_v4);
  return found == addresses.end() ? std::nullopt : std::optional(*found);
}

// By the node's own tailscaled.
std::optional<IpAddress> own_address(const Mesh& mesh, const kubernetes::Node& node, bool v4) {
  const tailscale::State* own = mesh.own_word(node.name);
  if (own == nullptr || own->backend_state != "Running") return std::nullopt;
  return of_family(own->self_addresses, v4);
}

}  // namespace

std::optional<bool> mesh_reaches(const Fleet& fleet, const Mesh& mesh, const kubernetes::Node& node,
                                 const IpAddress& address) {
  const auto is_it = [&](std::string_view name, const std::vector<IpAddress>& addresses) {
    return contains(addresses, address) &&
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

const headscale::Node* successor(const Fleet& fleet, const Mesh& mesh, const headscale::Node& old) {
  const auto* control = fleet.headscale();
  if (control == nullptr || old.online || !old.online_known || old.host_name.empty())
    return nullptr;
  const auto found = std::ranges::find_if(control->nodes, [&](const headscale::Node& other) {
    return other.online && other.online_known && other.host_name == old.host_name &&
           mesh.cluster_node("", other.addresses) == nullptr;
  });
  return found == control->nodes.end() ? nullptr : &*found;
}

InternalAddress internal_address(const Fleet& fleet, const Mesh& mesh, const kubernetes::Node& node,
                                 const IpAddress& address) {
  const Network& network = fleet.networks.of(address);
  if (network.kind != NetworkKind::tailnet) return InternalAddress::fine;
  const auto* control = fleet.headscale();
  if (control != nullptr) {
    bool left_behind = false;
    for (const headscale::Node& entry : control->nodes) {
      if (!contains(entry.addresses, address)) continue;
      if (successor(fleet, mesh, entry) == nullptr) return InternalAddress::fine;
      left_behind = true;
    }
    if (left_behind) return InternalAddress::lost;
  }
  if (seen_in_use(fleet, address)) return InternalAddress::fine;
  if (mesh.unknown_headscale()) return InternalAddress::unknown;
  if (!holds_this_mesh(fleet, network)) return InternalAddress::fine;
  // Without Headscale nobody sees all: peers may be hidden from each other.
  const bool certain = control != nullptr || own_address(mesh, node, address.is_v4()).has_value();
  return certain ? InternalAddress::lost : InternalAddress::unknown;
}

std::optional<IpAddress> present_address(const Fleet& fleet, const Mesh& mesh,
                                         const kubernetes::Node& node, const IpAddress& lost) {
  if (const auto own = own_address(mesh, node, lost.is_v4())) return own;
  const auto* control = fleet.headscale();
  if (control == nullptr) return std::nullopt;
  std::optional<IpAddress> found;
  for (const headscale::Node& entry : control->nodes) {
    const bool named = entry.given_name == node.name || entry.host_name == node.name;
    if (!named || !entry.online || mesh.cluster_node("", entry.addresses) != nullptr) continue;
    if (found) return std::nullopt;  // several machines have the name
    found = of_family(entry.addresses, lost.is_v4());
  }
  return found;
}

}  // namespace shortcircuit
