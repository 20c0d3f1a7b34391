#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "checks/check.h"
#include "checks/cure.h"
#include "checks/entry.h"
#include "checks/route_faults.h"
#include "checks/router_error.h"
#include "checks/unknown.h"
#include "checks/way_in.h"
#include "fleet/middleware_target.h"
#include "fleet/router_index.h"

namespace shortcircuit {
namespace {

class BackendJudge {
 public:
  BackendJudge(const Fleet& fleet, Verdict& verdict)
      : fleet_(fleet), verdict_(verdict), faults_(fleet), middlewares_(fleet) {}

  // How much a Service without a ready endpoint hurts, and what it means for the requests.
  struct Harm {
    Severity severity = Severity::critical;
    std::string_view meaning;
  };

  void route(const Route& route) {
    const std::string from = fmt::format("{} {}", route.kind, route.object.text());
    for (const std::string& missing : route.missing_traefik_services)
      no_traefik_service(missing, from);
    for (const RouteBackend& item : route.backends)
      backend(item, from, route.kind == "Ingress", harm_of(route, item));
  }

  // Where its middlewares lead to.
  void middlewares_of(const Route& route) {
    const bool alive = faults_.router_state(route) == RouterState::alive;
    for (const RouteMiddleware& item : route.middlewares) {
      const auto* middleware = middlewares_.of(item);
      if (middleware == nullptr) continue;
      if (const auto target = forward_target(*middleware).service) {
        const std::string from = fmt::format("forwardAuth of Middleware {}", item.name());
        endpoints(target->service, from, {});
        target_port(*target,
                    fmt::format("kubectl -n {} edit middleware {}   # spec.forwardAuth.address",
                                item.object->namespace_name, item.object->name),
                    from);
      }
      const auto& pages = middleware->error_pages;
      if (!pages || pages->kind != "Service" || pages->name.find('@') != std::string::npos)
        continue;
      backend(backend_of(*pages, item.object->namespace_name),
              fmt::format("errors of Middleware {}", item.name()), false,
              alive ? Harm{.severity = Severity::info,
                           .meaning = "; only the pages that tell of errors are missing"}
                    : Harm{});
    }
  }

  // Says nothing that the routes have said.
  void traefik_service(const kubernetes::TraefikService& service,
                       const std::set<kubernetes::ObjectName>& names) {
    const std::string from = fmt::format("TraefikService {}", service.name.text());
    keep_what_is_said_ = true;
    for (const auto& leg : service.services) {
      if (leg.name.find('@') != std::string::npos) continue;
      RouteBackend item = backend_of(leg, service.name.namespace_name);
      if (leg.kind == "TraefikService") {
        if (!names.contains(item.service)) no_traefik_service(item.service.text(), from);
        continue;
      }
      item.through_traefik_service = true;
      backend(item, from, false, item.idle ? missed_by_nobody() : Harm{});
    }
    keep_what_is_said_ = false;
  }

  void backend(const RouteBackend& backend, const std::string& from, bool of_ingress, Harm harm) {
    const auto& name = backend.service;
    const auto* endpoints = service(name, from);
    if (endpoints == nullptr) return;
    if (!port_exists(backend, *endpoints->service, of_ingress)) no_port(backend, from, of_ingress);
    // Traefik makes a router for it whatever the name leads to.
    if (const auto target = target_of(backend, *endpoints->service)) {
      const std::string through = fmt::format("ExternalName Service {} of {}", name.text(), from);
      this->endpoints(target->service, through, harm);
      target_port(*target,
                  fmt::format("kubectl -n {} edit service {}   # spec.ports[].port (targetPort "
                              "means nothing there, and the route must name the port)",
                              name.namespace_name, name.name),
                  through);
    }
    this->endpoints(name, from, harm);
  }

