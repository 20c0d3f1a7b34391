#include "checks/address.h"
#include "support/catch.h"
#include "support/snapshots.h"

using namespace shortcircuit;
using namespace shortcircuit::testing;

namespace {
constexpr auto stale_check = "endpoint_address_stale";
using Findings = std::vector<std::string>;

std::string judged(const World& world, std::string_view address) {
  const Fleet fleet(world.config, world.snapshot);
  const AddressJudgement judgement = AddressJudge(fleet).judge(ip(address));
  const std::string state(address_state_names[static_cast<std::size_t>(judgement.state)]);
  return judgement.reason.empty() ? state : state + " " + judgement.reason;
}

NetworkSettings declared(std::string name, std::string_view cidr, NetworkKind kind,
                         bool retired = false) {
  return {.name = std::move(name),
          .cidrs = {Prefix::parse(cidr).value()},
          .kind = kind,
          .retired = retired};
}
}  // namespace

TEST_CASE("whether an address is alive") {
  World world = World::healthy();
  world.config.networks = {declared("old", "10.50.0.0/16", NetworkKind::overlay, true),
                           declared("old-six", "fd50::/32", NetworkKind::overlay, true),
                           declared("attic", "192.168.9.0/24", NetworkKind::lan)};
  world.node("delta", "192.168.7.4");
  world.peer("asleep", "100.80.0.50").online = false;
  world.peer("expired", "100.80.0.51").expiry = world.snapshot.time - 1h;
  world.peer("silent", "100.80.0.52").online_known = false;
  world.mesh->nodes.back().online = false;
  world.hand_kept("shop/ip", {}).cluster_ips = {"10.96.0.44"};
  CHECK(judged(world, "10.50.3.4") == "stale retired_network");
  CHECK(judged(world, "fd50::7") == "stale retired_network");
  CHECK(judged(world, "192.168.9.20") == "live");
  CHECK(judged(world, "100.80.0.2") == "live");
  CHECK(judged(world, "100.99.1.1") == "stale no_such_peer");
  CHECK(judged(world, "100.80.0.50") == "stale peer_offline");
  CHECK(judged(world, "100.80.0.51") == "stale peer_expired");
  CHECK(judged(world, "100.80.0.52") == "live");  // a server that does not say
  CHECK(judged(world, "100.100.100.100") == "live");
  CHECK(judged(world, "10.244.2.9") == "live");
  CHECK(judged(world, "10.244.0.9") == "stale no_such_node");  // among the nodes' blocks
  CHECK(judged(world, "10.244.77.9") == "unknown");            // nothing says whose that is
  CHECK(judged(world, "10.96.0.44") == "live");
  CHECK(judged(world, "192.168.7.4") == "live");
  CHECK(judged(world, "192.168.7.99") == "unknown");  // a LAN that nobody declared
  CHECK(judged(world, "203.0.113.5") == "unknown");
  CHECK(judged(world, "2001:db8::5") == "unknown");
}

TEST_CASE("pods' ranges of IPv6, and blocks of several ranges") {
  World world = World::healthy();
  world.cluster->nodes.items[0].pod_cidrs.push_back(Prefix::parse("2001:db8:42:1::/64").value());
  CHECK(judged(world, "2001:db8:42:1::7") == "live");
  CHECK(judged(world, "2001:db8:42:3::7") == "unknown");  // one block shows no range
  world.cluster->nodes.items[1].pod_cidrs.push_back(Prefix::parse("2001:db8:42:4::/64").value());
  CHECK(judged(world, "2001:db8:42:3::7") == "stale no_such_node");
  CHECK(judged(world, "2001:db8:42:9::7") == "unknown");
  CHECK(judged(world, "2001:db8:43::7") == "unknown");
  world.cluster->nodes.items[1].pod_cidrs = {Prefix::parse("10.200.1.0/24").value()};
  CHECK(judged(world, "10.244.0.9") == "unknown");
}

TEST_CASE("innocent: a LAN beside the pods' blocks, declared by nobody") {
  World world = World::healthy();
  for (std::size_t i = 0; i < 3; ++i) {
    world.cluster->nodes.items[i].pod_cidrs = {
        Prefix::parse("192.168." + std::to_string(128 + i) + ".0/24").value()};
  }
  world.hand_kept("shop/web", {"192.168.50.20"});
  CHECK(world.findings().empty());
  CHECK(judged(world, "192.168.50.20") == "unknown");
  CHECK(judged(world, "192.168.131.5") == "stale no_such_node");
  // A node's own address between the blocks: the range is not the pods' alone.
  world.cluster->nodes.items[1].internal_addresses.push_back(ip("192.168.131.1"));
  CHECK(judged(world, "192.168.131.5") == "unknown");
}

