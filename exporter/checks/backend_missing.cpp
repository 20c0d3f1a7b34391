#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "checks/check.h"
#include "checks/route_faults.h"
#include "checks/unknown.h"

namespace shortcircuit {
namespace {

class Judge {
 public:
  Judge(const Fleet& fleet, Verdict& verdict) : fleet_(fleet), verdict_(verdict) {}

  void backend(const RouteBackend& backend, const std::string& from, bool of_ingress) {
    const auto& name = backend.service;
    const auto* endpoints = fleet_.endpoints.find(name);
    if (endpoints == nullptr) {
      add("service_absent", "Service", name.text(),
          fmt::format("{} leads to Service {}, which does not exist.", from, name.text()),
          fmt::format(
              "create the Service, or lead the route to another: kubectl -n {} get services",
              name.namespace_name));
      return;
    }
    const bool asked = !backend.port_name.empty() || backend.port_number != 0;
    if (asked && !port_exists(backend, *endpoints->service, of_ingress)) {
      const std::string port =
          backend.port_name.empty() ? std::to_string(backend.port_number) : backend.port_name;
      add("service_port_absent", "Service", name.text(),
          fmt::format("{} leads to port {} of Service {}, which has no such port.", from, port,
                      name.text()),
          fmt::format("kubectl -n {} edit service {}   # spec.ports, or change the route's port",
                      name.namespace_name, name.name));
    }
    if (endpoints->service->type == "ExternalName" || !fleet_.endpoints.known() ||
        !endpoints->certain)
      return;
    if (endpoints->ready_addresses() > 0) return;
    const bool by_hand = endpoints->hand_kept();
    add("no_ready_endpoints", "Service", name.text(),
        by_hand ? fmt::format("{} leads to Service {}, which has no selector, and nobody has given "
                              "it a ready endpoint.",
                              from, name.text())
                : fmt::format("{} leads to Service {}, none of whose pods is ready.", from,
                              name.text()),
        by_hand ? endpoints->edit_command() + "   # add the addresses"
                : fmt::format("kubectl -n {} get pods -l {}", name.namespace_name,
                              selector(*endpoints->service)));
  }

  void no_traefik_service(const std::string& name, const std::string& from) {
    add("service_absent", "TraefikService", name,
        fmt::format("{} leads to TraefikService {}, which does not exist.", from, name),
        "create the TraefikService, or lead the route elsewhere");
  }

  void add(std::string reason, std::string kind, std::string object, std::string message,
           std::string cure) {
    if (!seen_.insert(reason + " " + kind + " " + object).second) return;
    verdict_.findings.push_back({.severity = Severity::critical,
                                 .reason = std::move(reason),
                                 .kind = std::move(kind),
                                 .object = std::move(object),
                                 .message = std::move(message),
                                 .cure = std::move(cure)});
  }

 private:
  static std::string selector(const kubernetes::Service& service) {
    std::string text;
    for (const auto& [key, value] : service.selector)
      text += (text.empty() ? "" : ",") + key + "=" + value;
    return text;
  }

  const Fleet& fleet_;
  Verdict& verdict_;
  std::set<std::string> seen_;
};

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
      return route.kind == "Ingress" ? "start Traefik with --providers.kubernetesingress=true"
                                     : "start Traefik with --providers.kubernetescrd=true";
    }
    if (!route.router && RouteFaults::crosses_namespaces(route)) {
      return "start Traefik with --providers.kubernetescrd.allowcrossnamespace=true, or keep "
             "route, Service and middleware in one namespace";
    }
    return fmt::format(
        "look for {} in Traefik's log; its namespaces, label selector and ingress class options "
        "must let it see the object",
        route.object.name);
  }

  [[nodiscard]] bool external_names_unknown() const { return names_unknown_; }

 private:
  const Fleet& fleet_;
  RouteFaults faults_;
  std::set<std::string> middlewares_;
  std::set<std::string> external_names_;
  bool names_unknown_ = false;
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

