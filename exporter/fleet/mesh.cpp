#include "fleet/mesh.h"

#include <fmt/format.h>

#include <algorithm>

namespace shortcircuit {
namespace {

std::string why_unknown(const TargetHealth& health) {
  return health.last_error ? std::string(name_of(health.last_error->failure)) : "not read yet";
}

}  // namespace

Mesh::Mesh(const Fleet& fleet) : fleet_(fleet) {
  const auto keep = [&](const std::vector<IpAddress>& addresses) {
    addresses_.insert(addresses.begin(), addresses.end());
  };
  if (const auto* control = state_of(fleet.snapshot.headscale)) {
    for (const headscale::Node& node : control->nodes) keep(node.addresses);
  }
  for (const TailscaleView& view : fleet.snapshot.tailscale) {
    if (!view.state) continue;
    keep(view.state->self_addresses);
    for (const tailscale::Peer& peer : view.state->peers) keep(peer.addresses);
  }
  for (const TailscaleView& view : fleet.snapshot.tailscale) views_.try_emplace(view.target, &view);
  const auto& peers = fleet.config.expect.peers;
  expected_peers_.insert(peers.begin(), peers.end());
  index_cluster_nodes();
}

void Mesh::index_cluster_nodes() {
  const auto* cluster = state_of(fleet_.snapshot.kubernetes);
  if (cluster == nullptr) return;
  std::size_t place = 0;
  for (const kubernetes::Node& node : cluster->nodes.items) {
    bool in_mesh = false;
    for (const auto* list : {&node.internal_addresses, &node.external_addresses}) {
      for (const IpAddress& address : *list) {
        nodes_by_address_.try_emplace(address, place, &node);
        in_mesh = in_mesh || is_mesh_address(address);
      }
    }
    nodes_by_name_[node.name].push_back({&node, in_mesh});
    ++place;
  }
}

bool Mesh::is_mesh_address(const IpAddress& address) const { return addresses_.contains(address); }

DirectPath Mesh::path(const TailscaleView& view, const tailscale::Peer& peer,
                      const IpAddress& underlay) const {
  DirectPath path{.view = &view, .peer = &peer, .underlay = underlay};
  path.network = &fleet_.networks.of(underlay);
  const NetworkKind kind = path.network->kind;
  path.tunnel =
      kind == NetworkKind::overlay || kind == NetworkKind::tailnet || is_mesh_address(underlay);
  // A pod address of a node of the cluster is its end of the pod network, which wraps packets too.
  // A peer that is itself a pod is rightly reached there.
  if (kind == NetworkKind::pods && cluster_node(peer.name, peer.addresses) != nullptr) {
    path.tunnel = true;
  }
  if (path.network->retired) {
    path.nesting = Nesting::retired_network;
  } else if (path.tunnel) {
    path.nesting = Nesting::overlay;
  }
  return path;
}

std::vector<DirectPath> Mesh::direct_paths() const {
  std::vector<DirectPath> paths;
  for (const TailscaleView& view : fleet_.snapshot.tailscale) {
    if (!view.state) continue;
    for (const tailscale::Peer& peer : view.state->peers) {
      if (const auto underlay = peer.underlay_address())
        paths.push_back(path(view, peer, *underlay));
    }
  }
  return paths;
}

const kubernetes::Node* Mesh::cluster_node(std::string_view name,
                                           const std::vector<IpAddress>& addresses) const {
  const PlacedNode* first = nullptr;
  for (const IpAddress& address : addresses) {
    const auto node = nodes_by_address_.find(address);
    if (node != nodes_by_address_.end() && (first == nullptr || node->second < *first))
      first = &node->second;
  }
  if (first != nullptr) return first->second;
  const kubernetes::Node* found = nullptr;
  const auto named = nodes_by_name_.find(name);
  if (named == nodes_by_name_.end()) return nullptr;
  // A node that registered anew leaves an old entry with its name behind: the address decides.
  for (const NamedNode& candidate : named->second) {
    if (addresses.empty() || !candidate.in_mesh) found = candidate.node;
  }
  return found;
}

bool Mesh::expected(std::string_view name, const std::vector<IpAddress>& addresses) const {
  return expected_peers_.contains(name) || cluster_node(name, addresses) != nullptr;
}

bool Mesh::registered_anew(const headscale::Node& old) const {
  const auto* control = fleet_.headscale();
  if (control == nullptr || old.online || !old.online_known || old.host_name.empty() ||
      expected_peers_.contains(old.given_name) || cluster_node("", old.addresses) != nullptr)
    return false;
  return std::ranges::any_of(control->nodes, [&](const headscale::Node& other) {
    return other.online && other.host_name == old.host_name;
  });
}

bool Mesh::matters(std::string_view name, const std::vector<IpAddress>& addresses) const {
  return views_.contains(name) || expected(name, addresses);
}

const tailscale::State* Mesh::own_word(std::string_view name) const {
  const auto view = views_.find(name);
  return view == views_.end() ? nullptr : view->second->state.get();
}

std::vector<std::string> Mesh::unknown_views() const {
  std::vector<std::string> unknown;
  for (const TailscaleView& view : fleet_.snapshot.tailscale) {
    if (!view.state) {
      unknown.push_back(fmt::format("tailscale {}: {}", view.target, why_unknown(view.health)));
    } else if (view.state->outdated) {
      unknown.push_back(fmt::format("tailscale {}: its status file was written {} ago", view.target,
                                    format_duration(*view.state->outdated)));
    }
  }
  return unknown;
}

std::optional<std::string> Mesh::unknown_headscale() const {
  const auto& targets = fleet_.snapshot.headscale;
  if (targets.empty() || targets.front().state) return std::nullopt;
  return fmt::format("headscale: {}", why_unknown(targets.front().health));
}

std::optional<std::string> Mesh::unknown_cluster_nodes() const {
  const auto& targets = fleet_.snapshot.kubernetes;
  if (targets.empty()) return std::nullopt;
  if (!targets.front().state) {
    return fmt::format("kubernetes nodes: {}", why_unknown(targets.front().health));
  }
  const auto& nodes = targets.front().state->nodes;
  if (nodes.known()) return std::nullopt;
  return fmt::format("kubernetes nodes: {}", name_of(nodes.error.failure));
}

}  // namespace shortcircuit
