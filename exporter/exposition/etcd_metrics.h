// Metrics of etcd that take more than one target or more than one source.
#pragma once

#include <span>

#include "exposition/metric_set.h"
#include "fleet/fleet.h"

namespace shortcircuit {

void describe_etcd(const Fleet& fleet, MetricSet& metrics);
std::span<const MetricDefinition> etcd_metric_definitions();

}  // namespace shortcircuit
