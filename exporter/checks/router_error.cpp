#include "checks/router_error.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <set>
#include <tuple>

#include "base/text.h"
#include "checks/address.h"
#include "checks/before.h"
#include "checks/check.h"
#include "checks/middleware_missing.h"
#include "checks/route_faults.h"

namespace shortcircuit {
namespace {

// A route whose router is absent, disabled or without servers although every object it names is in
// order: something only Traefik knows. Without this it would be dead and have no cause.
class Unexplained {
 public:
  explicit Unexplained(const Fleet& fleet) : fleet_(fleet), faults_(fleet), refused_(fleet) {
    for (const Finding& finding : middlewares_at_once(fleet).findings) {
      if (finding.kind == "Middleware") middlewares_.insert(finding.object);
    }
    const Verdict names = external_name_refused_check.judge(fleet);
    for (const Finding& finding : names.findings) external_names_.insert(finding.object);
    names_unknown_ = !names.unknown.empty();
    for (const EndpointAddress& address : judge_endpoint_addresses(fleet)) {
      if (address.judgement.state == AddressState::stale) stale_.insert(address.service);
    }
  }

  [[nodiscard]] bool is(const Route& route) const {
    const RouterState state = faults_.router_state(route);
    if (state == RouterState::unknown || state == RouterState::alive) return false;
    if (faults_.has_backend_fault(route)) return false;
    // Services of other providers (`api@internal`) have no servers here and are theirs to judge.
    if (route.backends.empty() && !route.routers.empty() && state != RouterState::disabled)
      return false;
    for (const RouteBackend& backend : route.backends) {
      const auto* endpoints = fleet_.endpoints.find(backend.service);
      if (endpoints == nullptr || !endpoints->certain) return false;
      // A server at a stale address does not answer a health check.
      if (state == RouterState::servers_down && stale_.contains(backend.service)) return false;
      if (endpoints->service->type != "ExternalName") continue;
      if (state == RouterState::servers_down && faults_.leads_to_dead_service(backend))
        return false;
      if (names_unknown_ || external_names_.contains(backend.service.text())) return false;
    }
    const auto is_missing = [&](const std::string& name) { return middlewares_.contains(name); };
    return std::ranges::none_of(route.middlewares, is_missing, &RouteMiddleware::name) &&
           std::ranges::none_of(refused_.of(route), is_missing);
  }

  [[nodiscard]] std::string message(const Route& route) const {
    const std::string who = fmt::format("{} {}", route.kind, route.object.text());
    const std::string host = (route.host.empty() ? "every host" : route.host) + route.path;
    if (const auto* router = faults_.worst_router(route)) {
      if (faults_.state_of(*router) == RouterState::disabled) {
        // The others of several may work.
        const std::string where =
            route.routers.size() > 1
                ? fmt::format(" at entry point {}", enumerate(router->entry_points, 3))
                : "";
        return fmt::format(
            "Traefik refuses {} ({}){}: {}.", who, host, where,
            router->errors.empty() ? "its router is disabled" : router->errors.front());
      }
      if (faults_.state_of(*router) == RouterState::servers_down) {
        return fmt::format("Traefik's own health check calls every server of {} ({}) DOWN.", who,
                           host);
      }
      return fmt::format("Traefik's router of {} ({}) leads to service {}, which has no server.",
                         who, host, router->service);
    }
    if (!faults_.provider_runs(route)) {
      return fmt::format("Traefik has no router for {} ({}): it runs without its provider {}.", who,
                         host, provider_title(route));
    }
    return fmt::format(
        "Traefik has no router for {} ({}), and all objects that it names are in order{}.", who,
        host,
        RouteFaults::crosses_namespaces(route) ? "; it names objects of other namespaces" : "");
  }

  [[nodiscard]] std::string cure(const Route& route) const {
    if (route.routers.empty() && !faults_.provider_runs(route)) {
      return route.kind == "Ingress" ? "# start Traefik with --providers.kubernetesingress=true"
                                     : "# start Traefik with --providers.kubernetescrd=true";
    }
    if (route.routers.empty() && RouteFaults::crosses_namespaces(route)) {
      return "# start Traefik with --providers.kubernetescrd.allowcrossnamespace=true, or keep "
             "route, Service and middleware in one namespace";
    }
    if (faults_.router_state(route) == RouterState::servers_down) {
      return fmt::format(
          "kubectl -n {} get {} {} -o yaml   # healthCheck: its path, port and scheme must be "
          "answered by the servers",
          route.object.namespace_name, to_lower(route.kind), route.object.name);
    }
    const auto* router = faults_.worst_router(route);
    if (router != nullptr && faults_.state_of(*router) == RouterState::disabled) {
      return fmt::format(
          "kubectl -n {} get {} {} -o yaml   # correct what the error names; what an entry point "
          "adds of its own (TLS, middlewares) is in Traefik's static configuration",
          route.object.namespace_name, to_lower(route.kind), route.object.name);
    }
    return fmt::format(
        "# look for {} in Traefik's log; its namespaces, label selector and ingress class options "
        "must let it see the object",
        route.object.name);
  }

 private:
  const Fleet& fleet_;
  RouteFaults faults_;
  RefusedMiddlewares refused_;
  std::set<std::string> middlewares_;
  std::set<std::string> external_names_;
  bool names_unknown_ = false;
  std::set<kubernetes::ObjectName> stale_;  // Services with a stale address
};

// The routes that were dead already when both were asked.
class DeadBefore {
 public:
  explicit DeadBefore(const Fleet& fleet) : before_(fleet) {
    if (before_.fleet() == nullptr) return;
    const Unexplained unexplained(*before_.fleet());
    for (const Route& route : before_.fleet()->routes) {
      if (unexplained.is(route)) dead_.insert(key(route));
    }
  }

  [[nodiscard]] bool tells(const Route& route) const {
    return before_.fleet() == nullptr || dead_.contains(key(route));
  }

 private:
  using Key = std::tuple<std::string, kubernetes::ObjectName, std::string, std::string>;
  static Key key(const Route& route) { return {route.kind, route.object, route.host, route.path}; }

  Before before_;
  std::set<Key> dead_;
};

}  // namespace

void judge_routers(const Fleet& fleet, Verdict& verdict) {
  const Unexplained unexplained(fleet);
  const RouteFaults faults(fleet);
  std::unique_ptr<DeadBefore> before;  // made when it is needed
  std::set<std::string> said;
  const auto unknown = [&](std::string why) {
    if (said.insert(why).second) verdict.unknown.push_back(std::move(why));
  };
  for (const Route& route : fleet.routes) {
    if (!unexplained.is(route)) continue;
    const std::string who = fmt::format("{} {}", route.kind, route.object.text());
    if (faults.served_elsewhere(route)) {
      unknown(fmt::format("{}: this Traefik serves nothing of its class \"{}\", another may", who,
                          route.ingress_class));
      continue;
    }
    if (!before) before = std::make_unique<DeadBefore>(fleet);
    if (!before->tells(route)) {
      unknown(
          fmt::format("{}: it or what it names has changed between the looks at Traefik and "
                      "Kubernetes",
                      who));
    } else if (said.insert(who).second) {
      verdict.findings.push_back({.severity = Severity::critical,
                                  .reason = "router_error",
                                  .kind = route.kind,
                                  .object = route.object.text(),
                                  .message = unexplained.message(route),
                                  .cure = unexplained.cure(route)});
    }
  }
}

}  // namespace shortcircuit
