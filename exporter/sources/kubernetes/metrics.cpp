#include <array>

#include "sources/kubernetes/source.h"

namespace shortcircuit::kubernetes {
namespace {

const std::array definitions{
    MetricDefinition{"shortcircuit_kubernetes_node_ready",
                     MetricKind::gauge,
                     "1 while the node's condition Ready is True, 0 while it is False or Unknown.",
                     {"node_name"}},
};

}  // namespace

void describe(const std::vector<Observed<State>>& targets, MetricSet& metrics) {
  const State* state = state_of(targets);
  if (state == nullptr) return;
  for (const Node& node : state->nodes.items) {
    metrics.add(definitions[0], {node.name}, node.ready.value_or(false) ? 1 : 0);
  }
}

std::span<const MetricDefinition> metric_definitions() { return definitions; }

}  // namespace shortcircuit::kubernetes
