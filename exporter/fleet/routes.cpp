#include "fleet/routes.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/text.h"
#include "fleet/middleware_reference.h"
#include "fleet/route_tls.h"
#include "fleet/router_index.h"
#include "fleet/router_rule.h"

namespace shortcircuit {
namespace {

using kubernetes::ObjectName;

constexpr std::string_view traefik_controller = "traefik.io/ingress-controller";
constexpr std::string_view legacy_class = "traefik";

class Builder {
 public:
  Builder(const kubernetes::State& cluster, const traefik::State* traefik)
      : cluster_(cluster),
        routers_(traefik),
        reads_old_group_(reads_old_group(traefik)),
        middlewares_(cluster) {
    for (const auto& item : cluster.traefik_services.items) {
      if (is_read(item.old_group)) traefik_services_[item.name] = &item;
    }
    for (const auto& item : cluster.ingress_classes.items) {
      if (item.controller == traefik_controller) classes_.insert(item.name);
    }
  }

  std::vector<Route> build() {
    for (const auto& ingress : cluster_.ingresses.items) {
      if (is_traefiks(ingress)) add(ingress);
    }
    find_served_classes();
    add_all(cluster_.ingress_routes, "IngressRoute");
    add_all(cluster_.ingress_route_tcps, "IngressRouteTCP");
    add_all(cluster_.ingress_route_udps, "IngressRouteUDP");
    // What a name says is surer than a rule that two objects may have in common.
    match_remaining([&](const Unmatched& unmatched, std::string_view provider) {
      return routers_.claim_by_name(provider, unmatched.router_name);
    });
    match_remaining([&](const Unmatched& unmatched, std::string_view provider) {
      return routers_.claim_by_rule(provider, routes_[unmatched.first].rule);
    });
    for (Route& route : routes_)
      route.tls = route.tls || std::ranges::any_of(route.routers, [&](std::size_t router) {
                    return routers_.is_for_tls(router);
                  });
    return std::move(routes_);
  }

 private:
  // Routes of one rule whose router was not found by rule and name.
  struct Unmatched {
    std::size_t first = 0;  // in routes_
    std::size_t count = 0;
    std::string router_name;
  };

  template <class Claim>
  void match_remaining(Claim claim) {
    for (const Unmatched& unmatched : unmatched_) {
      const Route& first = routes_[unmatched.first];
      if (!first.routers.empty()) continue;
      const auto routers =
          claim(unmatched, first.kind == "Ingress" ? "kubernetes" : "kubernetescrd");
      for (std::size_t i = 0; i < unmatched.count; ++i)
        routes_[unmatched.first + i].routers = routers;
    }
  }

  // An IngressClass decides before the legacy annotation; a class that does not exist is nobody's.
  [[nodiscard]] bool is_traefiks(const kubernetes::Ingress& ingress) const {
    if (ingress.class_name) {
      if (cluster_.ingress_classes.known()) return classes_.contains(*ingress.class_name);
      return *ingress.class_name == legacy_class;  // classes cannot be read: the usual name
    }
    // Without any class it is Traefik's only if Traefik reads Ingresses at all.
    if (!ingress.class_annotation || ingress.class_annotation->empty()) {
      return routers_.provider_runs("KubernetesIngress");
    }
    return *ingress.class_annotation == legacy_class;
  }

  // Objects of the old API group are read up to version 2.
  [[nodiscard]] bool is_read(bool old_group) const { return !old_group || reads_old_group_; }

