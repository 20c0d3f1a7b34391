// Metrics of storage that take more than one target or more than one source.
#pragma once

#include <span>

#include "exposition/metric_set.h"
#include "fleet/fleet.h"

namespace shortcircuit {

void describe_storage(const Fleet& fleet, MetricSet& metrics);
std::span<const MetricDefinition> storage_metric_definitions();

}  // namespace shortcircuit
