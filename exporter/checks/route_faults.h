// What is wrong with one route as far as its own objects and its own router tell; for checks and
// the walk, which must tell causes apart that look alike from outside (three of them are a 404).
// Borrows the fleet.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "fleet/fleet.h"

namespace shortcircuit {

// Traefik needs a moment to load what was just created, and longer right after its own start.
inline constexpr auto loading_time = std::chrono::seconds(30);

enum class RouterState {
  unknown,  // Traefik is off, unread or just started, the route is new, or not of HTTP
  alive,    // enabled, and its service can have servers
  absent,
  disabled,
  no_servers,    // enabled, and its service has none (or is not there)
  servers_down,  // enabled, and Traefik's own health check calls every server DOWN
};

class RouteFaults {
 public:
  explicit RouteFaults(const Fleet& fleet);

  // Of its worst router: each copy serves another entry point.
  [[nodiscard]] RouterState router_state(const Route& route) const;
  // That router; null without any.
  [[nodiscard]] const traefik::Router* worst_router(const Route& route) const;
  // As far as Traefik tells, whatever its age: alive, disabled, no_servers or servers_down.
  [[nodiscard]] RouterState state_of(const traefik::Router& router) const;
  // Traefik started so recently that what it lacks says nothing.
  [[nodiscard]] bool traefik_starting() const { return starting_; }
  // A router's service exists and has a server, whatever the router's own state is and whether
  // the server answers.
  [[nodiscard]] bool has_server(const Route& route) const;
  // Of a class of which this Traefik has no router at all, while it has some of another class: the
  // route may be another Traefik's, started for its class.
  [[nodiscard]] bool served_elsewhere(const Route& route) const;
  // KubernetesIngress or KubernetesCRD runs, as far as Traefik tells.
  [[nodiscard]] bool provider_runs(const Route& route) const;

  // Reason of backend_missing or endpoint_port_mismatch that this backend of `route` has; "" =
  // none.
  [[nodiscard]] std::string backend_fault(const Route& route, const RouteBackend& backend) const;
  // An ExternalName that means a Service of the cluster, which is not there or has no ready
  // endpoint: Traefik makes a router all the same, and nobody answers.
  [[nodiscard]] bool leads_to_dead_service(const RouteBackend& backend) const;
  // Any of them, or a TraefikService that does not exist.
  [[nodiscard]] bool has_backend_fault(const Route& route) const;
  // An IngressRoute names objects of other namespaces, which Traefik allows only by a flag.
  [[nodiscard]] static bool crosses_namespaces(const Route& route);

 private:
  using ProviderAndClass = std::pair<std::string_view, std::string>;
  static ProviderAndClass class_of(const Route& route);
  // Null: Traefik has no service for the router.
  [[nodiscard]] const traefik::Service* service_of(const traefik::Router& router) const;
  [[nodiscard]] static bool has_server(const traefik::Service* service);
  [[nodiscard]] const traefik::Service* service_named(std::string name,
                                                      const std::string& provider) const;
  // `depth`: legs may lead in circles.
  [[nodiscard]] bool all_servers_down(const traefik::Service* service, int depth) const;

  const Fleet& fleet_;
  const traefik::State* traefik_;
  bool starting_ = false;
  std::set<ProviderAndClass> served_;
  std::set<std::string_view> serving_;  // providers of which some class is served
  std::unordered_map<std::string, const traefik::Service*> services_;  // by `name@provider`
};

std::string_view provider_title(const Route& route);  // as Traefik's overview names it

}  // namespace shortcircuit
