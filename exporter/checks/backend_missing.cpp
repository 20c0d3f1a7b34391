#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "checks/check.h"
#include "checks/cure.h"
#include "checks/entry.h"
#include "checks/router_error.h"
#include "checks/unknown.h"
#include "checks/way_in.h"
#include "fleet/router_index.h"

namespace shortcircuit {
namespace {

class BackendJudge {
 public:
  BackendJudge(const Fleet& fleet, Verdict& verdict) : fleet_(fleet), verdict_(verdict) {}

  void backend(const RouteBackend& backend, const std::string& from, bool of_ingress) {
    const auto& name = backend.service;
    const auto* endpoints = service(name, from);
    if (endpoints == nullptr) return;
    if (!port_exists(backend, *endpoints->service, of_ingress)) no_port(backend, from, of_ingress);
    // Traefik makes a router for it whatever the name leads to.
    if (const auto target = cluster_service_of(*endpoints->service))
      this->endpoints(*target, fmt::format("ExternalName Service {} of {}", name.text(), from));
    this->endpoints(name, from);
  }

  // The Service is there and has a ready endpoint.
  void endpoints(const kubernetes::ObjectName& name, const std::string& from) {
    const auto* endpoints = service(name, from);
    if (endpoints == nullptr || endpoints->service->type == "ExternalName" ||
        !fleet_.endpoints.known() || !endpoints->certain || endpoints->ready_addresses() > 0)
      return;
    const bool by_hand = endpoints->hand_kept();
    add("no_ready_endpoints", "Service", name.text(),
        by_hand ? fmt::format("{} leads to Service {}, which has no selector, and nobody has given "
                              "it a ready endpoint.",
                              from, name.text())
                : fmt::format("{} leads to Service {}, none of whose pods is ready.", from,
                              name.text()),
        by_hand ? no_address_by_hand(*endpoints)
                : fmt::format("kubectl -n {} get pods -l {}", name.namespace_name,
                              selector(*endpoints->service)));
  }

