#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/text.h"
#include "checks/check.h"
#include "checks/unknown.h"

namespace shortcircuit {
namespace {

// Traefik needs a moment to load what was just created.
constexpr auto loading_time = std::chrono::seconds(30);

std::string_view provider_of(const Route& route) { return route.kind == "Ingress" ? "kubernetes" : "kubernetescrd"; }
std::string_view provider_title(std::string_view provider) {
  return provider == "kubernetes" ? "KubernetesIngress" : "KubernetesCRD";
}
std::string_view flag_of(std::string_view provider) {
  return provider == "kubernetes" ? "--providers.kubernetesingress.allowexternalnameservices=true"
                                  : "--providers.kubernetescrd.allowexternalnameservices=true";
}

class Judge {
 public:
  Judge(const Fleet& fleet, const traefik::State& traefik) : fleet_(fleet), traefik_(traefik) {
    for (const auto& service : traefik.services) services_[service.name] = &service;
  }

  // The router is there and its service has a server: the flag is on.
  [[nodiscard]] bool served(const Route& route) const {
    if (!route.router) return false;
    const auto& router = traefik_.routers[*route.router];
    std::string name = router.service;
    if (name.find('@') == std::string::npos) name += "@" + router.provider;
    const auto found = services_.find(name);
    if (found == services_.end()) return false;
    // Weighted and the like have no servers of their own; they exist only when every leg does.
    const bool composed = !found->second->type.empty() && found->second->type != "loadbalancer";
    return composed || !found->second->server_urls.empty();
  }

  // Another fault of the same route that makes its router vanish as well.
  [[nodiscard]] bool has_other_cause(const Route& route) const {
    if (!route.missing_traefik_services.empty()) return true;
    return std::any_of(route.backends.begin(), route.backends.end(), [&](const RouteBackend& backend) {
      const auto* endpoints = fleet_.endpoints.find(backend.service);
      if (endpoints == nullptr) return true;
      const auto& ports = endpoints->service->ports;
      const bool asked = !backend.port_name.empty() || backend.port_number != 0;
      const bool port_there = std::any_of(ports.begin(), ports.end(), [&](const auto& port) {
        return backend.port_name.empty() ? port.port == backend.port_number : port.name == backend.port_name;
      });
      const bool external = endpoints->service->type == "ExternalName";
      return asked && !port_there && !(external && ports.empty() && backend.port_number != 0);
    });
  }

  [[nodiscard]] bool provider_runs(std::string_view provider) const {
    return traefik_.providers.empty() ||
           std::find(traefik_.providers.begin(), traefik_.providers.end(), provider_title(provider)) != traefik_.providers.end();
  }

 private:
  const Fleet& fleet_;
  const traefik::State& traefik_;
  std::map<std::string, const traefik::Service*> services_;
};

struct Refused {
  std::string external_name;
  std::set<std::string_view> providers;
  std::vector<std::string> hosts;
};

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
  need(cluster.traefik_services, "traefikservices", verdict);
  if (!need(cluster.services, "services", verdict)) return verdict;

  const Judge judge(fleet, *fleet.traefik());
  std::map<kubernetes::ObjectName, Refused> refused;
  for (const Route& route : fleet.routes) {
    // TCP and UDP routers are not read.
    if (route.kind != "Ingress" && route.kind != "IngressRoute") continue;
    const auto provider = provider_of(route);
    for (const RouteBackend& backend : route.backends) {
      const auto* endpoints = fleet.endpoints.find(backend.service);
      if (endpoints == nullptr || endpoints->service->type != "ExternalName") continue;
      if (judge.served(route) || judge.has_other_cause(route)) continue;
      if (route.created && fleet.snapshot.time - *route.created < loading_time) continue;
      if (!judge.provider_runs(provider)) {
        verdict.unknown.push_back(fmt::format("Traefik runs without its provider {}", provider_title(provider)));
        continue;
      }
      Refused& item = refused[backend.service];
      item.external_name = endpoints->service->external_name;
      item.providers.insert(provider);
      item.hosts.push_back(route.host.empty() ? "*" : route.host);
    }
  }
  for (const auto& [service, item] : refused) {
    std::vector<std::string> flags;
    for (const auto provider : item.providers) flags.emplace_back(flag_of(provider));
    verdict.findings.push_back(
        {.severity = Severity::critical,
         .reason = "provider_flag_off",
         .kind = "Service",
         .object = service.text(),
         .message = fmt::format("Traefik refuses ExternalName Service {} (to {}): {} has no working router and answers 404.",
                                service.text(), item.external_name, enumerate(item.hosts, 4)),
         .cure = fmt::format("start Traefik with {} (Helm: providers.kubernetes{}.allowExternalNameServices: true)",
                             join(flags, " and "), item.providers.contains("kubernetes") ? "Ingress" : "CRD")});
  }
  return verdict;
}

}  // namespace

const CheckDefinition external_name_refused_check{
    .name = "external_name_refused",
    .layer = Layer::external_name,
    .question = "Does Traefik serve the routes that lead to ExternalName Services?",
    .reasons = {{"provider_flag_off", "The provider's flag allowexternalnameservices is off, and a route needs it."}},
    .judge = judge_external_names};

}  // namespace shortcircuit
