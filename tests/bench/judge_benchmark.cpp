// How long judging and rendering one snapshot takes: the recorded night, and synthetic fleets that
// grow. Figures and machine: README.md beside this file.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include "app/polling.h"
#include "app/publication.h"
#include "config/load.h"

using namespace shortcircuit;

namespace {

using ListStatus = kubernetes::Listed<kubernetes::Node>::Status;

// `nodes` nodes, ten services and ten routes a node, 25 hand-kept endpoint addresses a node.
Snapshot synthetic(int nodes) {
  auto cluster = std::make_shared<kubernetes::State>();
  auto traefik_state = std::make_shared<traefik::State>();
  auto control = std::make_shared<headscale::State>();
  const auto address = [](int i) { return fmt::format("100.64.{}.{}", i / 250, i % 250 + 1); };
  for (int i = 0; i < nodes; ++i) {
    const std::string name = fmt::format("node-{}", i);
    cluster->nodes.items.push_back(
        {.name = name,
         .internal_addresses = {*IpAddress::parse(address(i))},
         .pod_cidrs = {*Prefix::parse(fmt::format("10.{}.{}.0/24", 128 + i / 256, i % 256))},
         .ready = true});
    control->nodes.push_back(
        {.given_name = name, .addresses = {*IpAddress::parse(address(i))}, .online = true});
    for (int s = 0; s < 10; ++s) {
      const kubernetes::ObjectName object{fmt::format("space-{}", i), fmt::format("service-{}", s)};
      cluster->services.items.push_back({.name = object,
                                         .type = "ClusterIP",
                                         .cluster_ips = {"None"},
                                         .ports = {{.name = "http", .port = 80}}});
      kubernetes::EndpointSlice slice{
          .name = object, .service = object.name, .ports = {{.name = "http", .port = 8080}}};
      for (int e = 0; e < (s % 2 == 0 ? 3 : 2); ++e)
        slice.endpoints.push_back({.addresses = {address((i + e) % nodes)}});
      cluster->endpoint_slices.items.push_back(std::move(slice));
      const std::string host = fmt::format("h{}-{}.example", i, s);
      cluster->ingresses.items.push_back(
          {.name = object,
           .rules = {{.host = host,
                      .paths = {{.path = "/",
                                 .path_type = "Prefix",
                                 .backend = kubernetes::IngressBackend{.service = object.name,
                                                                       .port_name = "http"}}}}}});
      traefik_state->routers.push_back({.name = host + "@kubernetes",
                                        .provider = "kubernetes",
                                        .rule = fmt::format("Host(`{}`) && PathPrefix(`/`)", host),
                                        .status = "enabled"});
    }
  }
  const auto listed = [](auto& list) {
    list.status = std::remove_reference_t<decltype(list)>::Status::listed;
  };
  listed(cluster->nodes);
  listed(cluster->services);
  listed(cluster->endpoint_slices);
  listed(cluster->endpoints);
  listed(cluster->ingresses);
  listed(cluster->ingress_classes);
  listed(cluster->ingress_routes);
  listed(cluster->middlewares);
  listed(cluster->traefik_services);
  listed(cluster->validating_webhooks);
  listed(cluster->mutating_webhooks);
  listed(cluster->daemon_sets);
  listed(cluster->deployments);
  listed(cluster->stateful_sets);
  listed(cluster->cron_jobs);
  listed(cluster->pods);
  listed(cluster->claims);
  listed(cluster->storage_classes);
  listed(cluster->config_maps);
  Snapshot snapshot;
  snapshot.time = now();
  snapshot.kubernetes.push_back({.state = cluster});
  snapshot.traefik.push_back({.state = traefik_state});
  snapshot.headscale.push_back({.state = control});
  return snapshot;
}

void judge_and_render(benchmark::State& state, const std::shared_ptr<const Config>& config,
                      const Snapshot& snapshot) {
  Ledger ledger;
  std::size_t findings = 0;
  std::size_t bytes = 0;
  for (auto _ : state) {
    const Publication publication(config, snapshot, ledger, {});
    findings = publication.judgement.findings.size();
    bytes = publication.metrics_text->size();
  }
  state.counters["findings"] = static_cast<double>(findings);
  state.counters["page_bytes"] = static_cast<double>(bytes);
}

void night(benchmark::State& state) {
  const auto recording = *Recording::open(SHORTCIRCUIT_RECORDINGS "/night/00-everything-broken");
  const auto config = std::make_shared<const Config>(
      *load_config(recording->configuration_path(), {.for_replay = true}));
  Board board(*config);
  Replay replay(recording);
  OneRound({.config = *config, .board = board, .replay = &replay, .latest = [] { return nullptr; }})
      .run(Deadline::after(10s));
  judge_and_render(state, config, board.take(replay.time()));
}

void fleet_of_nodes(benchmark::State& state) {
  auto config = std::make_shared<Config>();
  config->kubernetes.emplace_back();
  config->traefik.emplace_back();
  config->headscale.emplace_back();
  judge_and_render(state, config, synthetic(static_cast<int>(state.range(0))));
}

BENCHMARK(night)->Unit(benchmark::kMillisecond);
BENCHMARK(fleet_of_nodes)
    ->RangeMultiplier(10)
    ->Range(20, 2000)
    ->Unit(benchmark::kMillisecond)
    ->Complexity();

}  // namespace

BENCHMARK_MAIN();
