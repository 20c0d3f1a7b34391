#include <fmt/format.h>

#include <chrono>
#include <set>

#include "checks/check.h"
#include "exposition/describe.h"
#include "support/catch.h"
#include "support/snapshots.h"

using namespace shortcircuit;
using namespace shortcircuit::testing;

TEST_CASE("every check has a name of its own, reasons with meanings, and reports only those") {
  std::vector<std::string_view> names;
  for (const CheckDefinition* check : all_checks()) {
    CHECK(std::find(names.begin(), names.end(), check->name) == names.end());
    names.push_back(check->name);
    CHECK_FALSE(check->question.empty());
    CHECK_FALSE(check->reasons.empty());
    for (const ReasonDefinition& reason : check->reasons) CHECK_FALSE(reason.meaning.empty());
  }
}

TEST_CASE("nothing configured: every layer is off") {
  const Config config;
  const Snapshot snapshot;
  const Judgement judgement = judge(Fleet(config, snapshot));
  CHECK(judgement.findings.empty());
  REQUIRE(judgement.layers.size() == layer_names.size());
  for (const LayerState& layer : judgement.layers) CHECK(layer.status == LayerStatus::off);
}

TEST_CASE("all faults at once, in walking order, each route with its own cause") {
  World world = World::healthy();
  world.cluster->nodes.items[0].taints = {{"gpu", "", "NoSchedule"}};
  world.cluster->pods.items.erase_if([](const auto& pod) { return pod.node_name == "alpha"; });
  std::erase(world.service("edge/traefik").load_balancer_addresses, "100.80.0.1");
  world.external_name("ops/wiki", "wiki.partner.example");
  world.ingress("ops/wiki", "wiki.example", "wiki");
  world.hand_kept("shop/web", {"100.99.1.1"});
  world.ingress("shop/front", "shop.example", "web").traefik_annotations = {
      {"traefik.ingress.kubernetes.io/router.middlewares", "shop-gone@kubernetescrd"}};
  world.hand_kept("cam/api", {"100.80.0.2"});
  world.slice("cam/api").ports.front().name.clear();
  world.ingress_route("cam/api", "Host(`cam.example`)", "api");
  world.config.expect.webhooks = {"hooks"};
  world.cluster->deployments.items.push_back({.kind = "Deployment",
                                              .name = {"jobs", "fetcher"},
                                              .proxies = {{"env", "http://100.99.1.2:1"}}});
  const Judgement judgement = world.judge();
  std::vector<std::string> layers;
  for (const Finding& finding : judgement.findings) layers.emplace_back(name_of(finding.layer));
  CHECK(layers == std::vector<std::string>{"load_balancer", "external_name", "middleware",
                                           "webhook", "endpoint_address", "endpoint_port",
                                           "proxy_chain"});
  for (const auto* host : {"wiki.example", "shop.example", "cam.example"})
    CHECK(world.cause(host) == "load_balancer/taint_not_tolerated");
  world.config.expect.entry_addresses = {ip("100.80.0.2")};
  CHECK(world.cause("wiki.example") == "external_name/provider_flag_off");
  CHECK(world.cause("shop.example") == "middleware/object_absent");
  CHECK(world.cause("cam.example") == "endpoint_port/port_unnamed");
}

TEST_CASE("a source that is down turns nothing healthy") {
  World world = World::healthy();
  world.with_pods("shop/web", 1);
  world.ingress("shop/front", "shop.example", "web");
  world.serve();
  CHECK(world.cause("shop.example") == "ok");
  SECTION("Traefik") {
    down(world.snapshot.traefik);
    CHECK(world.cause("shop.example") == "unknown");
    CHECK(world.layer(Layer::external_name) == LayerStatus::unknown);
  }
  SECTION("Headscale does not matter to a route that leads to pods") {
    down(world.snapshot.headscale);
    CHECK(world.cause("shop.example") == "ok");
  }
  SECTION("Kubernetes") {
    down(world.snapshot.kubernetes);
    for (const Layer layer :
         {Layer::load_balancer, Layer::external_name, Layer::middleware, Layer::webhook,
          Layer::endpoint_address, Layer::endpoint_port, Layer::proxy_chain, Layer::backend}) {
      INFO(name_of(layer));
      CHECK(world.layer(layer) == LayerStatus::unknown);
    }
  }
  CHECK(world.findings().empty());
}

