#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/text.h"
#include "checks/check.h"
#include "checks/middleware_missing.h"
#include "checks/route_faults.h"
#include "checks/unknown.h"

namespace shortcircuit {
namespace {

std::string_view flag_of(std::string_view provider) {
  return provider == "KubernetesIngress"
             ? "--providers.kubernetesingress.allowexternalnameservices=true"
             : "--providers.kubernetescrd.allowexternalnameservices=true";
}

struct Refused {
  std::string external_name;
  std::set<std::string_view> providers;
  std::vector<std::string> hosts;
};

// What the routes of one provider show of its flag.
struct Evidence {
  bool on = false;   // one is served
  bool off = false;  // one is not, and nothing else is wrong with it
  // Dead routes to ExternalName Services: route and Service.
  std::vector<std::pair<const Route*, const kubernetes::Service*>> dead;
  bool held_back = false;           // a dead one that may be new, or Traefik is
  std::set<std::string> elsewhere;  // dead ones that may be another Traefik's: their classes
};

// Traefik may not look into a namespace at all (its option `namespaces`): there routes without any
// ExternalName are absent as well, though nothing is wrong with them.
class Sight {
 public:
  Sight(const Fleet& fleet, const RouteFaults& faults) {
    std::set<std::string> missing;  // middlewares
    for (const Finding& finding : middlewares_at_once(fleet).findings)
      missing.insert(finding.kind + finding.object);
    for (const Route& route : fleet.routes) {
      if (!route.routers.empty()) served_.insert(place_of(route));
      if (faults.router_state(route) != RouterState::absent || faults.has_backend_fault(route) ||
          faults.served_elsewhere(route) || RouteFaults::crosses_namespaces(route))
        continue;
      const bool plain = std::ranges::none_of(route.backends, [&](const RouteBackend& backend) {
        const auto* endpoints = fleet.endpoints.find(backend.service);
        return endpoints == nullptr || !endpoints->certain ||
               endpoints->service->type == "ExternalName";
      });
      const bool refused = std::ranges::any_of(route.middlewares, [&](const RouteMiddleware& item) {
        return missing.contains(std::string(kind_of(item)) + item.name());
      });
      if (!plain || refused) continue;
      unexplained_.insert(place_of(route));
      in_doubt_.insert(provider_title(route));
    }
  }

  // Where some namespace is not looked into, another one is only if it has a router.
  [[nodiscard]] bool sees(const Route& route) const {
    return !unexplained_.contains(place_of(route)) &&
           (served_.contains(place_of(route)) || !in_doubt_.contains(provider_title(route)));
  }

 private:
  using Place = std::pair<std::string_view, std::string>;  // provider and namespace
  static Place place_of(const Route& route) {
    return {provider_title(route), route.object.namespace_name};
  }