TEST_CASE("a tailnet that the user named is asked of Headscale only if it is Headscale's") {
  World world = World::healthy();
  world.config.networks = {declared("mesh", "100.80.0.0/16", NetworkKind::tailnet),
                           declared("partner", "100.90.0.0/16", NetworkKind::tailnet)};
  CHECK(judged(world, "100.80.0.200") == "stale no_such_peer");
  CHECK(judged(world, "100.90.0.200") == "live");
}

TEST_CASE("without Headscale's answer addresses of the mesh are unknown, not healthy") {
  World world = World::healthy();
  world.config.networks = {declared("old", "10.50.0.0/16", NetworkKind::overlay, true)};
  world.hand_kept("shop/web", {"100.80.0.2", "10.50.0.9"});
  world.hand_kept("shop/gone", {"100.99.1.1"});
  world.ingress("shop/front", "shop.example", "web");
  world.serve();
  world.snapshot.kubernetes.front().state = world.cluster;
  down(world.snapshot.headscale);
  CHECK(judged(world, "100.80.0.2") == "unknown");
  CHECK(judged(world, "100.99.1.1") == "unknown");
  CHECK(world.findings(stale_check) == Findings{"retired_network shop/web"});
  const Judgement judgement = world.judge();
  CHECK_FALSE(judgement.layers[static_cast<std::size_t>(Layer::endpoint_address)].unknown.empty());
}

TEST_CASE("without Headscale in the configuration tailscaled's peers count, if it is connected") {
  World world = World::healthy();
  world.config.headscale.clear();
  world.snapshot.headscale.clear();
  world.config.tailscale.emplace_back();
  auto here = std::make_shared<tailscale::State>();
  here->backend_state = "Running";
  here->self_online = true;
  here->self_addresses = {ip("100.80.0.1")};
  here->peers = {{.name = "beta", .addresses = {ip("100.80.0.2")}, .online = true},
                 {.name = "gamma", .addresses = {ip("100.80.0.3")}}};
  world.snapshot.tailscale.push_back({.target = "alpha", .state = here});
  CHECK(judged(world, "100.80.0.1") == "live");
  CHECK(judged(world, "100.80.0.2") == "live");
  CHECK(judged(world, "100.80.0.3") == "stale peer_offline");
  CHECK(judged(world, "100.80.0.9") == "stale no_such_peer");
  SECTION("stopped") { here->backend_state = "Stopped"; }
  SECTION("cut off") { here->self_online = false; }
  CHECK(judged(world, "100.80.0.1") != "stale no_such_peer");
  if (here->backend_state == "Stopped" || !here->self_online)
    CHECK(judged(world, "100.80.0.9") == "unknown");
}

TEST_CASE("one finding for a Service and reason, critical when nothing is left") {
  World world = World::healthy();
  world.config.networks = {declared("old", "10.50.0.0/16", NetworkKind::overlay, true)};
  world.hand_kept("shop/web", {"10.50.0.1", "10.50.0.2", "100.99.1.1"});
  world.hand_kept("shop/half", {"10.50.0.3", "100.80.0.2"});
  CHECK(world.findings() == Findings{"endpoint_address_stale/no_such_peer Service shop/web",
                                     "endpoint_address_stale/retired_network Service shop/half",
                                     "endpoint_address_stale/retired_network Service shop/web"});
  for (const Finding& finding : world.judge().findings) {
    CHECK(finding.severity ==
          (finding.object == "shop/half" ? Severity::warning : Severity::critical));
  }
}

TEST_CASE("the cause of a route whose router looks perfect") {
  World world = World::healthy();
  world.hand_kept("shop/web", {"100.99.1.1"});
  world.ingress("shop/front", "shop.example", "web");
  world.serve();
  CHECK(world.cause("shop.example") == "endpoint_address/no_such_peer");
  CHECK(world.judge().findings.front().hosts == Findings{"shop.example/"});
}

TEST_CASE("both a port without a name and a stale address: both are said, the port comes first") {
  World world = World::healthy();
  world.hand_kept("shop/web", {"100.99.1.1"});
  world.slice("shop/web").ports.front().name.clear();
  world.ingress("shop/front", "shop.example", "web");
  CHECK(world.findings() == Findings{"endpoint_address_stale/no_such_peer Service shop/web",
                                     "endpoint_port_mismatch/port_unnamed Service shop/web"});
  CHECK(world.cause("shop.example") == "endpoint_port/port_unnamed");
}

