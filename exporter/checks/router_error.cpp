#include "checks/router_error.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <set>
#include <tuple>

#include "base/text.h"
#include "checks/address.h"
#include "checks/check.h"
#include "checks/route_faults.h"

namespace shortcircuit {
namespace {

// A route whose router is absent, disabled or without servers although every object it names is in
// order: something only Traefik knows. Without this it would be dead and have no cause.
class Unexplained {
 public:
  explicit Unexplained(const Fleet& fleet) : fleet_(fleet), faults_(fleet) {
    for (const Finding& finding : middleware_missing_check.judge(fleet).findings)
      middlewares_.insert(finding.object);
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
    const bool disabled =
        route.router && fleet_.traefik()->routers[*route.router].status == "disabled";
    if (route.backends.empty() && route.router && !disabled) return false;
    for (const RouteBackend& backend : route.backends) {
      const auto* endpoints = fleet_.endpoints.find(backend.service);
      if (endpoints == nullptr || !endpoints->certain) return false;
      // A server at a stale address does not answer a health check.
      if (state == RouterState::servers_down && stale_.contains(backend.service)) return false;
      if (endpoints->service->type != "ExternalName") continue;
      if (names_unknown_ || external_names_.contains(backend.service.text())) return false;
    }
    return std::none_of(route.middlewares.begin(), route.middlewares.end(),
                        [&](const RouteMiddleware& middleware) {
                          return middlewares_.contains(middleware.object ? middleware.object->text()
                                                                         : middleware.reference);
                        });
  }

  [[nodiscard]] std::string message(const Route& route) const {
    const std::string who = fmt::format("{} {}", route.kind, route.object.text());
    const std::string host = (route.host.empty() ? "every host" : route.host) + route.path;
    if (route.router) {
      const auto& router = fleet_.traefik()->routers[*route.router];
      if (!router.errors.empty())
        return fmt::format("Traefik refuses {} ({}): {}.", who, host, router.errors.front());
      if (faults_.router_state(route) == RouterState::servers_down) {
        return fmt::format("Traefik's own health check calls every server of {} ({}) DOWN.", who,
                           host);
      }
      return fmt::format("Traefik's router of {} ({}) leads to service {}, which has no server.",
                         who, host, router.service);
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
    if (!route.router && !faults_.provider_runs(route)) {
      return route.kind == "Ingress" ? "# start Traefik with --providers.kubernetesingress=true"
                                     : "# start Traefik with --providers.kubernetescrd=true";
    }
    if (!route.router && RouteFaults::crosses_namespaces(route)) {
      return "# start Traefik with --providers.kubernetescrd.allowcrossnamespace=true, or keep "
             "route, Service and middleware in one namespace";
    }
    if (faults_.router_state(route) == RouterState::servers_down) {
      return fmt::format(
          "kubectl -n {} get {} {} -o yaml   # healthCheck: its path, port and scheme must be "
          "answered by the servers",
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
  std::set<std::string> middlewares_;
  std::set<std::string> external_names_;
  bool names_unknown_ = false;
  std::set<kubernetes::ObjectName> stale_;  // Services with a stale address
};

// Classes of Ingresses of which this Traefik has no router at all, while it has some of another
// class: they may be another Traefik's, started with its own
// --providers.kubernetesingress.ingressclass.
std::set<std::string> classes_served_elsewhere(const std::vector<Route>& routes) {
  std::set<std::string> served;
  std::set<std::string> unserved;
  for (const Route& route : routes) {
    if (route.kind == "Ingress") (route.router ? served : unserved).insert(route.ingress_class);
  }
  if (served.empty()) return {};
  std::erase_if(unserved, [&](const std::string& name) { return served.contains(name); });
  return unserved;
}

// Traefik and Kubernetes are not asked at the same moment: what Traefik lacks may have been created
// or mended after it was asked. So the cluster as it was a while before that must tell the same.
class Before {
 public:
  explicit Before(const Fleet& fleet) {
    // Traefik takes in what changes at most every two seconds.
    constexpr auto settling = std::chrono::seconds(5);
    const auto& cluster = fleet.snapshot.kubernetes.front();
    const Time asked = fleet.snapshot.traefik.front().observed_at;
    if (cluster.earlier.empty() || cluster.observed_at + settling <= asked) return;
    auto state = cluster.earlier.front().state;
    for (const auto& old : cluster.earlier) {
      if (old.time + settling <= asked) state = old.state;
    }
    snapshot_ = fleet.snapshot;
    snapshot_.kubernetes.front().state = std::move(state);
    fleet_ = std::make_unique<Fleet>(fleet.config, snapshot_);
    const Unexplained unexplained(*fleet_);
    for (const Route& route : fleet_->routes) {
      if (unexplained.is(route)) dead_.insert(key(route));
    }
  }

  [[nodiscard]] bool tells(const Route& route) const {
    return fleet_ == nullptr || dead_.contains(key(route));
  }

 private:
  using Key = std::tuple<std::string, kubernetes::ObjectName, std::string, std::string>;
  static Key key(const Route& route) { return {route.kind, route.object, route.host, route.path}; }

  Snapshot snapshot_;
  std::unique_ptr<Fleet> fleet_;  // null: there is nothing older to compare with
  std::set<Key> dead_;
};

}  // namespace

void judge_routers(const Fleet& fleet, Verdict& verdict) {
  const Unexplained unexplained(fleet);
  const std::set<std::string> elsewhere = classes_served_elsewhere(fleet.routes);
  std::unique_ptr<Before> before;  // made when it is needed
  std::set<std::string> said;
  const auto unknown = [&](std::string why) {
    if (said.insert(why).second) verdict.unknown.push_back(std::move(why));
  };
  for (const Route& route : fleet.routes) {
    if (!unexplained.is(route)) continue;
    const std::string who = fmt::format("{} {}", route.kind, route.object.text());
    if (route.kind == "Ingress" && elsewhere.contains(route.ingress_class)) {
      unknown(fmt::format("{}: this Traefik serves nothing of its class \"{}\", another may", who,
                          route.ingress_class));
      continue;
    }
    if (!before) before = std::make_unique<Before>(fleet);
    if (!before->tells(route)) {
      unknown(fmt::format("{}: what it names has changed since Traefik was asked", who));
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
