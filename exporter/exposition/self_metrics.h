// What the exporter says about itself: build, configuration, sources, its process.
#pragma once

#include <optional>
#include <span>

#include "exposition/metric_set.h"
#include "fleet/snapshot.h"

namespace shortcircuit {

struct ReloadState {
  bool successful = true;
  std::optional<Time> last_success;
};

void describe_self(const Snapshot& snapshot, const ReloadState& reload, MetricSet& metrics);
// process_*, read from /proc now.
void describe_process(MetricSet& metrics);
// Last: which families hit the limit.
void describe_limits(MetricSet& metrics);
std::span<const MetricDefinition> self_metric_definitions();

}  // namespace shortcircuit
