#include "checks/walk.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/text.h"

namespace shortcircuit {
namespace {

using kubernetes::ObjectName;

// Findings by `check kind object`, so that a link finds its own without a scan.
class FindingIndex {
 public:
  explicit FindingIndex(std::vector<Finding>& findings) {
    for (Finding& finding : findings) {
      by_object_[fmt::format("{} {}", finding.check, finding.object)].push_back(&finding);
      by_check_[std::string(finding.check)].push_back(&finding);
    }
  }
  [[nodiscard]] std::vector<Finding*> of(std::string_view check, std::string_view object) const {
    const auto found = by_object_.find(fmt::format("{} {}", check, object));
    return found == by_object_.end() ? std::vector<Finding*>{} : found->second;
  }
  [[nodiscard]] std::vector<Finding*> of(const std::string& check) const {
    const auto found = by_check_.find(check);
    return found == by_check_.end() ? std::vector<Finding*>{} : found->second;
  }

 private:
  std::map<std::string, std::vector<Finding*>> by_object_;
  std::map<std::string, std::vector<Finding*>> by_check_;
};

class Walker {
 public:
  Walker(const Fleet& fleet, const std::set<std::string>& unjudged, Judgement& judgement)
      : fleet_(fleet), unjudged_(unjudged), findings_(judgement.findings) {}

  RouteWalk walk(const Route& route) {
    RouteWalk walk{.route = route, .links = {}, .cause = std::nullopt};
    name_ = (route.host.empty() ? "*" : route.host) + route.path;
    entry(route, walk);
    external_name(route, walk);
    middleware(route, walk);
    services(route, walk);
    router(route, walk);
    for (std::size_t i = 0; i < walk.links.size() && !walk.cause; ++i) {
      if (walk.links[i].status == LinkStatus::broken) walk.cause = i;
    }
    return walk;
  }

