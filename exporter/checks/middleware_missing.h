// What middleware_missing tells of one moment, for checks that explain routes: a check of its own
// compares two moments (before.h) and would ask for itself again.
#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "checks/finding.h"
#include "fleet/fleet.h"

namespace shortcircuit {

// The kind of object that a route's middleware is, as findings call it: a Middleware and a
// MiddlewareTCP of one name are two things.
std::string_view kind_of(const RouteMiddleware& middleware);

// What Traefik and Kubernetes say of middlewares together, as if both were asked at once.
Verdict middlewares_at_once(const Fleet& fleet);

// What the errors of routers say of middlewares, by the names that findings of middleware_missing
// have as objects. An entry point adds middlewares that no route names. Borrows the fleet.
class RefusedMiddlewares {
 public:
  explicit RefusedMiddlewares(const Fleet& fleet);

  [[nodiscard]] std::vector<std::string> of(const traefik::Router& router) const;
  [[nodiscard]] std::vector<std::string> of(const Route& route) const;  // of all its routers

 private:
  const Fleet& fleet_;
  std::unordered_map<std::string, std::string> objects_;  // by the name in routers' errors
};

}  // namespace shortcircuit