  void add(const kubernetes::Ingress& ingress) {
    std::vector<RouteMiddleware> middlewares;
    const auto annotated = [&](const std::string& name) {
      const auto found =
          ingress.traefik_annotations.find("traefik.ingress.kubernetes.io/router." + name);
      return found == ingress.traefik_annotations.end() ? std::string() : found->second;
    };
    for (const std::string& reference : split(annotated("middlewares"), ',')) {
      if (trim(reference).empty()) continue;
      middlewares_.resolve(std::string(trim(reference)), ingress.name.namespace_name, middlewares);
    }
    const std::string own_matcher = annotated("pathmatcher");
    const auto add_path = [&](const std::string& host, const std::string& path,
                              const std::string& matcher, const kubernetes::IngressBackend& backend,
                              const std::string& router_name) {
      Route route{.host = host,
                  .path = path.empty() ? "/" : path,
                  .kind = "Ingress",
                  .object = ingress.name};
      route.ingress_class = ingress.class_name.value_or(ingress.class_annotation.value_or(""));
      route.rule = ingress_rule(host, path, matcher);
      route.created = ingress.created;
      route.middlewares = middlewares;
      route.tls = has_tls(ingress, host);
      route.routers = routers_.claim("kubernetes", route.rule, router_name);
      route.backends.push_back({.service = {ingress.name.namespace_name, backend.service},
                                .port_name = backend.port_name,
                                .port_number = backend.port_number});
      if (route.routers.empty())
        unmatched_.push_back({.first = routes_.size(), .count = 1, .router_name = router_name});
      routes_.push_back(std::move(route));
    };
    // Traefik leaves rules without paths and backends that are no Services alone.
    for (const auto& rule : ingress.rules) {
      for (const auto& path : rule.paths) {
        if (!path.backend) continue;
        const bool chosen = path.path_type.empty() || path.path_type == "ImplementationSpecific";
        const std::string matcher = path.path_type == "Exact"        ? "Path"
                                    : chosen && !own_matcher.empty() ? own_matcher
                                                                     : "PathPrefix";
        add_path(rule.host, path.path, matcher, *path.backend,
                 normalized_name(ingress.name.namespace_name + "-" + ingress.name.name + "-" +
                                 rule.host + path.path));
      }
    }
    // The default backend counts only where there is no rule, and only the first of the cluster.
    if (ingress.rules.empty() && ingress.default_backend) {
      add_path("", "/", "PathPrefix", *ingress.default_backend, "default-router");
    }
  }

  // To the provider of IngressRoutes the usual class and none are the same.
  static std::string class_of(const kubernetes::IngressRoute& object) {
    const std::string annotation = object.class_annotation.value_or("");
    return annotation == legacy_class ? "" : annotation;
  }

  // A Traefik serves IngressRoutes of one class: where it is seen to serve another, this one is
  // another instance's. Where it serves none at all nobody knows.
  [[nodiscard]] bool is_anothers(const kubernetes::IngressRoute& object) const {
    const std::string own = class_of(object);
    return !own.empty() && !served_classes_.empty() && !served_classes_.contains(own);
  }

  static std::string router_name_of(const ObjectName& object) {
    return normalized_name(object.namespace_name + "-" + object.name);
  }

  void find_served_classes() {
    for (const auto& object : cluster_.ingress_routes.items) {
      if (!is_read(object.old_group)) continue;
      for (const auto& rule : object.rules) {
        if (!routers_.claim("kubernetescrd", rule.match, router_name_of(object.name)).empty())
          served_classes_.insert(class_of(object));
      }
    }
  }

  void add_all(const kubernetes::Listed<kubernetes::IngressRoute>& list, const std::string& kind) {
    std::set<ObjectName> current;
    for (const auto& object : list.items) {
      if (!object.old_group) current.insert(object.name);
    }
    for (const auto& object : list.items) {
      if (object.old_group && (!is_read(true) || current.contains(object.name))) continue;
      for (const auto& rule : object.rules) add(object, rule, kind);
    }
  }

