// Traefik itself, through which every public request goes: its Services and their pods.
#pragma once

#include <string>
#include <vector>

#include "fleet/fleet.h"

namespace shortcircuit {

// Whether requests that reached the cluster can reach Traefik at all, whatever address they came
// to.
struct WayIn {
  enum class Status { open, closed, unknown };
  Status status = Status::open;
  std::string why;  // for unknown: a sentence's half
  // For closed: Traefik's Services, none of which has a ready pod.
  std::vector<kubernetes::ObjectName> services;
};

// Open also where it is not judged: without routes, and where Services or endpoints cannot be read,
// which others say.
WayIn judge_way_in(const Fleet& fleet);

// Only where it is certain: what keeps its endpoints by hand is judged elsewhere.
bool has_no_ready_pod(const Fleet& fleet, const kubernetes::Service& service);

}  // namespace shortcircuit
