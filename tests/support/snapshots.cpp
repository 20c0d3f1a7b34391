#include "support/snapshots.h"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "checks/check.h"
#include "fleet/router_index.h"
#include "support/pasteable.h"

namespace shortcircuit::testing {
namespace {

using kubernetes::Listed;
using kubernetes::ObjectName;

template <class Item>
void list(Listed<Item>& list) {
  list.status = Listed<Item>::Status::listed;
}

template <class State>
void take_down(std::vector<Observed<State>>& targets) {
  targets.assign(1, {});
  targets.front().health.last_error = Error{Failure::connect, "connection refused"};
}

template <class Items, class Wanted>
auto& find(Items& items, Wanted wanted, const std::string& what) {
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (wanted(std::as_const(items)[i])) return items[i];
  }
  throw std::runtime_error("no " + what + " in this world");
}

}  // namespace

IpAddress ip(std::string_view text) { return IpAddress::parse(text).value(); }

ObjectName object_name(std::string_view text) {
  const auto slash = text.find('/');
  if (slash == std::string_view::npos) return {"", std::string(text)};
  return {std::string(text.substr(0, slash)), std::string(text.substr(slash + 1))};
}

void down(std::vector<Observed<kubernetes::State>>& targets) { take_down(targets); }
void down(std::vector<Observed<traefik::State>>& targets) { take_down(targets); }
void down(std::vector<Observed<headscale::State>>& targets) { take_down(targets); }

World::World() {
  config.kubernetes.emplace_back();
  config.traefik.emplace_back();
  config.headscale.emplace_back();
  snapshot.time = parse_rfc3339("2027-03-01T12:00:00Z").value();
  snapshot.kubernetes.push_back({.state = cluster});
  snapshot.traefik.push_back({.state = proxy});
  snapshot.headscale.push_back({.state = mesh});
  proxy->version = "3.6.9";
  proxy->started = snapshot.time - 24h;
  proxy->providers = {"KubernetesIngress", "KubernetesCRD"};
  list(cluster->nodes);
  list(cluster->services);
  list(cluster->endpoint_slices);
  list(cluster->endpoints);
  list(cluster->ingresses);
  list(cluster->ingress_classes);
  list(cluster->middlewares);
  list(cluster->middleware_tcps);
  list(cluster->ingress_routes);
  list(cluster->ingress_route_tcps);
  list(cluster->ingress_route_udps);
  list(cluster->traefik_services);
  list(cluster->validating_webhooks);
  list(cluster->mutating_webhooks);
  list(cluster->daemon_sets);
  list(cluster->deployments);
  list(cluster->stateful_sets);
  list(cluster->cron_jobs);
  list(cluster->pods);
  list(cluster->claims);
  list(cluster->storage_classes);
  list(cluster->config_maps);
}

World World::healthy() {
  World world;
  int number = 0;
  for (const char* name : {"alpha", "beta", "gamma"}) {
    ++number;
    const std::string address = fmt::format("100.80.0.{}", number);
    world.node(name, address, fmt::format("10.244.{}.0/24", number));
    world.peer(name, address);
    world.balancer_pod(name);
  }
  auto& edge = world.with_pods("edge/traefik", 1);
  edge.type = "LoadBalancer";
  edge.ports = {{.name = "web", .port = 80}, {.name = "websecure", .port = 443}};
  edge.load_balancer_addresses = {"100.80.0.1", "100.80.0.2", "100.80.0.3"};
  world.cluster->daemon_sets.items.push_back(
      {.kind = "DaemonSet",
       .name = {"kube-system", "svclb-traefik-0a1b2c3d"},
       .tolerations = {{.key = "node-role.kubernetes.io/control-plane",
                        .operation = "Exists",
                        .effect = "NoSchedule"}},
       .template_labels = {{"svccontroller.k3s.cattle.io/svcname", "traefik"},
                           {"svccontroller.k3s.cattle.io/svcnamespace", "edge"}}});
  world.config.expect.entry_addresses = {ip("100.80.0.1")};
  return world;
}

World World::with_route() {
  World world = healthy();
  world.with_pods("shop/web", 2);
  world.ingress("shop/front", "shop.example", "web");
  world.serve();
  return world;
}

