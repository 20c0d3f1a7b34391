#include "checks/walk.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/text.h"
#include "checks/address.h"
#include "checks/entry.h"
#include "checks/link_draft.h"
#include "checks/middleware_link.h"
#include "checks/route_faults.h"
#include "checks/route_probes.h"
#include "checks/way_in.h"

namespace shortcircuit {
namespace {

using kubernetes::ObjectName;

class Walker {
 public:
  Walker(const Fleet& fleet, Judgement& judgement)
      : fleet_(fleet),
        faults_(fleet),
        middlewares_(fleet),
        findings_(judgement.findings),
        way_in_(judge_way_in(fleet)),
        probes_(fleet) {
    for (Entry& entry : judge_entry_addresses(fleet))
      entries_.emplace(entry.address, std::move(entry));
    for (const EndpointAddress& address : judge_endpoint_addresses(fleet)) {
      if (address.judgement.needs_mesh) needing_mesh_.insert(address.service);
    }
  }

  RouteWalk walk(const Route& route) {
    RouteWalk walk{.route = route, .links = {}, .cause = std::nullopt};
    name_ = (route.host.empty() ? "*" : route.host) + route.path;
    entry(route, walk);
    router(route, walk);
    external_name(route, walk);
    middleware(route, walk);
    services(route, walk);
    probe(route, walk);
    for (std::size_t i = 0; i < walk.links.size() && !walk.cause; ++i) {
      if (walk.links[i].status == LinkStatus::broken) walk.cause = i;
    }
    return walk;
  }

 private:
  // Broken by the first of its findings, whatever else is unknown.
  void link(RouteWalk& walk, std::string name, const Draft& draft) const {
    RouteLink link{.link = std::move(name),
                   .text = enumerate(draft.texts, 6),
                   .status = draft.unknown ? LinkStatus::unknown : LinkStatus::ok};
    for (Finding* finding : draft.found) {
      if (link.status != LinkStatus::broken) {
        link.status = LinkStatus::broken;
        link.layer = finding->layer;
        link.check = finding->check;
        link.reason = finding->reason;
        link.object = finding->object;
      }
      if (std::find(finding->hosts.begin(), finding->hosts.end(), name_) == finding->hosts.end()) {
        finding->hosts.push_back(name_);
      }
    }
    walk.links.push_back(std::move(link));
  }

  // With DNS each host has its own entries; without, all share the configured ones.
  void entry(const Route& route, RouteWalk& walk) const {
    const Expectations& expect = fleet_.config.expect;
    std::vector<IpAddress> addresses = expect.entry_addresses;
    Draft draft;
    if (expect.resolve) {
      const auto* names = state_of(fleet_.snapshot.dns);
      if (names == nullptr) {
        draft.unknown = true;
      } else if (const auto answer = names->hosts.find(route.host); answer != names->hosts.end()) {
        draft.unknown = !answer->second || answer->second->absent;
        if (answer->second) addresses = answer->second->addresses;
        if (answer->second && answer->second->absent) draft.name("no address in DNS");
      } else if (addresses.empty() && is_plain_host(route.host)) {
        draft.unknown = true;  // not asked yet
      }
    }
    if (way_in_.status == WayIn::Status::unknown) {
      draft.unknown = true;
      draft.name("Traefik itself: " + way_in_.why);
    }
    for (const ObjectName& service : way_in_.services) {
      draft.name(service.text());
      add_reason(draft, service.text(), "Service", "no_ready_endpoints");
    }
    if (addresses.empty() && draft.texts.empty() && !draft.unknown) return;
    for (const IpAddress& address : addresses) {
      draft.name(address.text());
      const auto judged = entries_.find(address);
      if (judged == entries_.end() || judged->second.status == Entry::Status::unknown) {
        draft.unknown = true;
      } else if (judged->second.status == Entry::Status::uncovered) {
        const Entry& at = judged->second;
        if (at.nobody_behind) {
          add_reason(draft, at.service.text(), "Service", "no_ready_endpoints");
          continue;
        }
        draft.add(findings_.of("entry_without_load_balancer",
                               at.reason == "not_a_node" ? address.text() : at.node));
        continue;
      }
      // The cluster knows the address, and the mesh says that nobody reaches it.
      if (judged != entries_.end() && !judged->second.away.empty())
        add_peer(draft, judged->second.away, judged->second.node);
    }
    link(walk, "entry", draft);
  }