  // The Service is there and has a ready endpoint.
  void endpoints(const kubernetes::ObjectName& name, const std::string& from, Harm harm) {
    const auto* endpoints = service(name, from);
    if (endpoints == nullptr || endpoints->service->type == "ExternalName" ||
        !fleet_.endpoints.known() || !endpoints->certain || endpoints->ready_addresses() > 0)
      return;
    const bool by_hand = endpoints->hand_kept();
    add("no_ready_endpoints", "Service", name.text(),
        by_hand ? fmt::format("{} leads to Service {}, which has no selector, and nobody has given "
                              "it a ready endpoint{}.",
                              from, name.text(), harm.meaning)
                : fmt::format("{} leads to Service {}, none of whose pods is ready{}.", from,
                              name.text(), harm.meaning),
        by_hand ? no_address_by_hand(*endpoints)
                : fmt::format("kubectl -n {} get pods -l {}", name.namespace_name,
                              selector(*endpoints->service)),
        harm.severity);
  }

  void no_traefik_service(const std::string& name, const std::string& from) {
    add("service_absent", "TraefikService", name,
        fmt::format("{} leads to TraefikService {}, which does not exist.", from, name),
        "# create the TraefikService, or lead the route elsewhere");
  }

 private:
  // Each is said once, as the worst that it does to anybody.
  void add(std::string reason, std::string kind, std::string object, std::string message,
           std::string cure, Severity severity = Severity::critical) {
    const auto [said, added] =
        said_.try_emplace(reason + " " + kind + " " + object, verdict_.findings.size());
    if (!added && (keep_what_is_said_ || verdict_.findings[said->second].severity <= severity))
      return;
    if (added) verdict_.findings.emplace_back();
    verdict_.findings[said->second] = {.severity = severity,
                                       .reason = std::move(reason),
                                       .kind = std::move(kind),
                                       .object = std::move(object),
                                       .message = std::move(message),
                                       .cure = std::move(cure)};
  }

  static Harm missed_by_nobody() {
    return {
        .severity = Severity::info,
        .meaning = "; it is a mirror, a fallback or of weight 0 there, so no request misses it"};
  }

  // Where Traefik does without it (allowEmptyServices); else the router is gone, whichever leg it
  // is.
  [[nodiscard]] Harm harm_of(const Route& route, const RouteBackend& backend) const {
    if (faults_.router_state(route) != RouterState::alive) return {};
    if (backend.idle) return missed_by_nobody();
    const bool others_answer = std::ranges::any_of(route.backends, [&](const RouteBackend& other) {
      return !other.idle && faults_.backend_fault(route, other).empty() &&
             !faults_.leads_to_dead_service(other);
    });
    if (!others_answer) return {};
    return {.severity = Severity::warning,
            .meaning = "; others answer beside it, so requests fail by turns"};
  }

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

  // What is dialled by the Service's name. `edit`: where the port is written.
  void target_port(const RouteBackend& target, const std::string& edit, const std::string& from) {
    const auto* endpoints = fleet_.endpoints.find(target.service);
    if (endpoints == nullptr || !lacks_port(target, *endpoints->service)) return;
    add("service_port_absent", "Service", target.service.text(),
        fmt::format("{} leads to port {} of Service {}, which has no such port.", from,
                    target.port_number, target.service.text()),
        fmt::format("{}: a port that Service {} has", edit, target.service.text()));
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
  RouteFaults faults_;
  MiddlewareObjects middlewares_;
  std::map<std::string, std::size_t> said_;  // index into the findings
  bool keep_what_is_said_ = false;
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
    if (!is_left_over(service)) judge.traefik_service(service, names);
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
  for (const Route& route : fleet.routes) judge.route(route);
  for (const Route& route : fleet.routes) judge.middlewares_of(route);
  judge_traefik_services(cluster, reads_old_group(fleet.traefik()), judge);
  // The way in is a way to pods as well.
  for (const Entry& entry : judge_entry_addresses(fleet)) {
    if (entry.nobody_behind)
      judge.endpoints(entry.service, "The load balancer at " + entry.address.text(), {});
  }
  const WayIn way_in = judge_way_in(fleet);
  for (const auto& name : way_in.services) judge.endpoints(name, "The way in of every route", {});
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
