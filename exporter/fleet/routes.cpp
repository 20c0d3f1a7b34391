#include "fleet/routes.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/text.h"
#include "fleet/middleware_reference.h"
#include "fleet/router_rule.h"

namespace shortcircuit {
namespace {

using kubernetes::ObjectName;

constexpr std::string_view traefik_controller = "traefik.io/ingress-controller";
constexpr std::string_view legacy_class = "traefik";

// Routers by provider and rule; several may carry the same rule, the first is as good as any.
class RouterIndex {
 public:
  explicit RouterIndex(const traefik::State* traefik) {
    if (traefik == nullptr) return;
    for (std::size_t i = 0; i < traefik->routers.size(); ++i) {
      const auto& router = traefik->routers[i];
      by_rule_.try_emplace(router.provider + " " + normalized_rule(router.rule), i);
      by_name_.try_emplace(router.name, i);
    }
  }

  [[nodiscard]] std::optional<std::size_t> find(std::string_view provider, const std::string& rule,
                                                const std::string& name = "") const {
    const auto found = by_rule_.find(std::string(provider) + " " + normalized_rule(rule));
    if (found != by_rule_.end()) return found->second;
    const auto named = by_name_.find(name);
    return named == by_name_.end() ? std::nullopt : std::optional(named->second);
  }

 private:
  std::map<std::string, std::size_t> by_rule_;
  std::map<std::string, std::size_t> by_name_;
};

// The rule that Traefik makes of one path of an Ingress.
std::string ingress_rule(const std::string& host, const std::string& path, const std::string& path_type) {
  std::string rule;
  if (host.starts_with("*.")) {
    std::string pattern;
    for (const char c : host.substr(1)) pattern += c == '.' ? std::string("\\.") : std::string(1, c);
    rule = fmt::format("HostRegexp(`^[a-zA-Z0-9-]+{}$`)", pattern);
  } else if (!host.empty()) {
    rule = fmt::format("Host(`{}`)", host);
  }
  if (path.empty()) return rule.empty() ? "PathPrefix(`/`)" : rule;
  const std::string matcher = fmt::format("{}(`{}`)", path_type == "Exact" ? "Path" : "PathPrefix", path);
  return rule.empty() ? matcher : rule + " && " + matcher;
}

// `<ns>-<ingress>-<host>[-path]@kubernetes`, everything that is no letter or digit turned to dashes.
std::string ingress_router_name(const ObjectName& ingress, const std::string& host, const std::string& path) {
  std::string name = ingress.namespace_name + "-" + ingress.name;
  for (const std::string& part : {host, path}) {
    const auto trimmed = trim(part == "/" ? std::string_view() : std::string_view(part));
    if (!trimmed.empty()) name += "-" + std::string(trimmed);
  }
  std::string result;
  for (const char c : name) {
    const bool plain = (std::isalnum(static_cast<unsigned char>(c)) != 0);
    if (plain) {
      result += c;
    } else if (!result.empty() && result.back() != '-') {
      result += '-';
    }
  }
  return result + "@kubernetes";
}

class Builder {
 public:
  Builder(const kubernetes::State& cluster, const traefik::State* traefik)
      : cluster_(cluster), routers_(traefik), middlewares_(cluster) {
    for (const auto& item : cluster.traefik_services.items) traefik_services_[item.name] = &item;
    for (const auto& item : cluster.ingress_classes.items) {
      if (item.controller == traefik_controller) classes_.insert(item.name);
    }
  }

  std::vector<Route> build() {
    for (const auto& ingress : cluster_.ingresses.items) {
      if (is_traefiks(ingress)) add(ingress);
    }
    for (const auto& route : cluster_.ingress_routes.items) add(route, "IngressRoute");
    for (const auto& route : cluster_.ingress_route_tcps.items) add(route, "IngressRouteTCP");
    for (const auto& route : cluster_.ingress_route_udps.items) add(route, "IngressRouteUDP");
    return std::move(routes_);
  }

 private:
  // The legacy annotation, when set, decides alone; a class that does not exist is nobody's.
  [[nodiscard]] bool is_traefiks(const kubernetes::Ingress& ingress) const {
    if (ingress.class_annotation) return *ingress.class_annotation == legacy_class;
    if (!ingress.class_name) return true;
    if (cluster_.ingress_classes.status == kubernetes::Listed<kubernetes::IngressClass>::Status::listed) {
      return classes_.contains(*ingress.class_name);
    }
    return *ingress.class_name == legacy_class;  // classes cannot be read: the usual name
  }

