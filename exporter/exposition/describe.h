// Everything on /metrics, in one call; and the list of every family there can be.
#pragma once

#include <string>
#include <vector>

#include "checks/judgement.h"
#include "exposition/metric_set.h"
#include "exposition/self_metrics.h"

namespace shortcircuit {

MetricSet describe_all(const Fleet& fleet, const Judgement& judgement, const ReloadState& reload);

// Sorted by name.
std::vector<const MetricDefinition*> all_metric_definitions();
// exporter/METRICS.md, which a test compares with the file.
std::string metrics_reference();

}  // namespace shortcircuit
