// The part of backend_missing that Traefik alone can tell: routes that are dead although every
// object they name is in order.
#pragma once

#include "checks/finding.h"
#include "fleet/fleet.h"

namespace shortcircuit {

// Adds findings of reason router_error. To be asked only when Traefik and every kind of object that
// a route can name are known.
void judge_routers(const Fleet& fleet, Verdict& verdict);

}  // namespace shortcircuit
