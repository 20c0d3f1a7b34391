// Fleets that grow, put together from values: for each node ten Services, ten public routes, 25
// endpoints (pods behind half of the Services, hand-kept mesh addresses behind the others) and 25
// pods. One Service in ten names a port that nobody has, so that there is something to find.
#pragma once

#include <memory>

#include "config/config.h"
#include "fleet/snapshot.h"

namespace shortcircuit::bench {

struct SyntheticFleet {
  std::shared_ptr<const Config> config;
  Snapshot snapshot;
};

// `views`: how many of the nodes are asked for their paths; each sees all other nodes directly.
SyntheticFleet synthetic_fleet(int nodes, int views);

// The recorded night, first step: all layers broken at once, 20 nodes, six sources.
SyntheticFleet recorded_night();

}  // namespace shortcircuit::bench