  std::set<Place> served_;
  std::set<Place> unexplained_;
  std::set<std::string_view> in_doubt_;  // their providers
};

std::map<std::string_view, Evidence> gather(const Fleet& fleet) {
  const RouteFaults faults(fleet);
  const Sight sight(fleet, faults);
  std::map<std::string_view, Evidence> evidence;  // by provider
  for (const Route& route : fleet.routes) {
    // TCP and UDP routers are not read.
    if (route.kind != "Ingress" && route.kind != "IngressRoute") continue;
    for (const RouteBackend& backend : route.backends) {
      const auto* endpoints = fleet.endpoints.find(backend.service);
      if (endpoints == nullptr || endpoints->service->type != "ExternalName") continue;
      Evidence& item = evidence[provider_title(route)];
      if (faults.has_server(route)) {
        item.on = true;
      } else if (faults.router_state(route) == RouterState::unknown) {
        item.held_back = true;
      } else if (faults.served_elsewhere(route)) {
        item.elsewhere.insert(route.ingress_class);
      } else {
        item.dead.emplace_back(&route, endpoints->service);
        item.off = item.off || (sight.sees(route) && !faults.has_backend_fault(route) &&
                                !RouteFaults::crosses_namespaces(route));
      }
    }
  }
  return evidence;
}

Verdict judge_external_names(const Fleet& fleet) {
  if (fleet.config.kubernetes.empty() || fleet.config.traefik.empty()) return not_applicable();
  Verdict verdict;
  const bool cluster_known = need(fleet.snapshot.kubernetes, "Kubernetes", verdict);
  const bool traefik_known = need(fleet.snapshot.traefik, "Traefik", verdict);
  if (!cluster_known || !traefik_known) return verdict;
  const auto& cluster = *fleet.cluster();
  need(cluster.ingresses, "ingresses", verdict);
  need(cluster.ingress_classes, "ingressclasses", verdict);
  need(cluster.ingress_routes, "ingressroutes", verdict);
  need(cluster.ingress_route_tcps, "ingressroutetcps", verdict);
  need(cluster.ingress_route_udps, "ingressrouteudps", verdict);
  need(cluster.traefik_services, "traefikservices", verdict);
  if (!need(cluster.services, "services", verdict)) return verdict;

  const RouteFaults faults(fleet);
  std::map<kubernetes::ObjectName, Refused> refused;
  for (const auto& [provider, evidence] : gather(fleet)) {
    if (evidence.held_back) {
      verdict.unknown.push_back(fmt::format(
          "Traefik or a route of {} started less than 30 s ago and may not be loaded yet",
          provider));
    }
    if (evidence.on) continue;
    for (const std::string& name : evidence.elsewhere) {
      verdict.unknown.push_back(
          fmt::format("Traefik's {} serves nothing of class \"{}\", another may", provider, name));
    }
    if (evidence.dead.empty()) continue;
    if (!faults.provider_runs(*evidence.dead.front().first)) {
      verdict.unknown.push_back(fmt::format("Traefik runs without its provider {}", provider));
      continue;
    }
    if (!evidence.off) {
      verdict.unknown.push_back(fmt::format(
          "whether Traefik's {} allows ExternalName Services shows when the other faults of {} {} "
          "are mended",
          provider, evidence.dead.front().first->kind, evidence.dead.front().first->object.text()));
      continue;
    }
    for (const auto& [route, service] : evidence.dead) {
      Refused& item = refused[service->name];
      item.external_name = service->external_name;
      item.providers.insert(provider);
      const std::string host = route->host.empty() ? "*" : route->host;
      if (std::find(item.hosts.begin(), item.hosts.end(), host) == item.hosts.end())
        item.hosts.push_back(host);
    }
  }
  for (const auto& [service, item] : refused) {
    std::vector<std::string> flags;
    for (const auto provider : item.providers) flags.emplace_back(flag_of(provider));
    const bool ingress = item.providers.contains("KubernetesIngress");
    verdict.findings.push_back(
        {.severity = Severity::critical,
         .reason = "provider_flag_off",
         .kind = "Service",
         .object = service.text(),
         .message = fmt::format("Traefik refuses ExternalName Service {} (to {}): {} has no "
                                "working router and answers 404.",
                                service.text(), item.external_name, enumerate(item.hosts, 4)),
         .cure = fmt::format("# start Traefik with {} (Helm: {}.allowExternalNameServices: true)",
                             join(flags, " and "),
                             item.providers.size() == 2
                                 ? "providers.kubernetesIngress and providers.kubernetesCRD"
                             : ingress ? "providers.kubernetesIngress"
                                       : "providers.kubernetesCRD")});
  }
  return verdict;
}

}  // namespace

const CheckDefinition external_name_refused_check{
    .name = "external_name_refused",
    .layer = Layer::external_name,
    .question = "Does Traefik serve the routes that lead to ExternalName Services?",
    .reasons = {{"provider_flag_off",
                 "The provider's flag allowexternalnameservices is off, and a route needs it."}},
    .judge = judge_external_names};

}  // namespace shortcircuit
