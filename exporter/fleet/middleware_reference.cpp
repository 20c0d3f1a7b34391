#include "fleet/middleware_reference.h"

#include <optional>

#include "fleet/router_index.h"

namespace shortcircuit {
namespace {

using kubernetes::ObjectName;
constexpr std::string_view crd_provider = "@kubernetescrd";

template <class Item>
void collect_namespaces(const kubernetes::Listed<Item>& list, std::set<std::string>& namespaces) {
  for (const Item& item : list.items) namespaces.insert(item.name.namespace_name);
}

std::string traefik_name(const ObjectName& name) {
  return normalized_name(name.namespace_name + "-" + name.name) + std::string(crd_provider);
}

}  // namespace

MiddlewareResolver::Objects::Objects(const kubernetes::Listed<kubernetes::Middleware>& list) {
  for (const auto& item : list.items) {
    by_name[item.name] = &item;
    by_traefik_name.try_emplace(normalized_name(item.name.namespace_name + "-" + item.name.name),
                                item.name);
  }
}

MiddlewareResolver::MiddlewareResolver(const kubernetes::State& cluster)
    : http_(cluster.middlewares), tcp_(cluster.middleware_tcps) {
  collect_namespaces(cluster.middlewares, namespaces_);
  collect_namespaces(cluster.services, namespaces_);
  collect_namespaces(cluster.ingresses, namespaces_);
  collect_namespaces(cluster.ingress_routes, namespaces_);
  collect_namespaces(cluster.ingress_route_tcps, namespaces_);
  collect_namespaces(cluster.traefik_services, namespaces_);
  collect_namespaces(cluster.endpoint_slices, namespaces_);
  collect_namespaces(cluster.endpoints, namespaces_);
  collect_namespaces(cluster.cron_jobs, namespaces_);
  collect_namespaces(cluster.deployments, namespaces_);
  collect_namespaces(cluster.stateful_sets, namespaces_);
  collect_namespaces(cluster.daemon_sets, namespaces_);
  collect_namespaces(cluster.config_maps, namespaces_);
  collect_namespaces(cluster.claims, namespaces_);
  collect_namespaces(cluster.pods, namespaces_);
}

// Of the places where the name could be split: an object that exists; else the longest namespace
// that is known; else the namespace of the Ingress; else the first dash.
ObjectName MiddlewareResolver::split_name(const std::string& joined,
                                          const std::string& own_namespace, bool tcp) const {
  const auto existing = objects(tcp).by_traefik_name.find(joined);
  if (existing != objects(tcp).by_traefik_name.end()) return existing->second;
  std::optional<ObjectName> known_namespace;
  std::optional<ObjectName> own;
  std::optional<ObjectName> first;
  for (auto dash = joined.find('-'); dash != std::string::npos; dash = joined.find('-', dash + 1)) {
    ObjectName candidate{joined.substr(0, dash), joined.substr(dash + 1)};
    if (candidate.namespace_name.empty() || candidate.name.empty()) continue;
    if (!first) first = candidate;
    if (candidate.namespace_name == own_namespace) own = candidate;
    if (namespaces_.contains(candidate.namespace_name)) known_namespace = candidate;
  }
  if (known_namespace) return *known_namespace;
  if (own) return *own;
  return first.value_or(ObjectName{own_namespace, joined});
}

void MiddlewareResolver::resolve(const std::string& reference, const std::string& own_namespace,
                                 std::vector<RouteMiddleware>& middlewares, bool tcp) const {
  if (!reference.ends_with(crd_provider)) {
    middlewares.push_back({.reference = reference, .object = std::nullopt, .tcp = tcp});
    return;
  }
  std::set<ObjectName> visited;
  add(split_name(reference.substr(0, reference.size() - crd_provider.size()), own_namespace, tcp),
      tcp, middlewares, visited);
  if (!middlewares.empty() && visited.size() == 1) middlewares.back().reference = reference;
}

void MiddlewareResolver::resolve_object(const kubernetes::MiddlewareReference& reference,
                                        const std::string& own_namespace, bool tcp,
                                        std::vector<RouteMiddleware>& middlewares) const {
  const auto at = reference.name.find('@');
  if (at != std::string::npos) {
    if (reference.name.substr(at) == crd_provider) {
      resolve(reference.name, own_namespace, middlewares, tcp);
    } else {
      middlewares.push_back({.reference = reference.name, .object = std::nullopt, .tcp = tcp});
    }
    return;
  }
  std::set<ObjectName> visited;
  add({reference.namespace_name.empty() ? own_namespace : reference.namespace_name, reference.name},
      tcp, middlewares, visited);
}

void MiddlewareResolver::add(const ObjectName& name, bool tcp,
                             std::vector<RouteMiddleware>& middlewares,
                             std::set<ObjectName>& visited) const {
  if (!visited.insert(name).second) return;
  middlewares.push_back({.reference = traefik_name(name), .object = name, .tcp = tcp});
  const auto& known = objects(tcp).by_name;
  const auto found = known.find(name);
  if (found == known.end()) return;
  for (const auto& member : found->second->chain) {
    const auto at = member.name.find('@');
    if (at != std::string::npos && member.name.substr(at) != crd_provider) {
      middlewares.push_back({.reference = member.name, .object = std::nullopt, .tcp = tcp});
    } else if (at != std::string::npos) {
      add(split_name(member.name.substr(0, at), name.namespace_name, tcp), tcp, middlewares,
          visited);
    } else {
      add({member.namespace_name.empty() ? name.namespace_name : member.namespace_name,
           member.name},
          tcp, middlewares, visited);
    }
  }
}

}  // namespace shortcircuit
