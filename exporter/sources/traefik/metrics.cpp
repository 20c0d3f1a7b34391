#include <algorithm>
#include <array>

#include "sources/traefik/source.h"

namespace shortcircuit::traefik {
namespace {

const std::array definitions{
    MetricDefinition{"shortcircuit_traefik_routers",
                     MetricKind::gauge,
                     "HTTP routers of Traefik by status, without those of its own provider "
                     "internal.",
                     {"status"}},
    MetricDefinition{"shortcircuit_traefik_services",
                     MetricKind::gauge,
                     "HTTP services of Traefik by status, without those of its own provider "
                     "internal.",
                     {"status"}},
    MetricDefinition{"shortcircuit_traefik_middlewares",
                     MetricKind::gauge,
                     "HTTP middlewares of Traefik by status, without those of its own provider "
                     "internal.",
                     {"status"}},
    MetricDefinition{"shortcircuit_traefik_info",
                     MetricKind::gauge,
                     "Always 1; the label says which version of Traefik answers.",
                     {"version"}},
};

template <class Item>
void count(const MetricDefinition& definition, const SharedVector<Item>& items,
           MetricSet& metrics) {
  for (const std::string_view status : {"enabled", "warning", "disabled"}) {
    const auto of_status = std::count_if(items.begin(), items.end(), [&](const Item& item) {
      return item.provider != "internal" && item.status == status;
    });
    metrics.add(definition, {std::string(status)}, static_cast<double>(of_status));
  }
}

}  // namespace

void describe(const std::vector<Observed<State>>& targets, MetricSet& metrics) {
  const State* state = state_of(targets);
  if (state == nullptr) return;
  count(definitions[0], state->routers, metrics);
  count(definitions[1], state->services, metrics);
  count(definitions[2], state->middlewares, metrics);
  if (!state->version.empty()) metrics.add(definitions[3], {state->version}, 1);
}

std::span<const MetricDefinition> metric_definitions() { return definitions; }

}  // namespace shortcircuit::traefik
