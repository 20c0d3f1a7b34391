#include "bench/synthetic_fleet.h"

#include <fmt/format.h>

#include <stdexcept>

#include "app/polling.h"
#include "config/load.h"
#include "fleet/router_index.h"

namespace shortcircuit::bench {
namespace {

using kubernetes::ObjectName;

constexpr int services_per_node = 10;

std::string mesh_address(int node) {
  return fmt::format("100.64.{}.{}", node / 250, node % 250 + 1);
}
std::string lan_address(int node) {
  return fmt::format("192.168.{}.{}", node / 250, node % 250 + 1);
}
std::string pod_address(int node, int pod) {
  return fmt::format("10.{}.{}.{}", 128 + node / 256, node % 256, pod + 2);
}
std::string node_name(int node) { return fmt::format("node-{}", node); }

class Maker {
 public:
  explicit Maker(int nodes) : nodes_(nodes) {
    config_->kubernetes.emplace_back();
    config_->traefik.emplace_back();
    config_->headscale.emplace_back();
    config_->series_limit = 1'000'000;  // the growth is measured, not the cap
    traefik_->version = "3.6.9";
    traefik_->providers = {"KubernetesIngress", "KubernetesCRD"};
  }

  SyntheticFleet make(int views) {
    for (int node = 0; node < nodes_; ++node) {
      add_node(node);
      for (int service = 0; service < services_per_node; ++service) add_service(node, service);
    }
    SyntheticFleet fleet;
    fleet.snapshot.time = parse_rfc3339("2027-03-01T12:00:00Z").value();
    mark_listed();
    fleet.snapshot.kubernetes.push_back({.state = cluster_});
    fleet.snapshot.traefik.push_back({.state = traefik_});
    fleet.snapshot.headscale.push_back({.state = headscale_});
    for (int view = 0; view < views; ++view) {
      config_->tailscale.push_back({CommonConfig{.target = node_name(view)}, "", false});
      fleet.snapshot.tailscale.push_back({.target = node_name(view), .state = view_of(view)});
    }
    fleet.config = config_;
    return fleet;
  }

 private:
  void add_node(int node) {
    cluster_->nodes.items.push_back(
        {.name = node_name(node),
         .internal_addresses = {*IpAddress::parse(mesh_address(node))},
         .pod_cidrs = {*Prefix::parse(pod_address(node, -2) + "/24")},
         .flannel_addresses = {{"flannel.alpha.coreos.com/public-ip", mesh_address(node)}},
         .ready = true});
    headscale_->nodes.push_back({.id = std::to_string(node),
                                 .given_name = node_name(node),
                                 .addresses = {*IpAddress::parse(mesh_address(node))},
                                 .online = true});
  }

  void add_service(int node, int index) {
    const ObjectName name{fmt::format("space-{}", node), fmt::format("service-{}", index)};
    const bool by_hand = index % 2 == 0;
    const kubernetes::Labels labels{{"app", name.name}};
    cluster_->services.items.push_back(
        {.name = name,
         .type = "ClusterIP",
         .cluster_ips = {fmt::format("10.96.{}.{}", node % 250, index + 1)},
         .selector = by_hand ? kubernetes::Labels{} : labels,
         .ports = {{.name = "http", .port = 80, .target_port = "8080"}}});
    const std::string port = index == 4 ? "other" : "http";
    kubernetes::EndpointSlice slice{.name = name,
                                    .service = name.name,
                                    .address_type = "IPv4",
                                    .ports = {{.name = port, .port = 8080}}};
    const int count = by_hand ? 3 : 2;
    for (int i = 0; i < count; ++i) {
      if (by_hand) {
        slice.endpoints.push_back({.addresses = {mesh_address((node + i) % nodes_)}});
      } else {
        slice.endpoints.push_back({.addresses = {pod_address(node, index * 3 + i)},
                                   .node_name = node_name(node),
                                   .target_kind = "Pod",
                                   .target_name = fmt::format("{}-{}", name.name, i)});
      }
      cluster_->pods.items.push_back(
          {.name = {name.namespace_name, fmt::format("{}-{}", name.name, i)},
           .labels = labels,
           .node_name = node_name(node),
           .phase = "Running",
           .ready = true,
           .owner_kind = "ReplicaSet",
           .owner_name = name.name});
    }
    cluster_->endpoint_slices.items.push_back(std::move(slice));
    add_route(name, fmt::format("h{}-{}.example", node, index));
  }