void judge_routers(const Fleet& fleet, bool cluster_complete, Judge& judge, Verdict& verdict) {
  if (fleet.config.traefik.empty() || !need(fleet.snapshot.traefik, "Traefik", verdict)) return;
  if (!cluster_complete) return;  // what cannot be seen may be the cause
  const Unexplained unexplained(fleet);
  const std::set<std::string> elsewhere = classes_served_elsewhere(fleet.routes);
  for (const Route& route : fleet.routes) {
    if (!unexplained.is(route)) continue;
    if (route.kind == "Ingress" && elsewhere.contains(route.ingress_class)) {
      verdict.unknown.push_back(
          fmt::format("Ingress {}: this Traefik serves nothing of its class \"{}\", another may",
                      route.object.text(), route.ingress_class));
    } else {
      judge.add("router_error", route.kind, route.object.text(), unexplained.message(route),
                unexplained.cure(route));
    }
  }
}

void judge_traefik_services(const kubernetes::State& cluster, Judge& judge) {
  std::set<kubernetes::ObjectName> names;
  for (const auto& service : cluster.traefik_services.items) names.insert(service.name);
  for (const auto& service : cluster.traefik_services.items) {
    const std::string from = fmt::format("TraefikService {}", service.name.text());
    for (const auto& leg : service.services) {
      if (leg.name.find('@') != std::string::npos) continue;
      const kubernetes::ObjectName name{
          leg.namespace_name.empty() ? service.name.namespace_name : leg.namespace_name, leg.name};
      if (leg.kind == "TraefikService") {
        if (!names.contains(name)) judge.no_traefik_service(name.text(), from);
        continue;
      }
      RouteBackend backend{.service = name, .through_traefik_service = true};
      if (const auto number = port_number(leg.port)) {
        backend.port_number = *number;
      } else {
        backend.port_name = leg.port;
      }
      judge.backend(backend, from, false);
    }
  }
}

Verdict judge_backends(const Fleet& fleet) {
  if (fleet.config.kubernetes.empty()) return not_applicable();
  Verdict verdict;
  if (!need(fleet.snapshot.kubernetes, "Kubernetes", verdict)) return verdict;
  const auto& cluster = *fleet.cluster();
  bool complete = need(cluster.ingresses, "ingresses", verdict);
  complete = need(cluster.ingress_classes, "ingressclasses", verdict) && complete;
  complete = need(cluster.ingress_routes, "ingressroutes", verdict) && complete;
  complete = need(cluster.traefik_services, "traefikservices", verdict) && complete;
  if (!fleet.config.traefik.empty())
    complete = need(cluster.middlewares, "middlewares", verdict) && complete;
  if (!need(cluster.services, "services", verdict)) return verdict;
  if (!fleet.endpoints.known() || !cluster.endpoint_slices.known()) {
    verdict.unknown.push_back("Kubernetes endpointslices: " +
                              cluster.endpoint_slices.error.message);
    complete = false;
  }
  Judge judge(fleet, verdict);
  for (const Route& route : fleet.routes) {
    const std::string from = fmt::format("{} {}", route.kind, route.object.text());
    for (const std::string& missing : route.missing_traefik_services)
      judge.no_traefik_service(missing, from);
    for (const RouteBackend& backend : route.backends)
      judge.backend(backend, from, route.kind == "Ingress");
  }
  judge_traefik_services(cluster, judge);
  judge_routers(fleet, complete, judge, verdict);
  return verdict;
}

}  // namespace

const CheckDefinition backend_missing_check{
    .name = "backend_missing",
    .layer = Layer::backend,
    .question =
        "Is the Service, its port and at least one ready endpoint there behind every route?",
    .reasons = {{"service_absent", "The Service or TraefikService does not exist."},
                {"service_port_absent", "The Service has no such port."},
                {"no_ready_endpoints", "The Service has no ready endpoint."},
                {"router_error",
                 "Traefik has no working router for the route, and no object that it names is the "
                 "cause."}},
    .judge = judge_backends};

}  // namespace shortcircuit
