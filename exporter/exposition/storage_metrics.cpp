#include "exposition/storage_metrics.h"

#include <array>
#include <set>

#include "fleet/replication.h"

namespace shortcircuit {
namespace {

const std::array<MetricDefinition, 1> definitions{{
    {"shortcircuit_linstor_replication_network",
     MetricKind::gauge,
     "Always 1: the network of the address with which a node takes part in the replication of a "
     "resource with its peer.",
     {"resource", "from", "peer", "network", "kind"}},
}};

}  // namespace

void describe_storage(const Fleet& fleet, MetricSet& metrics) {
  const auto* storage = state_of(fleet.snapshot.linstor);
  if (storage == nullptr) return;
  std::set<std::vector<std::string>> seen;  // several paths may lie in one network
  const auto add = [&](const std::string& resource, const ReplicationEnd& end,
                       const ReplicationEnd& peer) {
    const auto address = end.ip();
    if (!address) return;
    const Network& network = fleet.networks.of(*address);
    std::vector<std::string> labels{
        resource, end.node, peer.node, network.name,
        std::string(network_kind_names[static_cast<std::size_t>(network.kind)])};
    if (seen.insert(labels).second) metrics.add(definitions[0], std::move(labels), 1);
  };
  for (const ReplicationPair& pair : replication_of(*storage).pairs) {
    for (const ReplicationPath& path : pair.paths) {
      add(pair.resource, path.a, path.b);
      add(pair.resource, path.b, path.a);
    }
  }
}

std::span<const MetricDefinition> storage_metric_definitions() { return definitions; }

}  // namespace shortcircuit
