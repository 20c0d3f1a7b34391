// Polls one traefik target. See sources/source.h for the contract.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "exposition/metric_set.h"
#include "fleet/observed.h"
#include "sources/source.h"
#include "sources/traefik/config.h"
#include "sources/traefik/state.h"

namespace shortcircuit::traefik {

class Source {
 public:
  explicit Source(Config config) : config_(std::move(config)) {}
  Result<State> poll(PollContext& context);

 private:
  Config config_;
  State last_;  // with which the next one shares what stays as it is
};

Result<std::string> reduce_for_recording(std::string_view answer, std::string_view body);
void describe(const std::vector<Observed<State>>& targets, MetricSet& metrics);
std::span<const MetricDefinition> metric_definitions();

}  // namespace shortcircuit::traefik
