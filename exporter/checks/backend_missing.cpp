#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "checks/check.h"
#include "checks/unknown.h"

namespace shortcircuit {
namespace {

bool has_port(const kubernetes::Service& service, const RouteBackend& backend) {
  if (backend.port_name.empty() && backend.port_number == 0) return true;  // none is asked for
  // A name that leads out of the cluster needs no port in its Service when the route has a number.
  if (service.type == "ExternalName" && service.ports.empty() && backend.port_number != 0) return true;
  return std::any_of(service.ports.begin(), service.ports.end(), [&](const auto& port) {
    return backend.port_name.empty() ? port.port == backend.port_number : port.name == backend.port_name;
  });
}

class Judge {
 public:
  Judge(const Fleet& fleet, Verdict& verdict) : fleet_(fleet), verdict_(verdict) {}

  void backend(const RouteBackend& backend, const std::string& from) {
    const auto& name = backend.service;
    const auto* endpoints = fleet_.endpoints.find(name);
    if (endpoints == nullptr) {
      add("service_absent", "Service", name.text(), fmt::format("{} leads to Service {}, which does not exist.", from, name.text()),
          fmt::format("create the Service, or lead the route to another: kubectl -n {} get services", name.namespace_name));
      return;
    }
    if (!has_port(*endpoints->service, backend)) {
      const std::string port = backend.port_name.empty() ? std::to_string(backend.port_number) : backend.port_name;
      add("service_port_absent", "Service", name.text(),
          fmt::format("{} leads to port {} of Service {}, which has no such port.", from, port, name.text()),
          fmt::format("kubectl -n {} edit service {}   # spec.ports, or change the route's port", name.namespace_name, name.name));
    }
    if (endpoints->service->type == "ExternalName" || !fleet_.endpoints.known()) return;
    if (endpoints->ready_addresses() > 0) return;
    const bool by_hand = endpoints->hand_kept();
    add("no_ready_endpoints", "Service", name.text(),
        by_hand ? fmt::format("{} leads to Service {}, which has neither a selector nor endpoints.", from, name.text())
                : fmt::format("{} leads to Service {}, none of whose pods is ready.", from, name.text()),
        by_hand ? fmt::format("kubectl -n {} edit endpoints {}   # fill subsets", name.namespace_name, name.name)
                : fmt::format("kubectl -n {} get pods -l {}", name.namespace_name, selector(*endpoints->service)));
  }

  void add(std::string reason, std::string kind, std::string object, std::string message, std::string cure) {
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
    for (const auto& [key, value] : service.selector) text += (text.empty() ? "" : ",") + key + "=" + value;
    return text;
  }

  const Fleet& fleet_;
  Verdict& verdict_;
  std::set<std::string> seen_;
};

Verdict judge_backends(const Fleet& fleet) {
  if (fleet.config.kubernetes.empty()) return not_applicable();
  Verdict verdict;
  if (!need(fleet.snapshot.kubernetes, "Kubernetes", verdict)) return verdict;
  const auto& cluster = *fleet.cluster();
  need(cluster.ingresses, "ingresses", verdict);
  need(cluster.ingress_classes, "ingressclasses", verdict);
  need(cluster.ingress_routes, "ingressroutes", verdict);
  need(cluster.traefik_services, "traefikservices", verdict);
  if (!need(cluster.services, "services", verdict)) return verdict;
  if (!fleet.endpoints.known()) {
    verdict.unknown.push_back("Kubernetes endpointslices: " + cluster.endpoint_slices.error.message);
  }
  Judge judge(fleet, verdict);
  for (const Route& route : fleet.routes) {
    const std::string from = fmt::format("{} {}", route.kind, route.object.text());
    for (const std::string& missing : route.missing_traefik_services) {
      judge.add("service_absent", "TraefikService", missing,
                fmt::format("{} leads to TraefikService {}, which does not exist.", from, missing),
                "create the TraefikService, or lead the route elsewhere");
    }
    for (const RouteBackend& backend : route.backends) judge.backend(backend, from);
  }
  // Legs of TraefikServices that no route uses yet.
  for (const auto& service : cluster.traefik_services.items) {
    for (const auto& leg : service.services) {
      if (leg.kind == "TraefikService" || leg.name.find('@') != std::string::npos) continue;
      RouteBackend backend{.service = {leg.namespace_name.empty() ? service.name.namespace_name : leg.namespace_name, leg.name},
                           .through_traefik_service = true};
      const bool number = !leg.port.empty() && std::all_of(leg.port.begin(), leg.port.end(), [](unsigned char c) { return std::isdigit(c) != 0; });
      number ? void(backend.port_number = std::atoi(leg.port.c_str())) : void(backend.port_name = leg.port);
      judge.backend(backend, fmt::format("TraefikService {}", service.name.text()));
    }
  }
  return verdict;
}

}  // namespace

const CheckDefinition backend_missing_check{
    .name = "backend_missing",
    .layer = Layer::backend,
    .question = "Is the Service, its port and at least one ready endpoint there behind every route?",
    .reasons = {{"service_absent", "The Service or TraefikService does not exist."},
                {"service_port_absent", "The Service has no such port."},
                {"no_ready_endpoints", "The Service has no ready endpoint."}},
    .judge = judge_backends};

}  // namespace shortcircuit
