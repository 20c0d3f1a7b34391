// What middleware_missing tells of one moment, for checks that explain routes: a check of its own
// compares two moments (before.h) and would ask for itself again.
#pragma once

#include "checks/finding.h"
#include "fleet/fleet.h"

namespace shortcircuit {

// The kind of object that a route's middleware is, as findings call it: a Middleware and a
// MiddlewareTCP of one name are two things.
std::string_view kind_of(const RouteMiddleware& middleware);

// What Traefik and Kubernetes say of middlewares together, as if both were asked at once.
Verdict middlewares_at_once(const Fleet& fleet);

}  // namespace shortcircuit
