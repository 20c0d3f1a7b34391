// Everything the exporter knows at one moment. Immutable once made; checks, metrics and pages look
// only at it (and at the configuration), so they are pure functions.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "fleet/observed.h"
#include "sources/every_state.h"

namespace shortcircuit {

// What outlives a poll beyond the few minutes that Observed::earlier keeps. Bounded.
struct Memory {
  // Webhook configurations (`kind/name`) that existed, with the time they were last seen;
  // forgotten after a day.
  std::map<std::string, Time> webhooks_last_seen;
};

struct Snapshot {
  std::uint64_t number = 0;
  Time time;      // by which ages and expiries are judged; the recorded one in a replay
  Memory memory;  // before this snapshot
#define SHORTCIRCUIT_SOURCE(name) std::vector<Observed<name::State>> name;
#include "sources/sources.def"
#undef SHORTCIRCUIT_SOURCE
};

// The memory for the next snapshot.
Memory remember(const Snapshot& snapshot);

}  // namespace shortcircuit
