// Entries in the mesh: an address of a peer that nobody reaches covers nothing.
#include "support/catch.h"
#include "support/entries.h"

using namespace shortcircuit;
using namespace shortcircuit::testing;

namespace {
constexpr auto peers_check = "entry_without_load_balancer";
using Findings = std::vector<std::string>;

// A route whose public name points at alpha's address in the mesh, 100.80.0.1.

// Kubernetes uses the LAN.
void move_cluster_to_lan(World& world) {
  auto& balanced = world.service("edge/traefik").load_balancer_addresses;
  balanced.clear();
  for (std::size_t i = 0; i < 3; ++i) {
    const std::string address = "192.168.7." + std::to_string(i + 1);
    world.cluster->nodes.items[i].internal_addresses = {ip(address)};
    balanced.push_back(address);
  }
}

headscale::Node& peer_of(World& world, std::size_t index) { return world.mesh->nodes[index]; }
}  // namespace

TEST_CASE("an entry at a peer that is offline or expired") {
  World world = World::with_route();
  move_cluster_to_lan(world);
  CHECK(world.findings().empty());
  CHECK(world.cause("shop.example") == "ok");
  SECTION("offline: the peer's finding says it") {
    peer_of(world, 0).online = false;
    CHECK(world.findings() == Findings{"peer_offline/offline Peer alpha"});
    CHECK(world.cause("shop.example") == "mesh/offline");
    alpha(world).ready = false;  // the machine is dead: that comes first
    CHECK(world.findings(peers_check) == Findings{"node_not_ready alpha"});
    CHECK(world.cause("shop.example") == "load_balancer/node_not_ready");
  }
  SECTION("expired, and still called online") {
    peer_of(world, 0).expiry = world.snapshot.time - 1min;
    CHECK(world.findings() == Findings{"key_expiring/expired Peer alpha"});
    CHECK(world.cause("shop.example") == "mesh/expired");
  }
  SECTION("a peer that is no node") {
    world.peer("nas", "100.80.0.60").online = false;
    world.config.expect.entry_addresses = {ip("100.80.0.60")};
    CHECK(world.findings() ==
          Findings{"entry_without_load_balancer/not_a_node Address 100.80.0.60"});
    CHECK(world.judge().findings.front().message.contains("belongs to peer nas"));
    CHECK(world.cause("shop.example") == "load_balancer/not_a_node");
  }
  SECTION("another peer") {
    peer_of(world, 2).online = false;
    CHECK(world.findings(peers_check).empty());
    CHECK(world.cause("shop.example") == "ok");
  }
  SECTION("a server that does not say who is online") {
    peer_of(world, 0).online = peer_of(world, 0).online_known = false;
    CHECK(world.findings(peers_check).empty());
  }
}

TEST_CASE("a machine that registered anew is online, and its old address leads nowhere") {
  World world = World::with_route();
  move_cluster_to_lan(world);
  peer_of(world, 0).online = false;
  auto& anew = world.peer("alpha-x7f3k", "100.80.0.9");
  anew.host_name = "alpha";
  CHECK(world.findings() == Findings{"entry_without_load_balancer/not_a_node Address 100.80.0.1"});
  world.config.expect.entry_addresses = {ip("100.80.0.9")};
  CHECK(world.findings().empty());
  CHECK(world.cause("shop.example") == "ok");
  SECTION("the key of the old entry is nobody's business either") {
    peer_of(world, 0).expiry = world.snapshot.time - 1min;
    CHECK(world.findings().empty());
    peer_of(world, 0).online = true;  // two machines of one name
    CHECK(world.findings() == Findings{"key_expiring/expired Peer alpha"});
  }
  SECTION("somebody expects the old entry by name") {
    world.config.expect.peers = {"alpha"};
    CHECK(world.findings("peer_offline") == Findings{"offline alpha"});
  }
  SECTION("the cluster still lists the old address") {
    const bool internal = GENERATE(true, false);
    auto& listed = internal ? alpha(world).internal_addresses : alpha(world).external_addresses;
    listed.push_back(ip("100.80.0.1"));
    world.service("edge/traefik").load_balancer_addresses.push_back("100.80.0.1");
    world.config.expect.entry_addresses = {ip("100.80.0.1")};
    CHECK(world.findings() == Findings{internal
                                           ? "node_half_migrated/node_address_unknown Node alpha"
                                           : "peer_offline/offline Peer alpha"});
    CHECK(world.cause("shop.example") == (internal ? "mesh/node_address_unknown" : "mesh/offline"));
  }
  SECTION("only a Service lists the old address") {
    world.service("edge/traefik").load_balancer_addresses.push_back("100.80.0.1");
    world.config.expect.entry_addresses = {ip("100.80.0.1")};
    CHECK(world.findings(peers_check) == Findings{"not_a_node 100.80.0.1"});
  }
  SECTION("the new one is offline as well") {
    world.mesh->nodes.back().online = false;
    CHECK(world.findings("peer_offline") == Findings{"offline alpha"});
  }
  SECTION("the online one is another machine") {
    world.mesh->nodes.back().host_name = "other";
    CHECK(world.findings("peer_offline") == Findings{"offline alpha"});
  }
}

TEST_CASE("an entry that the cluster lists itself, at a peer that nobody reaches") {
  World world = World::with_route();
  CHECK(world.cause("shop.example") == "ok");
  SECTION("offline") {
    peer_of(world, 0).online = false;
    CHECK(world.findings() == Findings{"peer_offline/offline Peer alpha"});
    CHECK(world.cause("shop.example") == "mesh/offline");
  }
  SECTION("expired") {
    peer_of(world, 0).expiry = world.snapshot.time - 1min;
    CHECK(world.findings() == Findings{"key_expiring/expired Peer alpha"});
    CHECK(world.cause("shop.example") == "mesh/expired");
  }
  SECTION("its key expires soon: that breaks nothing yet") {
    peer_of(world, 0).expiry = world.snapshot.time + 24h;
    CHECK(world.findings() == Findings{"key_expiring/expires_soon Peer alpha"});
    CHECK(world.cause("shop.example") == "ok");
  }
  SECTION("another one") {
    peer_of(world, 1).online = false;
    CHECK(world.cause("shop.example") == "ok");
  }
}
