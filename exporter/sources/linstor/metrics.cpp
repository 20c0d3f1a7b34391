#include <algorithm>

#include "sources/linstor/source.h"

namespace shortcircuit::linstor {
namespace {

const MetricDefinition definitions[] = {
    {"shortcircuit_linstor_node_online",
     MetricKind::gauge,
     "1 when the controller is connected to the node's satellite.",
     {"node_name"}},
    {"shortcircuit_linstor_resource_up_to_date",
     MetricKind::gauge,
     "1 when every volume of the replica on that node is UpToDate. Only replicas with a disk whose "
     "state is known.",
     {"resource", "node_name"}},
    {"shortcircuit_linstor_storage_pool_free_bytes",
     MetricKind::gauge,
     "Free space of the storage pool. Absent when the controller does not know it.",
     {"pool", "node_name"}},
    {"shortcircuit_linstor_storage_pool_capacity_bytes",
     MetricKind::gauge,
     "Size of the storage pool. Absent when the controller does not know it.",
     {"pool", "node_name"}},
    {"shortcircuit_linstor_error_reports",
     MetricKind::gauge,
     "Error reports that the controller holds, at most 10000.",
     {}},
};
const auto& node_online = definitions[0];
const auto& resource_up_to_date = definitions[1];
const auto& pool_free = definitions[2];
const auto& pool_capacity = definitions[3];
const auto& error_reports = definitions[4];

void describe_resource(const Resource& resource, MetricSet& metrics) {
  if (resource.diskless() || resource.leaving() || resource.volumes.empty()) return;
  const bool known =
      std::all_of(resource.volumes.begin(), resource.volumes.end(),
                  [](const Volume& volume) { return volume.disk_state.has_value(); });
  if (!known) return;
  const bool good =
      std::all_of(resource.volumes.begin(), resource.volumes.end(),
                  [](const Volume& volume) { return volume.disk_state == "UpToDate"; });
  metrics.add(resource_up_to_date, {resource.name, resource.node}, good ? 1 : 0);
}

}  // namespace

std::span<const MetricDefinition> metric_definitions() { return definitions; }

void describe(const std::vector<Observed<State>>& targets, MetricSet& metrics) {
  const State* state = state_of(targets);
  if (state == nullptr) return;
  for (const auto& node : state->nodes) {
    if (node.type != "SATELLITE" && node.type != "COMBINED") continue;
    metrics.add(node_online, {node.name}, node.connection_status == "ONLINE" ? 1 : 0);
  }
  if (state->resources) {
    for (const auto& resource : *state->resources) describe_resource(resource, metrics);
  }
  if (state->storage_pools) {
    for (const auto& pool : *state->storage_pools) {
      if (pool.free_bytes) metrics.add(pool_free, {pool.name, pool.node}, *pool.free_bytes);
      if (pool.total_bytes) metrics.add(pool_capacity, {pool.name, pool.node}, *pool.total_bytes);
    }
  }
  if (state->error_reports) {
    metrics.add(error_reports, static_cast<double>(*state->error_reports));
  }
}

}  // namespace shortcircuit::linstor