 private:
  // One link: broken by the first of `found`, unknown when one of `checks` could not judge.
  void link(RouteWalk& walk, std::string name, std::string text, const std::vector<Finding*>& found,
            std::initializer_list<std::string_view> checks) {
    RouteLink link{.link = std::move(name), .text = std::move(text), .status = LinkStatus::ok};
    for (const std::string_view check : checks) {
      if (unjudged_.contains(std::string(check))) link.status = LinkStatus::unknown;
    }
    for (Finding* finding : found) {
      if (finding->severity == Severity::info) continue;
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
  void entry(const Route& route, RouteWalk& walk) {
    const Expectations& expect = fleet_.config.expect;
    std::vector<IpAddress> entries = expect.entry_addresses;
    if (expect.resolve) {
      const auto* names = state_of(fleet_.snapshot.dns);
      const auto answer = names == nullptr ? decltype(names->hosts.begin()){} : names->hosts.find(route.host);
      if (names != nullptr && answer != names->hosts.end() && answer->second) {
        entries = answer->second->addresses;
      }
    }
    if (entries.empty()) return;
    std::vector<std::string> texts;
    std::vector<Finding*> found;
    for (const IpAddress& address : entries) texts.push_back(address.text());
    for (Finding* finding : findings_.of("entry_without_load_balancer")) {
      const bool concerns = std::any_of(texts.begin(), texts.end(), [&](const std::string& address) {
        return mentions(finding, address);
      });
      if (concerns) found.push_back(finding);
    }
    link(walk, "entry", join(texts, ", "), found, {"entry_without_load_balancer"});
  }

  // The finding is about the node that has the address, or about the address itself.
  [[nodiscard]] bool mentions(const Finding* finding, const std::string& address) const {
    if (finding->object == address) return true;
    const auto* cluster = fleet_.cluster();
    if (cluster == nullptr || finding->kind != "Node") return false;
    const auto parsed = IpAddress::parse(address);
    for (const auto& node : cluster->nodes.items) {
      if (node.name != finding->object) continue;
      for (const auto* list : {&node.internal_addresses, &node.external_addresses}) {
        if (std::find(list->begin(), list->end(), *parsed) != list->end()) return true;
      }
    }
    if (const auto* mesh = fleet_.headscale()) {
      for (const auto& peer : mesh->nodes) {
        const bool same = peer.given_name == finding->object || peer.host_name == finding->object;
        if (same && std::find(peer.addresses.begin(), peer.addresses.end(), *parsed) != peer.addresses.end()) return true;
      }
    }
    return false;
  }

  void external_name(const Route& route, RouteWalk& walk) {
    std::vector<Finding*> found;
    std::vector<std::string> names;
    for (const RouteBackend& backend : route.backends) {
      const auto* endpoints = fleet_.endpoints.find(backend.service);
      const bool external = endpoints != nullptr && endpoints->service->type == "ExternalName";
      if (!external) continue;
      names.push_back(endpoints->service->external_name);
      append(found, findings_.of("external_name_refused", backend.service.text()));
    }
    if (!names.empty()) {
      link(walk, "external_name", join(names, ", "), found, {"external_name_refused"});
    }
  }

  // What Traefik itself made of the route. A router that is absent or disabled is a symptom of the
  // links around it, so this link is never the cause; but a route without a working router is
  // never called sound either.
  void router(const Route& route, RouteWalk& walk) const {
    RouteLink link{.link = "router", .text = "", .status = LinkStatus::unknown};
    const auto* traefik = fleet_.traefik();
    if (traefik == nullptr) {
      if (fleet_.config.traefik.empty()) return;
      link.text = "Traefik cannot be read";
    } else if (!route.router) {
      link.text = "no router in Traefik";
    } else {
      const auto& router = traefik->routers[*route.router];
      link.text = fmt::format("{}: {}", router.name, router.status);
      if (router.status != "disabled") link.status = LinkStatus::ok;
    }
    const auto after_entry = walk.links.begin() + (!walk.links.empty() && walk.links.front().link == "entry" ? 1 : 0);
    walk.links.insert(after_entry, std::move(link));
  }

  void middleware(const Route& route, RouteWalk& walk) {
    if (route.middlewares.empty()) return;
    std::vector<Finding*> found;
    std::vector<std::string> names;
    for (const RouteMiddleware& middleware : route.middlewares) {
      const std::string object = middleware.object ? middleware.object->text() : middleware.reference;
      if (std::find(names.begin(), names.end(), object) != names.end()) continue;
      names.push_back(object);
      append(found, findings_.of("middleware_missing", object));
      if (object != middleware.reference) append(found, findings_.of("middleware_missing", middleware.reference));
    }
    link(walk, "middleware", join(names, ", "), found, {"middleware_missing"});
  }

  void services(const Route& route, RouteWalk& walk) {
    std::vector<Finding*> absent;
    std::vector<Finding*> ports;
    std::vector<Finding*> addresses;
    std::vector<std::string> service_names;
    std::vector<std::string> port_names;
    std::vector<std::string> address_names;
    for (const std::string& missing : route.missing_traefik_services) {
      service_names.push_back(missing);
      append(absent, findings_.of("backend_missing", missing));
    }
    for (const RouteBackend& backend : route.backends) {
      const std::string service = backend.service.text();
      if (std::find(service_names.begin(), service_names.end(), service) != service_names.end()) continue;
      service_names.push_back(service);
      port_names.push_back(backend.port_name.empty() ? std::to_string(backend.port_number) : backend.port_name);
      append(absent, findings_.of("backend_missing", service));
      append(ports, findings_.of("endpoint_port_mismatch", service));
      append(addresses, findings_.of("endpoint_address_stale", service));
      if (const auto* endpoints = fleet_.endpoints.find(backend.service)) {
        for (const std::string& address : endpoints->addresses()) {
          const auto parsed = IpAddress::parse(address);
          address_names.push_back(parsed ? fmt::format("{} ({})", address, fleet_.networks.of(*parsed).name) : address);
        }
      }
    }
    // A finding about no object of the route, but about its router as Traefik has it.
    append(absent, findings_.of("backend_missing", route.object.text()));
    link(walk, "service", join(service_names, ", "), absent, {"backend_missing"});
    link(walk, "port", join(port_names, ", "), ports, {"endpoint_port_mismatch"});
    link(walk, "endpoints", enumerate(address_names, 6), addresses, {"endpoint_address_stale"});
  }

  static void append(std::vector<Finding*>& to, const std::vector<Finding*>& from) {
    for (Finding* finding : from) {
      if (std::find(to.begin(), to.end(), finding) == to.end()) to.push_back(finding);
    }
  }

  const Fleet& fleet_;
  const std::set<std::string>& unjudged_;
  FindingIndex findings_;
  std::string name_;
};

}  // namespace

void walk_routes(const Fleet& fleet, const std::set<std::string>& unjudged, Judgement& judgement) {
  Walker walker(fleet, unjudged, judgement);
  for (const Route& route : fleet.routes) judgement.routes.push_back(walker.walk(route));
}

}  // namespace shortcircuit