TEST_CASE("what depends on a network") {
  World world = World::healthy();
  world.config.networks = {{.name = "old",
                            .cidrs = {Prefix::parse("10.50.0.0/16").value()},
                            .kind = NetworkKind::overlay,
                            .retired = true}};
  world.hand_kept("shop/web", {"10.50.0.9", "100.80.0.2"});
  world.external_name("ops/wiki", "10.50.0.10");
  world.with_pods("shop/app", 1);
  world.slice("shop/app").endpoints.front().addresses = {"10.50.0.11"};  // a pod's: follows its pod
  world.cluster->deployments.items.push_back(
      {.kind = "Deployment",
       .name = {"jobs", "fetcher"},
       .proxies = {{"env a", "http://10.50.0.12:1"}, {"env b", "http://10.50.0.12:1"}}});
  world.node("delta", "10.50.0.13").flannel_addresses = {
      {"flannel.alpha.coreos.com/public-ip", "10.50.0.14"}};
  world.config.expect.entry_addresses = {ip("10.50.0.15")};
  auto member = std::make_shared<etcd::State>();
  member->members = {{.id = 1, .name = "m1", .peer_urls = {"https://10.50.0.16:2380"}}};
  world.snapshot.etcd = {{.target = "m1", .state = member}, {.target = "m2", .state = member}};
  auto here = std::make_shared<tailscale::State>();
  here->peers = {
      {.name = "beta", .online = true, .active = true, .current_endpoint = "10.50.0.17:41641"},
      {.name = "gamma", .online = true, .active = false, .current_endpoint = ""}};
  world.snapshot.tailscale = {{.target = "alpha", .state = here}};
  std::vector<std::string> texts;
  for (const Dependent& dependent : world.judge().dependents) {
    if (dependent.network != "old") continue;
    CHECK_FALSE(dependent.cure.empty());
    CHECK_FALSE(dependent.breaks.empty());
    texts.push_back(
        fmt::format("{} {} {}", dependent.dependency, dependent.object, dependent.address));
  }
  std::sort(texts.begin(), texts.end());
  CHECK(texts == std::vector<std::string>{
                     "endpoint ops/wiki 10.50.0.10", "endpoint shop/web 10.50.0.9",
                     "entry 10.50.0.15 10.50.0.15", "etcd_peer m1 10.50.0.16",
                     "flannel delta 10.50.0.14", "node_address delta 10.50.0.13",
                     "proxy jobs/fetcher 10.50.0.12", "tailscale_path alpha → beta 10.50.0.17"});
  CHECK(world.judge().dependents_unknown.empty());
  world.snapshot.tailscale.push_back({.target = "beta"});
  CHECK(world.judge().dependents_unknown == std::vector<std::string>{"tailscale beta"});
}

TEST_CASE("nothing that cannot be seen is counted as none") {
  World world = World::healthy();
  world.config.networks = {{.name = "old", .cidrs = {*Prefix::parse("10.50.0.0/16")}}};
  world.snapshot.tailscale = {{.target = "alpha", .state = std::make_shared<tailscale::State>()}};
  const auto counted = [&] {
    const Fleet fleet(world.config, world.snapshot);
    std::set<std::string> dependencies;
    const MetricSet metrics = describe_all(fleet, judge(fleet), {});
    const auto family = metrics.families().find("shortcircuit_network_dependents");
    if (family == metrics.families().end()) return dependencies;
    for (const Series& series : family->second.series) {
      if (series.label_values[0] == "old") dependencies.insert(series.label_values[2]);
    }
    return dependencies;
  };
  // Neither etcd nor LINSTOR is there to be asked.
  CHECK(counted() == std::set<std::string>{"endpoint", "entry", "flannel", "node_address", "proxy",
                                           "tailscale_path"});
  SECTION("a tailscaled") {
    world.snapshot.tailscale.push_back({.target = "beta"});
    CHECK_FALSE(counted().contains("tailscale_path"));
    CHECK(counted().size() == 5);
  }
  SECTION("the cluster") {
    down(world.snapshot.kubernetes);
    CHECK(counted() == std::set<std::string>{"entry", "tailscale_path"});
  }
  SECTION("one kind of the cluster") {
    world.cluster->blind.emplace("configmaps", Error{Failure::auth, "HTTP 403"});
    world.cluster->config_maps.status = kubernetes::Listed<kubernetes::ConfigMap>::Status::failed;
    CHECK_FALSE(counted().contains("proxy"));
    CHECK(counted().size() == 5);
  }
}

TEST_CASE("an object that an upstream lists twice is one finding") {
  World world = World::healthy();
  world.hand_kept("shop/web", {"100.99.1.1"});
  const auto once = world.findings();
  const auto twice = [](auto& items) {
    const auto copy = items;
    for (std::size_t i = 0; i < copy.size(); ++i) items.share(copy, i);
  };
  twice(world.cluster->services.items);
  twice(world.cluster->endpoint_slices.items);
  CHECK(world.findings() == once);
  CHECK_FALSE(once.empty());
}

TEST_CASE("two thousand routes and as many faults are judged each for itself", "[scale]") {
  World world = World::healthy();
  for (int i = 0; i < 2000; ++i) {
    const std::string name = fmt::format("ns{}/web", i % 50);
    const std::string service = fmt::format("ns{}/web-{}", i % 50, i);
    world.hand_kept(service, {fmt::format("100.80.{}.{}", 1 + i / 250, i % 250), "100.80.0.2"});
    world.ingress(fmt::format("ns{}/front-{}", i % 50, i), fmt::format("h{}.example", i),
                  fmt::format("web-{}", i));
  }
  world.serve();
  const Judgement judgement = world.judge();
  CHECK(judgement.findings.size() == 2000);
  CHECK(judgement.routes.size() == 2000);
  for (const Finding& finding : judgement.findings) CHECK(finding.hosts.size() == 1);
}
