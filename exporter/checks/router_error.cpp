#include "checks/router_error.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <memory>
#include <set>
#include <tuple>

#include "base/text.h"
#include "checks/address.h"
#include "checks/before.h"
#include "checks/check.h"
#include "checks/cure.h"
#include "checks/middleware_missing.h"
#include "checks/route_faults.h"

namespace shortcircuit {
namespace {

std::string shown_place(const Route& route) {
  return (route.host.empty() ? "every host" : route.host) + route.path;
}

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

  // A finding of middleware_missing says it.
  [[nodiscard]] bool lacks_middleware(const traefik::Router& router) const {
    return std::ranges::any_of(
        refused_.of(router), [&](const std::string& name) { return middlewares_.contains(name); });
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
    const std::string host = shown_place(route);
    if (const auto worst = faults_.worst_router(route)) {
      const auto& router = fleet_.traefik()->routers[*worst];
      const RouterState state = faults_.router_state(route);
      if (state == RouterState::disabled) {
        // The others of several may work.
        const std::string where =
            route.routers.size() > 1
                ? fmt::format(" at entry point {}", enumerate(router.entry_points, 3))
                : "";
        return fmt::format(
            "Traefik refuses {} ({}){}: {}.", who, host, where,
            router.errors.empty() ? "its router is disabled" : router.errors.front());
      }
      if (state == RouterState::servers_down) {
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
    if (route.routers.empty() && !faults_.provider_runs(route)) {
      return route.kind == "Ingress" ? "# start Traefik with --providers.kubernetesingress=true"
                                     : "# start Traefik with --providers.kubernetescrd=true";
    }
    if (route.routers.empty() && RouteFaults::crosses_namespaces(route)) {
      return "# start Traefik with --providers.kubernetescrd.allowcrossnamespace=true, or keep "
             "route, Service and middleware in one namespace";
    }
    const RouterState state = faults_.router_state(route);
    if (state == RouterState::servers_down) {
      return fmt::format(
          "kubectl -n {} get {} {} -o yaml   # healthCheck: its path, port and scheme must be "
          "answered by the servers",
          route.object.namespace_name, to_lower(route.kind), route.object.name);
    }
    if (state == RouterState::disabled) {
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

// What Traefik says of entry points that a router names and that it does not have; "" = nothing.
std::string absent_entry_points(const traefik::Router& router) {
  std::vector<std::string> errors;
  for (const std::string& error : router.errors) {
    if (error.starts_with("entryPoint ") && error.ends_with(" doesn't exist"))
      errors.push_back(error);
  }
  return join(errors, "; ");
}

Finding half_served(const Route& route, const std::string& errors, const traefik::State& traefik) {
  std::vector<std::string> known;
  for (const auto& entry_point : traefik.entry_points) known.push_back(entry_point.name);
  const std::string& name = route.object.name;
  return {.severity = Severity::warning,
          .reason = "router_error",
          .kind = route.kind,
          .object = route.object.text(),
          .message = fmt::format("Traefik serves {} {} ({}) at its other entry points only: {}.",
                                 route.kind, route.object.text(), shown_place(route), errors),
          .cure = fmt::format(
              "kubectl -n {} edit {} {}   # correct {}{}", shell_word(route.object.namespace_name),
              to_lower(route.kind), shell_word(name),
              route.kind == "Ingress"
                  ? "the annotation traefik.ingress.kubernetes.io/router.entrypoints"
                  : "spec.entryPoints",
              known.empty() ? "" : fmt::format("; Traefik has {}", enumerate(known, 6)))};
}

std::string definition_of(const traefik::Router& router) {
  if (router.provider == "file") return "the files of Traefik's provider file";
  if (router.provider == "kubernetesgateway") return "its HTTPRoute or GRPCRoute";
  if (router.provider == "docker" || router.provider == "swarm") return "its container's labels";
  return fmt::format("Traefik's provider {}", router.provider);
}

// Routers of providers whose objects are not read: nothing but Traefik tells of them.
void judge_others(const traefik::State& traefik, const Unexplained& unexplained, bool starting,
                  Verdict& verdict) {
  constexpr std::array judged_as_routes{"kubernetes", "kubernetescrd"};
  for (const auto& router : traefik.routers) {
    if (router.status != "disabled" || router.provider == "internal" ||
        std::ranges::find(judged_as_routes, router.provider) != judged_as_routes.end() ||
        unexplained.lacks_middleware(router))
      continue;
    if (starting) {
      verdict.unknown.push_back(
          "Traefik started less than 30 s ago and may not have loaded its routers yet");
      return;
    }
    verdict.findings.push_back(
        {.severity = Severity::critical,
         .reason = "router_error",
         .kind = "Router",
         .object = router.name,
         .message =
             fmt::format("Traefik has disabled its router {}: {}.", router.name,
                         router.errors.empty() ? "it does not say why" : router.errors.front()),
         .cure = fmt::format("# correct what the error names in {}", definition_of(router))});
  }
}

// Nearly always: what explains dead ones takes long to find.
bool all_work(const Fleet& fleet, const RouteFaults& faults, const traefik::State& traefik) {
  const auto works = [&](const Route& route) {
    const RouterState state = faults.router_state(route);
    return state == RouterState::alive || state == RouterState::unknown;
  };
  const auto is_enabled = [](const traefik::Router& router) { return router.status == "enabled"; };
  return std::ranges::all_of(fleet.routes, works) &&
         std::ranges::all_of(traefik.routers, is_enabled);
}

}  // namespace

void judge_routers(const Fleet& fleet, Verdict& verdict) {
  const traefik::State& traefik = *fleet.traefik();
  const RouteFaults faults(fleet);
  if (all_work(fleet, faults, traefik)) return;
  const Unexplained unexplained(fleet);
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
  for (const Route& route : fleet.routes) {
    for (const std::size_t index : route.routers) {
      const auto& router = traefik.routers[index];
      if (router.status != "warning") continue;
      const std::string errors = absent_entry_points(router);
      const std::string who = fmt::format("{} {}", route.kind, route.object.text());
      if (errors.empty() || !said.insert(who).second) continue;
      verdict.findings.push_back(half_served(route, errors, traefik));
    }
  }
  judge_others(traefik, unexplained, faults.traefik_starting(), verdict);
}

}  // namespace shortcircuit