  void add(const kubernetes::IngressRoute& object, const kubernetes::IngressRouteRule& rule,
           const std::string& kind) {
    Route route{.kind = kind, .object = object.name};
    route.rule = rule.match;
    route.created = object.created;
    route.entry_points = object.entry_points;
    route.tls = object.tls;
    const std::string router_name = router_name_of(object.name);
    if (kind == "IngressRoute")
      route.routers = routers_.claim("kubernetescrd", rule.match, router_name);
    route.ingress_class = object.class_annotation.value_or("");
    if (is_anothers(object)) return;
    const bool tcp = kind == "IngressRouteTCP";
    for (const auto& middleware : rule.middlewares) {
      middlewares_.resolve_object(middleware, object.name.namespace_name, tcp, route.middlewares);
    }
    std::set<std::pair<ObjectName, bool>> visited;
    for (const auto& service : rule.services)
      add_service(service, object.name.namespace_name, {}, visited, route);
    const std::size_t first = routes_.size();
    const auto targets = targets_of_rule(rule.match);
    if (!targets || targets->empty()) {
      route.host = rule.match;  // as written: nobody can say which host it means
      route.path = "/";
      routes_.push_back(route);
    } else {
      for (const RuleTarget& target : *targets) {
        route.host = target.host;
        route.path = target.path.empty() ? "/" : target.path;
        routes_.push_back(route);
      }
    }
    if (kind == "IngressRoute" && route.routers.empty()) {
      unmatched_.push_back(
          {.first = first, .count = routes_.size() - first, .router_name = router_name});
    }
  }

  // How a reference is reached.
  struct Way {
    bool through_traefik_service = false;
    bool idle = false;
  };

  void add_service(const kubernetes::ServiceReference& reference, const std::string& own_namespace,
                   Way way, std::set<std::pair<ObjectName, bool>>& visited, Route& route) {
    if (reference.name.find('@') != std::string::npos)
      return;  // of another provider: nothing to look at here
    RouteBackend backend = backend_of(reference, own_namespace);
    backend.idle = backend.idle || way.idle;
    const ObjectName name = backend.service;
    if (reference.kind != "TraefikService") {
      backend.through_traefik_service = way.through_traefik_service;
      route.backends.push_back(std::move(backend));
      return;
    }
    if (!visited.emplace(name, backend.idle).second) return;
    const auto found = traefik_services_.find(name);
    if (found == traefik_services_.end()) {
      if (cluster_.traefik_services.known()) route.missing_traefik_services.push_back(name.text());
      return;
    }
    for (const auto& leg : found->second->services)
      add_service(leg, name.namespace_name, {.through_traefik_service = true, .idle = backend.idle},
                  visited, route);
  }

  const kubernetes::State& cluster_;
  RouterIndex routers_;
  bool reads_old_group_;
  MiddlewareResolver middlewares_;
  std::map<ObjectName, const kubernetes::TraefikService*> traefik_services_;
  std::set<std::string> classes_;
  std::set<std::string> served_classes_;  // annotations of IngressRoutes
  std::vector<Route> routes_;
  std::vector<Unmatched> unmatched_;
};

}  // namespace

bool is_plain_host(std::string_view host) {
  return !host.empty() && host.find_first_of("*^$\\(){}[]|? ") == std::string_view::npos;
}

std::vector<Route> routes_of(const Snapshot& snapshot) {
  const auto* cluster = state_of(snapshot.kubernetes);
  if (cluster == nullptr) return {};
  return Builder(*cluster, state_of(snapshot.traefik)).build();
}

Result<std::vector<Route>> known_routes(const Snapshot* snapshot) {
  const std::string unknown = "the routes are not known";
  if (snapshot == nullptr) return fail(Failure::internal, unknown + ": nothing was read yet");
  if (snapshot->kubernetes.empty()) return std::vector<Route>{};
  const auto& cluster = snapshot->kubernetes.front();
  if (!cluster.state) {
    const Error why = cluster.health.last_error.value_or(Error{.message = "not read yet"});
    return std::unexpected(why.in(unknown + ": Kubernetes"));
  }
  std::optional<Error> missing;
  const auto require = [&](const auto& list, std::string_view kind) {
    if (!list.known()) missing = list.error.in(fmt::format("{}: Kubernetes {}", unknown, kind));
  };
  require(cluster.state->ingress_route_tcps, "ingressroutetcps");
  require(cluster.state->ingress_routes, "ingressroutes");
  require(cluster.state->ingresses, "ingresses");
  if (missing) return std::unexpected(*missing);
  return routes_of(*snapshot);
}

}  // namespace shortcircuit
