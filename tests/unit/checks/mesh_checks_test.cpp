// The mesh's checks on small fleets: each fault, and beside it what looks like it and is none.
#include "exposition/mesh_metrics.h"
#include "fleet/mesh.h"
#include "support/catch.h"
#include "support/mesh_world.h"

using namespace shortcircuit;
using namespace shortcircuit::testing;

TEST_CASE("peer_relayed: relayed and active only, a peer that nobody counts on is a hint") {
  MeshWorld world;
  auto idle = peer("idle", "100.64.0.3", "");
  idle.active = false;
  auto gone = peer("gone", "100.64.0.4", "");
  gone.online = false;  // Active and with a home relay, as offline peers are
  auto by_peer = peer("b", "100.64.0.2", "");
  by_peer.peer_relay = "192.168.1.1:7:3";
  world.view("a", running("100.64.0.1", {by_peer, idle, gone, peer("laptop", "100.64.0.5", ""),
                                         peer("near", "100.64.0.6", "192.168.1.2:41641")}));
  world.config.expect.peers = {"b"};
  CHECK(world.findings(peer_relayed_check) == Texts{"peer_relay a → b", "derp a → laptop"});
  const Verdict verdict = world.judge(peer_relayed_check);
  CHECK(verdict.findings[0].severity == Severity::warning);
  CHECK(verdict.findings[1].severity == Severity::info);

  world.view("c", std::nullopt);
  CHECK(world.judge(peer_relayed_check).unknown == Texts{"tailscale c: connect"});
  CHECK_FALSE(MeshWorld().judge(peer_relayed_check).applicable);
}

TEST_CASE("peer_relayed: a path that has just woken gets one look more") {
  MeshWorld world;
  auto& view = world.view("a", running("100.64.0.1", {peer("b", "100.64.0.2", "")}));
  auto before = running("100.64.0.1", {peer("b", "100.64.0.2", "")});
  before.peers[0].active = false;
  SECTION("from idle") {}
  SECTION("from offline") { before.peers[0].online = false; }
  SECTION("a new one") { before.peers.clear(); }
  view.earlier.push_back({now_time - 15s, std::make_shared<const tailscale::State>(before)});
  CHECK(world.findings(peer_relayed_check).empty());
  view.earlier.back() = {now_time - 15s, view.state};
  CHECK(world.findings(peer_relayed_check) == Texts{"derp a → b"});
}

TEST_CASE(
    "nested_tunnel: overlays below the mesh, but not plain networks nor pods that are peers") {
  MeshWorld world;
  world.cluster({{.name = "k",
                  .internal_addresses = {ip("100.64.0.7")},
                  .pod_cidrs = {*Prefix::parse("10.42.1.0/24")}}});
  world.view("a", running("100.64.0.1", {peer("b", "100.64.0.2", "10.9.0.2:41641"),
                                         peer("c", "100.64.0.3", "10.8.0.3:41641"),
                                         peer("d", "100.64.0.4", "192.168.1.4:41641"),
                                         peer("e", "100.64.0.5", "198.51.100.7:41641"),
                                         peer("f", "100.64.0.6", "100.64.0.6:41641"),
                                         peer("k", "100.64.0.7", "10.42.1.1:41641"),
                                         peer("proxy-pod", "100.64.0.8", "10.42.1.9:41641"),
                                         peer("old-derp", "100.64.0.9", "")}));
  CHECK(world.findings(nested_tunnel_check) == Texts{"retired_network a", "overlay a"});
  const Verdict verdict = world.judge(nested_tunnel_check);
  CHECK(verdict.findings[0].message.find("(c)") != std::string::npos);
  CHECK(verdict.findings[1].message.find("reaches 3 of 8 active peers") != std::string::npos);
  CHECK(verdict.findings[0].cure.find("-d 10.8.0.0/16") != std::string::npos);
}

TEST_CASE("peer_offline: only who is expected, Headscale first") {
  MeshWorld world;
  headscale::State state;
  state.nodes = {node("feeder", "100.64.0.1", false), node("laptop", "100.64.0.2", false),
                 node("k8s-by-address", "100.64.0.3", false), node("k", "100.64.0.4", true),
                 node("silent", "100.64.0.5", true),
                 // The entry that a node left behind when it registered anew.
                 node("k2", "100.64.0.6", false), node("k2-x1", "100.64.0.7", true)};
  state.nodes[4].online_known = false;
  world.config.expect.peers = {"feeder", "silent", "typo"};
  world.cluster({{.name = "worker-3", .internal_addresses = {ip("100.64.0.3")}},
                 {.name = "k", .internal_addresses = {ip("192.168.1.4")}},
                 {.name = "k2", .internal_addresses = {ip("100.64.0.7")}},
                 {.name = "not-in-the-mesh", .internal_addresses = {ip("192.168.1.5")}}});
  world.control(state);
  CHECK(world.findings(peer_offline_check) ==
        Texts{"offline feeder", "offline k8s-by-address", "offline typo"});
  CHECK(world.judge(peer_offline_check).unknown ==
        Texts{"headscale: does not say whether silent is online"});
}