  void add(const kubernetes::Ingress& ingress) {
    std::vector<RouteMiddleware> middlewares;
    const auto annotation = ingress.traefik_annotations.find("traefik.ingress.kubernetes.io/router.middlewares");
    if (annotation != ingress.traefik_annotations.end()) {
      for (const std::string& reference : split(annotation->second, ',')) {
        if (!trim(reference).empty()) {
          middlewares_.resolve(std::string(trim(reference)), ingress.name.namespace_name, middlewares);
        }
      }
    }
    const auto add_path = [&](const std::string& host, const std::string& path, const std::string& type,
                              const kubernetes::IngressBackend& backend, const std::string& router_name) {
      Route route{.host = host, .path = path.empty() ? "/" : path, .kind = "Ingress", .object = ingress.name};
      route.rule = ingress_rule(host, path, type);
      route.created = ingress.created;
      route.middlewares = middlewares;
      route.tls = std::find(ingress.tls_hosts.begin(), ingress.tls_hosts.end(), host) != ingress.tls_hosts.end();
      route.router = routers_.find("kubernetes", route.rule, router_name);
      route.backends.push_back({.service = {ingress.name.namespace_name, backend.service},
                                .port_name = backend.port_name,
                                .port_number = backend.port_number});
      routes_.push_back(std::move(route));
    };
    for (const auto& rule : ingress.rules) {
      for (const auto& path : rule.paths) {
        if (path.backend) {
          add_path(rule.host, path.path, path.path_type, *path.backend,
                   ingress_router_name(ingress.name, rule.host, path.path));
        }
      }
      // A rule without paths sends its host to the default backend.
      if (rule.paths.empty() && ingress.default_backend) {
        add_path(rule.host, "", "Prefix", *ingress.default_backend, ingress_router_name(ingress.name, rule.host, ""));
      }
    }
    if (ingress.rules.empty() && ingress.default_backend) {
      add_path("", "/", "Prefix", *ingress.default_backend, "default-router@kubernetes");
    }
  }

  void add(const kubernetes::IngressRoute& object, const std::string& kind) {
    for (const auto& rule : object.rules) {
      Route route{.kind = kind, .object = object.name};
      route.rule = rule.match;
      route.created = object.created;
      route.entry_points = object.entry_points;
      route.tls = object.tls;
      if (kind == "IngressRoute") route.router = routers_.find("kubernetescrd", rule.match);
      // Another instance's, unless this one has a router for it all the same.
      if (object.class_annotation && *object.class_annotation != legacy_class && !route.router) continue;
      for (const auto& middleware : rule.middlewares) {
        middlewares_.resolve_object(middleware, object.name.namespace_name, kind == "IngressRouteTCP", route.middlewares);
      }
      std::set<ObjectName> visited;
      for (const auto& service : rule.services) add_service(service, object.name.namespace_name, false, visited, route);
      const auto targets = targets_of_rule(rule.match);
      if (!targets || targets->empty()) {
        route.host = rule.match;
        route.path = "/";
        routes_.push_back(std::move(route));
        continue;
      }
      for (const RuleTarget& target : *targets) {
        route.host = target.host;
        route.path = target.path.empty() ? "/" : target.path;
        routes_.push_back(route);
      }
    }
  }

  void add_service(const kubernetes::ServiceReference& reference, const std::string& own_namespace, bool through,
                   std::set<ObjectName>& visited, Route& route) {
    if (reference.name.find('@') != std::string::npos) return;  // of another provider: nothing to look at here
    const ObjectName name{reference.namespace_name.empty() ? own_namespace : reference.namespace_name, reference.name};
    if (reference.kind != "TraefikService") {
      RouteBackend backend{.service = name, .through_traefik_service = through};
      const bool number = !reference.port.empty() &&
                          std::all_of(reference.port.begin(), reference.port.end(),
                                      [](unsigned char c) { return std::isdigit(c) != 0; });
      if (number) {
        backend.port_number = std::atoi(reference.port.c_str());
      } else {
        backend.port_name = reference.port;
      }
      route.backends.push_back(std::move(backend));
      return;
    }
    if (!visited.insert(name).second) return;
    const auto found = traefik_services_.find(name);
    if (found == traefik_services_.end()) {
      if (cluster_.traefik_services.known()) route.missing_traefik_services.push_back(name.text());
      return;
    }
    for (const auto& leg : found->second->services) add_service(leg, name.namespace_name, true, visited, route);
  }

  const kubernetes::State& cluster_;
  RouterIndex routers_;
  MiddlewareResolver middlewares_;
  std::map<ObjectName, const kubernetes::TraefikService*> traefik_services_;
  std::set<std::string> classes_;
  std::vector<Route> routes_;
};

}  // namespace

std::vector<Route> routes_of(const Snapshot& snapshot) {
  const auto* cluster = state_of(snapshot.kubernetes);
  if (cluster == nullptr) return {};
  return Builder(*cluster, state_of(snapshot.traefik)).build();
}

}  // namespace shortcircuit
