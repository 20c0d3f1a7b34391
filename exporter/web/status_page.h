// The status page `/` for people: one look shows every layer, each route with its whole chain,
// every finding with its cure, the mesh, etcd, storage, load-bearing networks and the sources.
//
// Plain HTML with its style inside: no script, no external request. A pure function; any thread.
// Never more than about 2 MB: long lists are cut (what is broken comes first) and say so.
#pragma once

#include <optional>
#include <string>

#include "checks/judgement.h"
#include "exposition/self_metrics.h"
#include "fleet/fleet.h"

namespace shortcircuit {

struct StatusPageContext {
  std::string version;
  std::string revision;
  int refresh_seconds = 15;  // the page asks for itself again; 0 = never
  ReloadState reload;
  std::string telemetry_path = "/metrics";
  std::optional<Time> now;  // the wall clock, to say so when the newest snapshot is old
  std::string replayed;     // the recording that is played, whose time is another; empty: live
};

std::string status_page(const Fleet& fleet, const Judgement& judgement,
                        const StatusPageContext& context);

}  // namespace shortcircuit
