// What is wrong with one route as far as its own objects and its own router tell; for checks and
// the walk, which must tell causes apart that look alike from outside (three of them are a 404).
// Borrows the fleet.
#pragma once

#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "fleet/fleet.h"

namespace shortcircuit {

// Traefik needs a moment to load what was just created, and longer right after its own start.
inline constexpr auto loading_time = std::chrono::seconds(30);

class RouteFaults {
 public:
  explicit RouteFaults(const Fleet& fleet);

  // Of its worst router: each copy serves another entry point.
  [[nodiscard]] RouterState router_state(const Route& route) const;
  // That router's index in Traefik's state; none without any.
  [[nodiscard]] std::optional<std::size_t> worst_router(const Route& route) const;
  // Traefik started so recently that what it lacks says nothing.
  [[nodiscard]] bool traefik_starting() const { return starting_; }
  // One of its routers has a server (router_states.h).
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

  const Fleet& fleet_;
  const traefik::State* traefik_;
  bool starting_ = false;
  std::set<ProviderAndClass> served_;
  std::set<std::string_view> serving_;  // providers of which some class is served
};

std::string_view provider_title(const Route& route);  // as Traefik's overview names it

}  // namespace shortcircuit