void World::was_before(std::shared_ptr<const kubernetes::State> earlier) {
  auto& observed = snapshot.kubernetes.front();
  observed.observed_at = snapshot.time;
  observed.earlier = {{snapshot.time - 15s, std::move(earlier)}};
  snapshot.traefik.front().observed_at = snapshot.time - 3s;
}

kubernetes::Node& World::node(const std::string& name, const std::string& address,
                              const std::string& pods) {
  kubernetes::Node node{.name = name, .internal_addresses = {ip(address)}, .ready = true};
  if (!pods.empty()) node.pod_cidrs = {Prefix::parse(pods).value()};
  return cluster->nodes.items.push_back(node);
}

headscale::Node& World::peer(const std::string& name, const std::string& address) {
  return mesh->nodes.emplace_back(headscale::Node{
      .given_name = name, .host_name = name, .addresses = {ip(address)}, .online = true});
}

kubernetes::Service& World::hand_kept(const std::string& name,
                                      const std::vector<std::string>& addresses) {
  const ObjectName object = object_name(name);
  kubernetes::EndpointSlice slice{.name = {object.namespace_name, object.name + "-x7k2p"},
                                  .service = object.name,
                                  .managed_by = "endpointslicemirroring-controller.k8s.io",
                                  .ports = {{.name = "http", .port = 8080}}};
  for (const std::string& address : addresses) slice.endpoints.push_back({.addresses = {address}});
  if (!addresses.empty()) cluster->endpoint_slices.items.push_back(slice);
  return cluster->services.items.push_back(
      kubernetes::Service{.name = object,
                          .type = "ClusterIP",
                          .cluster_ips = {"None"},
                          .ports = {{.name = "http", .port = 8080}}});
}

kubernetes::Service& World::with_pods(const std::string& name, int ready) {
  const ObjectName object = object_name(name);
  kubernetes::EndpointSlice slice{.name = {object.namespace_name, object.name + "-b4d9q"},
                                  .service = object.name,
                                  .managed_by = "endpointslice-controller.k8s.io",
                                  .ports = {{.name = "http", .port = 8080}}};
  for (int i = 1; i <= 2; ++i) {
    slice.endpoints.push_back(
        {.addresses = {fmt::format("10.244.1.{}", i)}, .ready = i <= ready, .target_kind = "Pod"});
  }
  cluster->endpoint_slices.items.push_back(slice);
  return cluster->services.items.push_back(
      kubernetes::Service{.name = object,
                          .type = "ClusterIP",
                          .cluster_ips = {"10.96.7.7"},
                          .selector = {{"app", object.name}},
                          .ports = {{.name = "http", .port = 8080}}});
}

kubernetes::Service& World::external_name(const std::string& name, const std::string& target) {
  return cluster->services.items.push_back(
      kubernetes::Service{.name = object_name(name),
                          .type = "ExternalName",
                          .external_name = target,
                          .ports = {{.name = "http", .port = 8080}}});
}

kubernetes::Ingress& World::ingress(const std::string& name, const std::string& host,
                                    const std::string& service) {
  return cluster->ingresses.items.push_back(
      kubernetes::Ingress{.name = object_name(name),
                          .created = snapshot.time - 24h,
                          .rules = {{.host = host,
                                     .paths = {{.path = "/",
                                                .path_type = "Prefix",
                                                .backend = kubernetes::IngressBackend{
                                                    .service = service, .port_name = "http"}}}}}});
}

kubernetes::IngressRoute& World::ingress_route(const std::string& name, const std::string& match,
                                               const std::string& service) {
  return cluster->ingress_routes.items.push_back(kubernetes::IngressRoute{
      .name = object_name(name),
      .created = snapshot.time - 24h,
      .rules = {{.match = match, .services = {{.name = service, .port = "http"}}}}});
}

kubernetes::Middleware& World::middleware(const std::string& name) {
  return cluster->middlewares.items.push_back(kubernetes::Middleware{.name = object_name(name)});
}

kubernetes::Pod& World::balancer_pod(const std::string& node, const std::string& service) {
  const ObjectName object = object_name(service);
  return cluster->pods.items.push_back(kubernetes::Pod{
      .name = {"kube-system", fmt::format("svclb-{}-{}", object.name, node)},
      .labels = {{"app", "svclb-" + object.name},
                 {"svccontroller.k3s.cattle.io/svcname", object.name},
                 {"svccontroller.k3s.cattle.io/svcnamespace", object.namespace_name}},
      .node_name = node,
      .phase = "Running",
      .ready = true,
      .owner_kind = "DaemonSet",
      .owner_name = "svclb-" + object.name,
      .host_ports = {80, 443}});
}

