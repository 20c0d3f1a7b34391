// The world as the checks see it: one snapshot, the configuration, and what is derived from both
// once (networks, routes) instead of in every check. Borrows config and snapshot.
#pragma once

#include "config/config.h"
#include "fleet/endpoints.h"
#include "fleet/networks.h"
#include "fleet/router_states.h"
#include "fleet/routes.h"
#include "fleet/snapshot.h"

namespace shortcircuit {

struct Fleet {
  Fleet(const Config& config_, const Snapshot& snapshot_)
      : config(config_),
        snapshot(snapshot_),
        networks(config_, snapshot_),
        routes(routes_of(snapshot_)),
        router_states(state_of(snapshot_.traefik)),
        endpoints(state_of(snapshot_.kubernetes)) {}
  Fleet(const Fleet&) = delete;
  Fleet& operator=(const Fleet&) = delete;

  // Null: off or unknown.
  [[nodiscard]] const kubernetes::State* cluster() const { return state_of(snapshot.kubernetes); }
  [[nodiscard]] const traefik::State* traefik() const { return state_of(snapshot.traefik); }
  [[nodiscard]] const headscale::State* headscale() const { return state_of(snapshot.headscale); }

  const Config& config;
  const Snapshot& snapshot;
  Networks networks;
  std::vector<Route> routes;
  RouterStates router_states;
  EndpointIndex endpoints;
};

}  // namespace shortcircuit
