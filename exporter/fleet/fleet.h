// The world as the checks see it: one snapshot, the configuration, and what is derived from both
// once (networks, routes) instead of in every check. Borrows config and snapshot.
#pragma once

#include "config/config.h"
#include "fleet/networks.h"
#include "fleet/routes.h"
#include "fleet/snapshot.h"

namespace shortcircuit {

struct Fleet {
  Fleet(const Config& config_, const Snapshot& snapshot_)
      : config(config_), snapshot(snapshot_), networks(config_, snapshot_), routes(routes_of(snapshot_)) {}

  const Config& config;
  const Snapshot& snapshot;
  Networks networks;
  std::vector<Route> routes;
};

}  // namespace shortcircuit
