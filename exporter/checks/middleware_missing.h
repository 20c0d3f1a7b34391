// What middleware_missing tells of one moment, for checks that explain routes: a check of its own
// compares two moments (before.h) and would ask for itself again.
#pragma once

#include "checks/finding.h"
#include "fleet/fleet.h"

namespace shortcircuit {

// What Traefik and Kubernetes say of middlewares together, as if both were asked at once.
Verdict middlewares_at_once(const Fleet& fleet);

}  // namespace shortcircuit