TEST_CASE("peer_offline: Headscale down is unknown, and nobody is called offline") {
  MeshWorld world;
  world.config.expect.peers = {"feeder"};
  world.control(std::nullopt);
  auto cut_off = running("100.64.0.1", {peer("feeder", "100.64.0.2", "")});
  cut_off.self_online = false;
  cut_off.peers[0].online = false;
  world.view("a", cut_off);
  CHECK(world.findings(peer_offline_check).empty());
  CHECK(world.judge(peer_offline_check).unknown == Texts{"headscale: auth"});
}

TEST_CASE("peer_offline: without Headscale the views of connected nodes count") {
  MeshWorld world;
  world.config.expect.peers = {"feeder", "stopped"};
  auto off = peer("feeder", "100.64.0.2", "");
  off.online = false;
  auto cut_off = running("100.64.0.9", {peer("feeder", "100.64.0.2", "")});
  cut_off.self_online = false;  // its word is old
  auto stopped = running("100.64.0.3", {});
  stopped.backend_state = "Stopped";
  world.view("a", running("100.64.0.1", {off, peer("stopped", "100.64.0.3", "")}));
  world.view("c", cut_off);
  world.view("stopped", stopped);
  CHECK(world.findings(peer_offline_check) == Texts{"offline feeder", "offline stopped"});

  MeshWorld alone;
  alone.config.expect.peers = {"feeder"};
  alone.view("c", cut_off);
  CHECK(alone.findings(peer_offline_check).empty());
  CHECK(alone.judge(peer_offline_check).unknown.size() == 1);
}

TEST_CASE("key_expiring: peers that matter, whoever is expired and still there, API keys") {
  MeshWorld world;
  headscale::State state;
  state.nodes = {node("feeder", "100.64.0.1", true), node("laptop", "100.64.0.2", false),
                 node("phone", "100.64.0.3", true), node("tv", "100.64.0.4", true),
                 node("server", "100.64.0.5", true)};
  state.nodes[0].expiry = now_time + 3 * 24h;
  state.nodes[1].expiry = now_time - 24h;      // long gone, nobody expects it
  state.nodes[2].expiry = now_time + 3 * 24h;  // routine
  state.nodes[3].expiry = now_time - 10s;      // still called online: about to be cut off
  state.nodes[4].expiry = now_time + 30 * 24h;
  state.api_keys = {{"left-over", now_time - 24h},
                    {"ours", now_time + 2 * 24h},
                    {"long", now_time + 90 * 24h},
                    {"ever", {}}};
  state.pre_auth_keys = {{.id = "1", .used = true, .expiration = now_time - 24h}};
  world.config.expect.peers = {"feeder", "server"};
  world.control(state);
  CHECK(world.findings(key_expiring_check) ==
        Texts{"expired left-over", "expires_soon ours", "expires_soon feeder", "expired tv"});
  CHECK(world.judge(key_expiring_check).findings[0].severity == Severity::info);

  auto own = running("100.64.0.5", {});
  own.backend_state = "NeedsLogin";
  own.self_expired = true;
  world.view("server", own);
  CHECK(world.findings(key_expiring_check).back() == "expired tv");
  CHECK(world.findings(key_expiring_check)[3] == "expired server");
  CHECK(world.findings(peer_offline_check).empty());  // one cause, one finding
}

TEST_CASE("mesh metrics: what a path runs over and how many tunnels a packet wears") {
  MeshWorld world;
  const std::string annotation = "flannel.alpha.coreos.com/public-ip";
  const auto cluster_node = [&](const std::string& name, const std::string& address) {
    return kubernetes::Node{.name = name,
                            .internal_addresses = {ip(address)},
                            .flannel_addresses = {{annotation, address}}};
  };
  world.cluster({cluster_node("a", "100.64.0.1"), cluster_node("b", "100.64.0.2"),
                 cluster_node("lan-node", "192.168.1.3")});
  auto idle = peer("idle", "100.64.0.9", "");
  idle.active = false;
  world.view("a", running("100.64.0.1", {peer("b", "100.64.0.2", "10.9.0.2:41641"),
                                         peer("lan-node", "100.64.0.3", "192.168.1.3:41641"),
                                         peer("other", "100.64.0.4", "10.9.0.4:41641"), idle,
                                         peer("derp", "100.64.0.8", "")}));
  MetricSet metrics;
  describe_mesh(Fleet(world.config, world.snapshot), metrics);
  std::map<std::string, double> tunnels;
  for (const Series& series :
       metrics.families().at("shortcircuit_tailscale_peer_encapsulations").series) {
    tunnels[series.label_values[1]] = series.value;
  }
  CHECK(tunnels == std::map<std::string, double>{{"b", 3}, {"lan-node", 1}, {"other", 2}});
  CHECK(metrics.families().at("shortcircuit_tailscale_peer_underlay").series[0].label_values ==
        Texts{"a", "b", "wire", "overlay"});

  world.snapshot.kubernetes[0].state.reset();  // whose pods ride is unknown then
  MetricSet without_cluster;
  describe_mesh(Fleet(world.config, world.snapshot), without_cluster);
  CHECK_FALSE(without_cluster.families().contains("shortcircuit_tailscale_peer_encapsulations"));
  CHECK(without_cluster.families().contains("shortcircuit_tailscale_peer_underlay"));
}
