// The public routes as the cluster's objects describe them: host and path → middlewares →
// Services → ports. A graph of names only; whether a link is broken is said by findings.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fleet/route_backend.h"
#include "fleet/snapshot.h"

namespace shortcircuit {

// A middleware as a route names it, chains resolved (the members follow their chain).
struct RouteMiddleware {
  std::string reference;  // as Traefik calls it: `ns-name@kubernetescrd`, `auth@file`
  std::optional<kubernetes::ObjectName> object;  // nothing for other providers
  bool tcp = false;                              // a MiddlewareTCP
  // As findings call it: the object, or the reference where there is none.
  [[nodiscard]] std::string name() const { return object ? object->text() : reference; }
};

struct Route {
  std::string host;  // "" = every host; may be a wildcard or a pattern as written
  std::string path;  // "/" when none is written
  std::string kind;  // Ingress, IngressRoute, IngressRouteTCP, IngressRouteUDP
  kubernetes::ObjectName object;
  std::string ingress_class;  // its class or the annotation's; "" = none
  std::string rule;           // what Traefik's router says for it (normalized), for matching
  std::vector<std::string> entry_points;  // empty = Traefik's defaults
  bool tls = false;                       // it, or one of its routers, is for https
  std::vector<RouteMiddleware> middlewares;
  std::vector<RouteBackend> backends;
  // References that lead nowhere: TraefikServices that do not exist, by `namespace/name`.
  std::vector<std::string> missing_traefik_services;
  std::optional<Time> created;
  // Indices into the Traefik state's routers: one, or a copy for each of several entry points.
  // Empty: no router carries it (or Traefik is unknown).
  std::vector<std::size_t> routers;
};

// A host that DNS can be asked for: no wildcard and no pattern.
bool is_plain_host(std::string_view host);

// Only routes that are Traefik's (see shared facts on ingress classes). Empty when Kubernetes is
// unknown.
std::vector<Route> routes_of(const Snapshot& snapshot);

// For sources that ask for what the routes name: all of them, or why they are not known, which must
// not look like a fleet without any. `snapshot` is null at the start. None where no Kubernetes is
// configured.
Result<std::vector<Route>> known_routes(const Snapshot* snapshot);

}  // namespace shortcircuit