  void no_traefik_service(const std::string& name, const std::string& from) {
    add("service_absent", "TraefikService", name,
        fmt::format("{} leads to TraefikService {}, which does not exist.", from, name),
        "# create the TraefikService, or lead the route elsewhere");
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
  const ServiceEndpoints* service(const kubernetes::ObjectName& name, const std::string& from) {
    const auto* found = fleet_.endpoints.find(name);
    if (found == nullptr) {
      add("service_absent", "Service", name.text(),
          fmt::format("{} leads to Service {}, which does not exist.", from, name.text()),
          fmt::format("kubectl -n {} get services   # create {}, or lead the route to another",
                      shell_word(name.namespace_name), name.name));
    }
    return found;
  }

  void no_port(const RouteBackend& backend, const std::string& from, bool of_ingress) {
    const auto& name = backend.service;
    const std::string port =
        backend.port_name.empty() ? std::to_string(backend.port_number) : backend.port_name;
    const bool quoted = !of_ingress && port_number(backend.port_name).has_value();
    const bool none = backend.port_name.empty() && backend.port_number == 0;
    const char* fix = none     ? "the route must name one of its ports"
                      : quoted ? "spec.ports, or take the quotes off the route's port: in quotes "
                                 "it is a name"
                               : "spec.ports, or change the route's port";
    add("service_port_absent", "Service", name.text(),
        none ? fmt::format("{} leads to Service {} without naming a port, and Traefik needs one.",
                           from, name.text())
             : fmt::format("{} leads to port {} of Service {}, which has no such port{}.", from,
                           quoted ? "\"" + port + "\"" : port, name.text(),
                           quoted ? "; in quotes it is a port's name" : ""),
        none ? fmt::format("kubectl -n {} get service {}   # {}", name.namespace_name, name.name,
                           fix)
             : fmt::format("kubectl -n {} edit service {}   # {}", name.namespace_name, name.name,
                           fix));
  }

  // There may be nothing yet that could be edited.
  static std::string no_address_by_hand(const ServiceEndpoints& endpoints) {
    if (!endpoints.slices.empty()) return endpoints.edit_command() + "   # add the addresses";
    const auto& name = endpoints.service->name;
    return fmt::format(
        "kubectl -n {0} get service,endpoints,endpointslices   # apply Endpoints {1} with "
        "subsets[].addresses[].ip, and subsets[].ports[].name as in Service {1}",
        name.namespace_name, name.name);
  }

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

void judge_traefik_services(const kubernetes::State& cluster, bool old_group_read,
                            BackendJudge& judge) {
  const auto is_left_over = [&](const kubernetes::TraefikService& service) {
    return service.old_group && !old_group_read;  // Traefik does not see it, so nobody uses it
  };
  std::set<kubernetes::ObjectName> names;
  for (const auto& service : cluster.traefik_services.items) {
    if (!is_left_over(service)) names.insert(service.name);
  }
  for (const auto& service : cluster.traefik_services.items) {
    if (is_left_over(service)) continue;
    const std::string from = fmt::format("TraefikService {}", service.name.text());
    for (const auto& leg : service.services) {
      if (leg.name.find('@') != std::string::npos) continue;
      RouteBackend backend = backend_of(leg, service.name.namespace_name);
      if (leg.kind == "TraefikService") {
        if (!names.contains(backend.service))
          judge.no_traefik_service(backend.service.text(), from);
        continue;
      }
      backend.through_traefik_service = true;
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
  complete = need(cluster.ingress_route_tcps, "ingressroutetcps", verdict) && complete;
  complete = need(cluster.ingress_route_udps, "ingressrouteudps", verdict) && complete;
  complete = need(cluster.traefik_services, "traefikservices", verdict) && complete;
  if (!fleet.config.traefik.empty())
    complete = need(cluster.middlewares, "middlewares", verdict) && complete;
  if (!need(cluster.services, "services", verdict)) return verdict;
  if (!fleet.endpoints.known() || !cluster.endpoint_slices.known()) {
    verdict.unknown.push_back("Kubernetes endpointslices: " +
                              cluster.endpoint_slices.error.message);
    complete = false;
  }
  BackendJudge judge(fleet, verdict);
  for (const Route& route : fleet.routes) {
    const std::string from = fmt::format("{} {}", route.kind, route.object.text());
    for (const std::string& missing : route.missing_traefik_services)
      judge.no_traefik_service(missing, from);
    for (const RouteBackend& backend : route.backends)
      judge.backend(backend, from, route.kind == "Ingress");
  }
  judge_traefik_services(cluster, major_version_of(fleet.traefik()) < 3, judge);
  // The way in is a way to pods as well.
  for (const Entry& entry : judge_entry_addresses(fleet)) {
    if (entry.nobody_behind)
      judge.endpoints(entry.service, "The load balancer at " + entry.address.text());
  }
  const WayIn way_in = judge_way_in(fleet);
  for (const auto& name : way_in.services) judge.endpoints(name, "The way in of every route");
  if (way_in.status == WayIn::Status::unknown)
    verdict.unknown.push_back("Traefik itself: " + way_in.why);
  // What cannot be seen may be the cause of a dead router.
  if (!fleet.config.traefik.empty() && need(fleet.snapshot.traefik, "Traefik", verdict) && complete)
    judge_routers(fleet, verdict);
  return verdict;
}

}  // namespace

const CheckDefinition backend_missing_check{
    .name = "backend_missing",
    .layer = Layer::backend,
    .question =
        "Is the Service, its port and at least one ready endpoint there behind every route and "
        "every entry?",
    .reasons = {{"service_absent", "The Service or TraefikService does not exist."},
                {"service_port_absent", "The Service has no such port, or the route names none."},
                {"no_ready_endpoints", "The Service has no ready endpoint."},
                {"router_error",
                 "Traefik has no working router for the route, or not at every entry point, and no "
                 "object that it names is the cause; or it has disabled a router of a provider "
                 "whose objects are not read."}},
    .judge = judge_backends};

}  // namespace shortcircuit