  void add_peer(Draft& draft, const std::string& name, const std::string& node) const {
    draft.add(findings_.of("peer_offline", name));
    for (Finding* finding : findings_.of("node_half_migrated", node)) {
      if (finding->reason == "node_address_unknown") draft.add(finding);
    }
    for (Finding* finding : findings_.of("key_expiring", name)) {
      if (finding->reason == "expired" && finding->kind == "Peer") draft.add(finding);
    }
    draft.unknown = true;  // if nobody says so
  }

  // What Traefik itself made of the route. A router that is absent or disabled is mostly a symptom
  // of another link: then this one is unknown, so that it is not taken for the cause and the route
  // not for sound.
  void router(const Route& route, RouteWalk& walk) const {
    const bool http = route.kind == "Ingress" || route.kind == "IngressRoute";
    if (fleet_.config.traefik.empty() || !http) return;
    Draft draft;
    const auto* traefik = fleet_.traefik();
    const RouterState state = faults_.router_state(route);
    draft.unknown = state != RouterState::alive;
    if (traefik == nullptr) {
      draft.name("Traefik cannot be read");
    } else if (route.routers.empty()) {
      draft.name("no router in Traefik");
    }
    for (const std::size_t index : route.routers) {
      const auto& found = traefik->routers[index];
      const RouterState own = fleet_.router_states.of(index);
      draft.name(fmt::format("{}: {}{}", found.name, found.status,
                             own == RouterState::no_servers     ? ", no servers"
                             : own == RouterState::servers_down ? ", every server DOWN"
                                                                : ""));
    }
    // An Ingress has a router for each of its paths; the finding speaks of the dead ones. A warning
    // speaks of those that lack an entry point and are alive.
    if (state != RouterState::alive && state != RouterState::unknown &&
        !faults_.has_backend_fault(route)) {
      for (Finding* finding : findings_.of("backend_missing", route.object.text())) {
        if (finding->reason == "router_error" && finding->kind == route.kind &&
            finding->severity == Severity::critical)
          draft.add(finding);
      }
    }
    link(walk, "router", draft);
  }

  void external_name(const Route& route, RouteWalk& walk) const {
    Draft draft;
    for (const RouteBackend& backend : route.backends) {
      const auto* endpoints = fleet_.endpoints.find(backend.service);
      if (endpoints == nullptr || endpoints->service->type != "ExternalName") continue;
      draft.name(endpoints->service->external_name);
      // The flag is one of each provider: the same Service may be refused to one route and not to
      // another.
      if (faults_.has_server(route)) continue;
      const auto& found = findings_.of("external_name_refused", backend.service.text());
      draft.add(found);
      draft.unknown = draft.unknown || found.empty();
    }
    if (!draft.texts.empty()) link(walk, "external_name", draft);
  }

  void middleware(const Route& route, RouteWalk& walk) const {
    const Draft draft = middlewares_.draft_of(route, findings_);
    if (!draft.texts.empty()) link(walk, "middleware", draft);
  }

  void services(const Route& route, RouteWalk& walk) const {
    const auto* cluster = fleet_.cluster();
    const bool endpoints_known = fleet_.endpoints.known();
    const bool may_lead_through = route.kind != "Ingress" && !cluster->traefik_services.known();
    Draft service{.unknown = !cluster->services.known() || may_lead_through};
    Draft port{.unknown = !endpoints_known};
    Draft addresses{.unknown = !endpoints_known};
    for (const std::string& missing : route.missing_traefik_services) {
      service.name(missing);
      add_reason(service, missing, "TraefikService", "service_absent");
    }
    const bool alive = faults_.router_state(route) == RouterState::alive;
    for (const RouteBackend& backend : route.backends) {
      const std::string name = backend.service.text();
      service.name(name);
      add_reason(service, name, "Service", "service_absent");
      // What is dead behind an idle leg either takes the router away or is missed by nobody.
      if (backend.idle && alive) continue;
      port.name(backend.port_name.empty() ? std::to_string(backend.port_number)
                                          : backend.port_name);
      const auto* endpoints = fleet_.endpoints.find(backend.service);
      if (endpoints == nullptr) continue;
      if (!endpoints->certain) port.unknown = addresses.unknown = true;
      add_port(route, backend, *endpoints, port);
      add_addresses(*endpoints, addresses);
      // What an ExternalName means is not followed by Traefik; the request is.
      const auto target = target_of(backend, *endpoints->service);
      if (!target) continue;
      add_reason(addresses, target->service.text(), "Service", "service_absent");
      if (const auto* found = fleet_.endpoints.find(target->service)) {
        addresses.unknown = addresses.unknown || !found->certain;
        add_target_port(*target, *found, port);
        add_addresses(*found, addresses);
      }
    }
    link(walk, "service", service);
    link(walk, "port", port);
    // An ExternalName has none, and a Service that is absent cannot have any: not a word, not "ok".
    if (!addresses.texts.empty() || !addresses.found.empty() || addresses.unknown) {
      link(walk, "endpoints", addresses);
    }
  }

