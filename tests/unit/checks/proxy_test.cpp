// proxy_address_stale, proxy_unreachable and transfer_stalled.
#include "support/catch.h"
#include "support/snapshots.h"

using namespace shortcircuit;
using namespace shortcircuit::testing;

namespace {
using Findings = std::vector<std::string>;

World with_proxies(const std::string& url) {
  World world = World::healthy();
  world.config.networks = {{.name = "old",
                            .cidrs = {Prefix::parse("10.50.0.0/16").value()},
                            .kind = NetworkKind::overlay,
                            .retired = true}};
  world.cluster->deployments.items.push_back({.kind = "Deployment",
                                              .name = {"jobs", "fetcher"},
                                              .proxies = {{"container a, env HTTPS_PROXY", url}}});
  world.cluster->cron_jobs.items.push_back({.kind = "CronJob",
                                            .name = {"jobs", "nightly"},
                                            .proxies = {{"container b, env http_proxy", url}}});
  world.cluster->config_maps.items.push_back(
      {.name = {"jobs", "settings"}, .proxies = {{"key PROXY", url}, {"key OTHER_PROXY", url}}});
  return world;
}

World with_probe(const std::string& proxy) {
  World world = World::healthy();
  probes::Config probe;
  probe.target = "cameras";
  probe.proxy = proxy;
  probe.endpoint.url = "https://cameras.example/";
  world.config.probes.push_back(probe);
  return world;
}

void outcome(World& world, probes::Outcome outcome) {
  auto state = std::make_shared<probes::State>();
  outcome.name = "cameras";
  state->outcomes.push_back(outcome);
  world.snapshot.probes.assign(1, {.target = "cameras", .state = state});
}
}  // namespace

TEST_CASE("proxies of every kind of object, one finding for each object and reason") {
  CHECK(with_proxies("http://100.99.1.1:8118").findings() ==
        Findings{"proxy_address_stale/no_such_peer ConfigMap jobs/settings",
                 "proxy_address_stale/no_such_peer CronJob jobs/nightly",
                 "proxy_address_stale/no_such_peer Deployment jobs/fetcher"});
  CHECK(with_proxies("socks5://10.50.1.1:1080").findings("proxy_address_stale").front() ==
        "retired_network jobs/fetcher");
  CHECK(with_proxies("http://10.244.0.9:3128").findings("proxy_address_stale").size() == 3);
  World offline = with_proxies("http://100.80.0.9:8118");
  offline.peer("gone", "100.80.0.9").online = false;
  CHECK(offline.findings("proxy_address_stale").front() == "peer_offline jobs/fetcher");
}

TEST_CASE("proxies that are fine, or nobody can tell") {
  for (const auto* url :
       {"http://100.80.0.2:8118", "http://proxy.partner.example:3128", "http://proxy.jobs.svc:3128",
        "http://192.168.7.9:3128", "http://127.0.0.1:3128", "http://10.244.1.9:3128",
        "http://[::1]:1", "not a url", ""}) {
    INFO(url);
    const World world = with_proxies(url);
    CHECK(world.findings().empty());
    CHECK(world.layer(Layer::proxy_chain) == LayerStatus::ok);
  }
}

TEST_CASE("IPv6 proxies") {
  World world = with_proxies("http://[fd7a:115c:a1e0::99]:8118");
  world.peer("six", "fd7a:115c:a1e0::1");
  CHECK(world.findings("proxy_address_stale").size() == 3);
}

TEST_CASE("what proxies cannot be judged from") {
  World world = with_proxies("http://100.99.1.1:8118");
  SECTION("Headscale") { down(world.snapshot.headscale); }
  SECTION("Kubernetes") { down(world.snapshot.kubernetes); }
  CHECK(world.findings("proxy_address_stale").empty());
  CHECK(world.layer(Layer::proxy_chain) == LayerStatus::unknown);
}

TEST_CASE("one kind that cannot be read hides its own proxies only") {
  World world = with_proxies("http://100.99.1.1:8118");
  world.cluster->deployments = {};
  CHECK(world.findings("proxy_address_stale") ==
        Findings{"no_such_peer jobs/nightly", "no_such_peer jobs/settings"});
}

TEST_CASE("a probe's own proxy") {
  World world = with_probe("http://100.99.1.1:8118");
  outcome(world, {.http_status = 200});
  CHECK(world.findings() == Findings{"proxy_address_stale/no_such_peer Probe cameras"});
}

TEST_CASE("a proxy that does not carry") {
  World world = with_probe("http://100.80.0.2:8118");
  SECTION("refused") {
    outcome(world, {.failure = Failure::connect, .proxy_failed = true});
    CHECK(world.findings() == Findings{"proxy_unreachable/refused Probe cameras"});
  }
  SECTION("silent") {
    outcome(world, {.failure = Failure::timeout, .proxy_failed = true});
    CHECK(world.findings() == Findings{"proxy_unreachable/timeout Probe cameras"});
  }
  SECTION("refuses") {
    outcome(world, {.failure = GENERATE(Failure::status, Failure::auth), .proxy_failed = true});
    CHECK(world.findings() == Findings{"proxy_unreachable/status Probe cameras"});
  }
  SECTION("the target's own failure is not the proxy's") {
    outcome(world, {.http_status = 502, .failure = Failure::status});
    CHECK(world.findings().empty());
  }
  SECTION("one failure is none when the poll before went well") {
    outcome(world, {.failure = Failure::connect, .proxy_failed = true});
    auto before = std::make_shared<probes::State>();
    before->outcomes.push_back({.name = "cameras", .http_status = 200});
    world.snapshot.probes.front().earlier.push_back({world.snapshot.time - 15s, before});
    CHECK(world.findings().empty());
    before->outcomes.front().proxy_failed = true;
    CHECK(world.findings() == Findings{"proxy_unreachable/refused Probe cameras"});
  }
  SECTION("not asked yet") {
    world.snapshot.probes.assign(1, {.target = "cameras"});
    CHECK(world.findings().empty());
    CHECK(world.layer(Layer::proxy_chain) == LayerStatus::unknown);
  }
}

TEST_CASE("a transfer that stops after its first bytes") {
  World world = with_probe("");
  outcome(world, {.http_status = 200, .stalled = true, .received_bytes = 1200});
  CHECK(world.findings() == Findings{"transfer_stalled/stalled Probe cameras"});
  CHECK(world.layer(Layer::path_mtu) == LayerStatus::broken);
  outcome(world, {.http_status = 200, .received_bytes = 120000});
  CHECK(world.findings().empty());
  CHECK(world.layer(Layer::path_mtu) == LayerStatus::ok);
  outcome(world, {.http_status = 503, .failure = Failure::status});  // an answer, to its end
  CHECK(world.layer(Layer::path_mtu) == LayerStatus::ok);
  // Without an answer there is none that could stall: perhaps already the handshake does.
  outcome(world, {.failure = GENERATE(Failure::timeout, Failure::connect, Failure::tls)});
  CHECK(world.findings().empty());
  CHECK(world.layer(Layer::path_mtu) == LayerStatus::unknown);
}