  void add_route(const ObjectName& name, const std::string& host) {
    cluster_->ingresses.items.push_back(
        {.name = name,
         .rules = {{.host = host,
                    .paths = {{.path = "/",
                               .path_type = "Prefix",
                               .backend = kubernetes::IngressBackend{.service = name.name,
                                                                     .port_name = "http"}}}}}});
    const std::string service = fmt::format("{}-{}-http", name.namespace_name, name.name);
    traefik_->routers.push_back(
        {.name = normalized_name(name.namespace_name + "-" + name.name + "-" + host + "/") +
                 "@kubernetes",
         .provider = "kubernetes",
         .rule = fmt::format("Host(`{}`) && PathPrefix(`/`)", host),
         .status = "enabled",
         .service = service});
    traefik_->services.push_back({.name = service + "@kubernetes",
                                  .provider = "kubernetes",
                                  .status = "enabled",
                                  .type = "loadbalancer",
                                  .server_urls = {"http://10.128.0.2:8080"}});
  }

  [[nodiscard]] std::shared_ptr<const tailscale::State> view_of(int view) const {
    auto state = std::make_shared<tailscale::State>();
    state->backend_state = "Running";
    state->self_name = node_name(view);
    state->self_online = true;
    state->self_addresses = {*IpAddress::parse(mesh_address(view))};
    for (int node = 0; node < nodes_; ++node) {
      if (node == view) continue;
      state->peers.push_back({.name = node_name(node),
                              .addresses = {*IpAddress::parse(mesh_address(node))},
                              .online = true,
                              .active = true,
                              .current_endpoint = lan_address(node) + ":41641",
                              .derp_region = "par"});
    }
    return state;
  }

  void mark_listed() {
    const auto mark = [](auto&... lists) {
      ((lists.status = std::remove_reference_t<decltype(lists)>::Status::listed), ...);
    };
    kubernetes::State& c = *cluster_;
    mark(c.nodes, c.services, c.endpoint_slices, c.endpoints, c.ingresses, c.ingress_classes,
         c.middlewares, c.middleware_tcps, c.ingress_routes, c.ingress_route_tcps,
         c.ingress_route_udps, c.traefik_services, c.validating_webhooks, c.mutating_webhooks,
         c.daemon_sets, c.deployments, c.stateful_sets, c.cron_jobs, c.pods, c.claims,
         c.storage_classes, c.config_maps);
  }

  int nodes_;
  std::shared_ptr<Config> config_ = std::make_shared<Config>();
  std::shared_ptr<kubernetes::State> cluster_ = std::make_shared<kubernetes::State>();
  std::shared_ptr<traefik::State> traefik_ = std::make_shared<traefik::State>();
  std::shared_ptr<headscale::State> headscale_ = std::make_shared<headscale::State>();
};

}  // namespace

SyntheticFleet synthetic_fleet(int nodes, int views) { return Maker(nodes).make(views); }

SyntheticFleet recorded_night() {
  const auto recording = Recording::open(SHORTCIRCUIT_RECORDINGS "/night/00-everything-broken");
  if (!recording) throw std::runtime_error(recording.error().message);
  const auto loaded = load_config((*recording)->configuration_path(), {.for_replay = true});
  if (!loaded) throw std::runtime_error("the night's configuration cannot be read");
  auto config = std::make_shared<const Config>(*loaded);
  Board board(*config);
  Replay replay(*recording);
  OneRound({.config = *config, .board = board, .replay = &replay, .latest = [] { return nullptr; }})
      .run(Deadline::after(30s));
  return {config, board.take(replay.time())};
}

}  // namespace shortcircuit::bench