  // What a visitor gets, as probes see it: where they fail and no other link is broken, nobody
  // knows why, and the route is not called sound.
  void probe(const Route& route, RouteWalk& walk) const {
    Draft draft;
    for (const probes::Outcome* outcome : probes_.of(route)) {
      draft.name(outcome->name + ": " + RouteProbes::answer(*outcome));
      draft.unknown = draft.unknown || !outcome->succeeded();
    }
    if (!draft.texts.empty()) link(walk, "probe", draft);
  }

  void add_addresses(const ServiceEndpoints& endpoints, Draft& addresses) const {
    const ObjectName& service = endpoints.service->name;
    add_reason(addresses, service.text(), "Service", "no_ready_endpoints");
    addresses.add(findings_.of("endpoint_address_stale", service.text()));
    const bool needs_nodes = endpoints.hand_kept() && !fleet_.cluster()->nodes.known();
    addresses.unknown = addresses.unknown || needs_nodes || needing_mesh_.contains(service);
    name_addresses(endpoints, addresses);
  }

  // Findings about a Service's ports concern only the routes that use such a port.
  void add_port(const Route& route, const RouteBackend& backend, const ServiceEndpoints& endpoints,
                Draft& port) const {
    const std::string name = backend.service.text();
    if (faults_.backend_fault(route, backend) == "service_port_absent")
      add_reason(port, name, "Service", "service_port_absent");
    add_port_mismatch(backend, endpoints, port);
  }

  // Of what an ExternalName means. A headless Service's name gives its pods, and what they listen
  // on beside their Service's ports is nowhere to be read.
  void add_target_port(const RouteBackend& target, const ServiceEndpoints& endpoints,
                       Draft& port) const {
    if (lacks_port(target, *endpoints.service))
      add_reason(port, target.service.text(), "Service", "service_port_absent");
    if (!endpoints.service->headless()) return add_port_mismatch(target, endpoints, port);
    const auto slices = endpoints.slices_in_use();
    const bool told = slices.empty() || std::ranges::any_of(slices, [&](const auto* slice) {
                        return std::ranges::any_of(slice->ports, [&](const auto& item) {
                          return item.port == target.port_number;
                        });
                      });
    if (told) return;
    port.unknown = true;
    port.name(fmt::format("{} at the endpoints of {}, which have no such port", target.port_number,
                          target.service.text()));
  }

  void add_port_mismatch(const RouteBackend& backend, const ServiceEndpoints& endpoints,
                         Draft& port) const {
    const auto* asked = port_of(backend, *endpoints.service);
    if (asked == nullptr) return;
    for (Finding* finding :
         findings_.of("endpoint_port_mismatch", endpoints.service->name.text())) {
      // Traefik leaves the slices that do not carry the port out; another one may answer.
      if (!endpoints.carries(*asked)) port.add(finding);
    }
  }

  void name_addresses(const ServiceEndpoints& endpoints, Draft& draft) const {
    constexpr std::size_t enough = 6;
    const auto addresses = endpoints.addresses();
    for (std::size_t i = 0; i < addresses.size() && i < enough; ++i) {
      const auto parsed = IpAddress::parse(addresses[i]);
      draft.name(parsed ? fmt::format("{} ({})", addresses[i], fleet_.networks.of(*parsed).name)
                        : addresses[i]);
    }
    if (addresses.size() > enough) draft.name(fmt::format("{} more", addresses.size() - enough));
  }

  void add_reason(Draft& draft, const std::string& object, std::string_view kind,
                  std::string_view reason) const {
    for (Finding* finding : findings_.of("backend_missing", object)) {
      if (finding->kind == kind && finding->reason == reason) draft.add(finding);
    }
  }

  const Fleet& fleet_;
  RouteFaults faults_;
  MiddlewareLink middlewares_;
  FindingIndex findings_;
  WayIn way_in_;
  RouteProbes probes_;
  std::map<IpAddress, Entry> entries_;
  std::set<ObjectName> needing_mesh_;
  std::string name_;
};

}  // namespace

void walk_routes(const Fleet& fleet, Judgement& judgement) {
  Walker walker(fleet, judgement);
  for (const Route& route : fleet.routes) judgement.routes.push_back(walker.walk(route));
}

}  // namespace shortcircuit
