// What the checks of LINSTOR share: the words for what could not be read. Pure functions.
#pragma once

#include <string>
#include <vector>

#include "fleet/replication.h"
#include "fleet/snapshot.h"

namespace shortcircuit {

// `LINSTOR: why`, when its state is unknown.
std::string linstor_unknown(const Snapshot& snapshot);

// A satellite that is neither online nor expected to be (evicted, being removed) is reported by
// satellite_offline; what it cannot say is not reported again.
bool satellite_is_online(const linstor::State& state, const std::string& node);

// The controller has just started: no satellite is connected yet and nothing has a state.
bool controller_just_started(const linstor::State& state);

// Resources that a pair of nodes replicates, and one way that stands for all.
struct JudgedPair {
  std::vector<std::string> resources;
  ReplicationRoute route;
  bool follows_missing_interface =
      false;  // an end is there because its preferred interface is gone
};
// By `a → b`, a < b: pairs that `route_of` finds retired or in a tunnel.
std::vector<std::pair<std::string, JudgedPair>> judged_pairs(const Replication& replication,
                                                             const Networks& networks,
                                                             bool retired);

}  // namespace shortcircuit
