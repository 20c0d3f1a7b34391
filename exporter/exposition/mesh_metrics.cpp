#include "exposition/mesh_metrics.h"

#include <array>

#include "fleet/mesh.h"

namespace shortcircuit {
namespace {

enum Metric : std::size_t { peer_underlay, peer_encapsulations };

const std::array<MetricDefinition, 2> definitions{{
    {"shortcircuit_tailscale_peer_underlay",
     MetricKind::gauge,
     "1 for the network that the direct path to the peer runs over.",
     {"from", "peer", "network", "kind"}},
    {"shortcircuit_tailscale_peer_encapsulations",
     MetricKind::gauge,
     "Tunnels that a packet between the two nodes wears on a direct path: WireGuard, one more when "
     "the pod network rides on the tailnet, one more when the path itself runs over an overlay.",
     {"from", "peer"}},
}};

// The address to which other nodes send a node's pod traffic: flannel's, else the node's own.
std::optional<IpAddress> pod_traffic_address(const kubernetes::Node& node) {
  std::optional<IpAddress> found;
  for (const auto& [annotation, text] : node.flannel_addresses) {
    const auto address = IpAddress::parse(text);
    if (address && (!found || annotation.ends_with("/public-ip-overwrite"))) found = address;
  }
  if (!found && !node.internal_addresses.empty() && !node.pod_cidrs.empty()) {
    found = node.internal_addresses.front();
  }
  return found;
}

// Does pod traffic between these two nodes run inside the tailnet?
bool pods_ride(const Mesh& mesh, const DirectPath& path) {
  const auto rides = [&](const kubernetes::Node* node) {
    const auto address = node == nullptr ? std::nullopt : pod_traffic_address(*node);
    return address && mesh.is_mesh_address(*address);
  };
  return rides(mesh.cluster_node(path.view->target, path.view->state->self_addresses)) &&
         rides(mesh.cluster_node(path.peer->name, path.peer->addresses));
}

}  // namespace

void describe_mesh(const Fleet& fleet, MetricSet& metrics) {
  const Mesh mesh(fleet);
  // Then nobody knows whose pods ride on the tailnet, and a smaller number would be a wrong one.
  const bool countable = !mesh.unknown_cluster_nodes();
  for (const DirectPath& path : mesh.direct_paths()) {
    const std::string& from = path.view->target;
    metrics.add(definitions[peer_underlay],
                {from, path.peer->name, path.network->name,
                 std::string(network_kind_names[static_cast<std::size_t>(path.network->kind)])},
                1);
    if (!countable) continue;
    // A relayed or idle path has no underlay that is known: no series.
    const int tunnels = 1 + (pods_ride(mesh, path) ? 1 : 0) + (path.tunnel ? 1 : 0);
    metrics.add(definitions[peer_encapsulations], {from, path.peer->name}, tunnels);
  }
}

std::span<const MetricDefinition> mesh_metric_definitions() { return definitions; }

}  // namespace shortcircuit
