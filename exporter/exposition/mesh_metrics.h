// Metrics of the mesh that take more than one source: what the paths run over and how many tunnels
// a packet wears.
#pragma once

#include <span>

#include "exposition/metric_set.h"
#include "fleet/fleet.h"

namespace shortcircuit {

void describe_mesh(const Fleet& fleet, MetricSet& metrics);
std::span<const MetricDefinition> mesh_metric_definitions();

}  // namespace shortcircuit
