#include "checks/route_faults.h"

#include <algorithm>

namespace shortcircuit {

RouteFaults::RouteFaults(const Fleet& fleet) : fleet_(fleet), traefik_(fleet.traefik()) {
  if (traefik_ == nullptr) return;
  starting_ = traefik_->started && is_recent(*traefik_->started, fleet.snapshot.time, loading_time);
  for (const Route& route : fleet.routes) {
    if (route.routers.empty()) continue;
    served_.insert(class_of(route));
    serving_.insert(provider_title(route));
  }
}

RouteFaults::ProviderAndClass RouteFaults::class_of(const Route& route) {
  // To the provider of IngressRoutes this annotation and none are the same.
  const bool usual = route.kind != "Ingress" && route.ingress_class == "traefik";
  return {provider_title(route), usual ? "" : route.ingress_class};
}

bool RouteFaults::served_elsewhere(const Route& route) const {
  const ProviderAndClass own = class_of(route);
  const bool unusual = route.kind != "Ingress" && !own.second.empty();
  return (unusual || serving_.contains(own.first)) && !served_.contains(own);
}

bool RouteFaults::has_server(const Route& route) const {
  return std::ranges::any_of(
      route.routers, [&](std::size_t router) { return fleet_.router_states.has_server(router); });
}

std::optional<std::size_t> RouteFaults::worst_router(const Route& route) const {
  std::optional<std::size_t> worst;
  RouterState state = RouterState::alive;
  for (const std::size_t router : route.routers) {
    const RouterState own = fleet_.router_states.of(router);
    const bool worse = own == RouterState::disabled ? state != RouterState::disabled
                                                    : state == RouterState::alive && own != state;
    if (worst && !worse) continue;
    worst = router;
    state = own;
  }
  return worst;
}

RouterState RouteFaults::router_state(const Route& route) const {
  const bool http = route.kind == "Ingress" || route.kind == "IngressRoute";
  if (traefik_ == nullptr || !http) return RouterState::unknown;
  const auto router = worst_router(route);
  const RouterState state = router ? fleet_.router_states.of(*router) : RouterState::absent;
  if (state == RouterState::alive) return state;
  const bool fresh = route.created && is_recent(*route.created, fleet_.snapshot.time, loading_time);
  return starting_ || fresh ? RouterState::unknown : state;
}

bool RouteFaults::provider_runs(const Route& route) const {
  if (traefik_ == nullptr || traefik_->providers.empty()) return true;
  return std::find(traefik_->providers.begin(), traefik_->providers.end(), provider_title(route)) !=
         traefik_->providers.end();
}

std::string RouteFaults::backend_fault(const Route& route, const RouteBackend& backend) const {
  const auto* endpoints = fleet_.endpoints.find(backend.service);
  if (endpoints == nullptr) {
    const auto* cluster = fleet_.cluster();
    return cluster != nullptr && cluster->services.known() ? "service_absent" : "";
  }
  const auto& service = *endpoints->service;
  if (!port_exists(backend, service, route.kind == "Ingress")) return "service_port_absent";
  if (service.type == "ExternalName" || !fleet_.endpoints.known() || !endpoints->certain) return "";
  if (endpoints->ready_addresses() == 0) return "no_ready_endpoints";
  const auto* port = port_of(backend, service);
  return port != nullptr && !endpoints->carries(*port) ? "port_mismatch" : "";
}

bool RouteFaults::leads_to_dead_service(const RouteBackend& backend) const {
  const auto* endpoints = fleet_.endpoints.find(backend.service);
  if (endpoints == nullptr) return false;
  const auto target = cluster_service_of(*endpoints->service);
  if (!target) return false;
  const auto* found = fleet_.endpoints.find(*target);
  return found == nullptr || (found->service->type != "ExternalName" && fleet_.endpoints.known() &&
                              found->certain && found->ready_addresses() == 0);
}

bool RouteFaults::has_backend_fault(const Route& route) const {
  return !route.missing_traefik_services.empty() ||
         std::any_of(
             route.backends.begin(), route.backends.end(),
             [&](const RouteBackend& backend) { return !backend_fault(route, backend).empty(); });
}

bool RouteFaults::crosses_namespaces(const Route& route) {
  if (route.kind == "Ingress") return false;
  const std::string& own = route.object.namespace_name;
  return std::any_of(
             route.backends.begin(), route.backends.end(),
             [&](const RouteBackend& backend) { return backend.service.namespace_name != own; }) ||
         std::any_of(route.middlewares.begin(), route.middlewares.end(),
                     [&](const RouteMiddleware& middleware) {
                       return middleware.object && middleware.object->namespace_name != own;
                     });
}

std::string_view provider_title(const Route& route) {
  return route.kind == "Ingress" ? "KubernetesIngress" : "KubernetesCRD";
}

}  // namespace shortcircuit