kubernetes::WebhookConfiguration& World::webhook(const std::string& name,
                                                 const std::string& service) {
  kubernetes::Webhook webhook{.name = "check." + name,
                              .failure_policy = "Fail",
                              .service = object_name(service),
                              .service_port = 8080};
  webhook.ca = {.status = kubernetes::CaBundle::Status::present, .expires = snapshot.time + 24h};
  return cluster->validating_webhooks.items.push_back(kubernetes::WebhookConfiguration{
      .kind = "ValidatingWebhookConfiguration", .name = name, .webhooks = {webhook}});
}

void World::serve() {
  for (const Route& route : routes_of(snapshot)) {
    const bool ingress = route.kind == "Ingress";
    if (!ingress && route.kind != "IngressRoute") continue;
    const std::string provider = ingress ? "kubernetes" : "kubernetescrd";
    const std::string name =
        normalized_name(route.object.namespace_name + "-" + route.object.name + "-" +
                        (ingress ? route.host + (route.path == "/" ? "" : route.path)
                                 : std::string("0a72be6dbe5820fbf2de")));
    traefik::Router router{.name = name + "@" + provider,
                           .provider = provider,
                           .rule = route.rule,
                           .status = "enabled",
                           .service = name};
    for (const RouteMiddleware& middleware : route.middlewares)
      router.middlewares.push_back(middleware.reference);
    proxy->routers.push_back(router);
    proxy->services.push_back({.name = name + "@" + provider,
                               .provider = provider,
                               .status = "enabled",
                               .type = "loadbalancer",
                               .server_urls = {"http://100.80.0.2:8080"}});
  }
}

traefik::Router& World::router(const std::string& part_of_name) {
  return find(
      proxy->routers,
      [&](const auto& router) { return router.name.find(part_of_name) != std::string::npos; },
      "router " + part_of_name);
}

void World::drop_router(const std::string& part_of_name) {
  const auto is_part = [&](const auto& item) {
    return item.name.find(part_of_name) != std::string::npos;
  };
  proxy->routers.erase_if(is_part);
  proxy->services.erase_if(is_part);
}

kubernetes::EndpointSlice& World::slice(const std::string& service) {
  const ObjectName object = object_name(service);
  return find(
      cluster->endpoint_slices.items,
      [&](const auto& slice) {
        return slice.service == object.name && slice.name.namespace_name == object.namespace_name;
      },
      "slice of " + service);
}

kubernetes::Service& World::service(const std::string& name) {
  return find(
      cluster->services.items,
      [&](const auto& service) { return service.name == object_name(name); }, "Service " + name);
}

Judgement World::judge() const { return shortcircuit::judge(Fleet(config, snapshot)); }

std::vector<std::string> World::findings() const {
  std::vector<std::string> texts;
  for (const Finding& finding : judge().findings) {
    texts.push_back(
        fmt::format("{}/{} {} {}", finding.check, finding.reason, finding.kind, finding.object));
  }
  std::sort(texts.begin(), texts.end());
  return texts;
}

std::vector<std::string> World::findings(std::string_view check) const {
  std::vector<std::string> texts;
  for (const Finding& finding : judge().findings) {
    if (finding.check != check) continue;
    if (finding.message.empty()) throw std::runtime_error("a finding without message");
    with_pasteable_cures({.findings = {finding}});
    texts.push_back(finding.reason + " " + finding.object);
  }
  std::sort(texts.begin(), texts.end());
  return texts;
}

LayerStatus World::layer(Layer layer) const {
  return judge().layers.at(static_cast<std::size_t>(layer)).status;
}

std::string World::cause(const std::string& host) const {
  for (const RouteWalk& walk : judge().routes) {
    if (walk.route.host != host) continue;
    if (walk.cause)
      return fmt::format("{}/{}", name_of(walk.links[*walk.cause].layer),
                         walk.links[*walk.cause].reason);
    return walk.status() == LinkStatus::ok ? "ok" : "unknown";
  }
  return "no such route";
}

}  // namespace shortcircuit::testing