TEST_CASE("a literal ExternalName is an address like any other") {
  World world = World::healthy();
  world.external_name("ops/wiki", "100.99.1.1");
  world.external_name("ops/six", "fd7a:115c:a1e0::99");
  world.external_name("ops/name", "wiki.partner.example");
  CHECK(world.findings() == Findings{"endpoint_address_stale/no_such_peer Service ops/wiki"});
  world.peer("six", "fd7a:115c:a1e0::1");
  CHECK(world.findings(stale_check) == Findings{"no_such_peer ops/six", "no_such_peer ops/wiki"});
}

TEST_CASE("what controllers keep is innocent") {
  World world = World::healthy();
  world.with_pods("shop/app", 1);
  world.slice("shop/app").endpoints.front().addresses = {"100.99.1.1"};
  world.hand_kept("default/kubernetes", {"100.99.1.1"});
  world.hand_kept("ops/operator-made", {"100.99.1.2"});
  world.slice("ops/operator-made").endpoints.front().target_kind = "Pod";
  CHECK(world.findings().empty());
}

TEST_CASE("mirror and original count once, and originals alone do when slices do not exist") {
  World world = World::healthy();
  world.hand_kept("shop/web", {"100.99.1.1"});
  world.cluster->endpoints.items = {{.name = {"shop", "web"},
                                     .service = "web",
                                     .endpoints = {{.addresses = {"100.99.1.1"}}},
                                     .ports = {{.name = "http", .port = 8080}}}};
  const Fleet fleet(world.config, world.snapshot);
  CHECK(judge_endpoint_addresses(fleet).size() == 1);
  world.cluster->endpoint_slices = {
      .status = kubernetes::Listed<kubernetes::EndpointSlice>::Status::absent};
  CHECK(world.findings(stale_check) == Findings{"no_such_peer shop/web"});
  world.cluster->endpoint_slices = {};
  CHECK(world.findings(stale_check) == Findings{"no_such_peer shop/web"});  // 403 on slices alone
}

TEST_CASE("with Endpoints alone, addresses in slices of one's own are unknown") {
  World world = World::healthy();
  world.hand_kept("shop/web", {"10.244.1.7"});
  world.cluster->endpoints.items = {{.name = {"shop", "web"},
                                     .service = "web",
                                     .endpoints = {{.addresses = {"10.244.1.7"}}},
                                     .ports = {{.name = "http", .port = 8080}}}};
  world.cluster->endpoint_slices = {};  // 403
  CHECK(world.layer(Layer::endpoint_address) == LayerStatus::ok);
  // Somebody wrote its slice himself: no Endpoints object shows what is in it.
  world.hand_kept("shop/own", {});
  CHECK(world.findings(stale_check).empty());
  CHECK(world.layer(Layer::endpoint_address) == LayerStatus::unknown);
  // Nothing is hidden where slices do not exist.
  world.cluster->endpoint_slices.status =
      kubernetes::Listed<kubernetes::EndpointSlice>::Status::absent;
  CHECK(world.layer(Layer::endpoint_address) == LayerStatus::ok);
}

TEST_CASE("unread kinds make it unknown") {
  World world = World::healthy();
  world.hand_kept("shop/web", {"10.244.77.1"});
  SECTION("services") { world.cluster->services = {}; }
  SECTION("nodes") { world.cluster->nodes = {}; }
  SECTION("both kinds of endpoints") {
    world.cluster->endpoint_slices = {};
    world.cluster->endpoints = {};
  }
  SECTION("all of it") { down(world.snapshot.kubernetes); }
  CHECK(world.findings(stale_check).empty());
  CHECK(world.layer(Layer::endpoint_address) == LayerStatus::unknown);
}

TEST_CASE("what is not ready gets no request, and is nothing that is left") {
  World world = World::healthy();
  world.hand_kept("shop/web", {"100.99.1.1", "100.80.0.2"});
  world.ingress("shop/front", "shop.example", "web");
  world.serve();
  const auto severity = [&] { return world.judge().findings.front().severity; };
  auto& endpoints = world.slice("shop/web").endpoints;
  CHECK(severity() == Severity::warning);
  endpoints[1].ready = false;  // only the stale one is asked
  CHECK(severity() == Severity::critical);
  CHECK(world.judge().findings.front().message.ends_with("no other address is left."));
  endpoints[0].ready = false;
  endpoints[1].ready = true;  // only the good one is
  CHECK(severity() == Severity::info);
  CHECK(world.cause("shop.example") == "ok");
}
