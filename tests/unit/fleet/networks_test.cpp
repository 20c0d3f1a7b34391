#include "fleet/networks.h"

#include "support/catch.h"
#include "support/snapshots.h"

using namespace shortcircuit;
using namespace shortcircuit::testing;

namespace {

Snapshot snapshot_with_mesh(std::vector<std::string> addresses) {
  auto control = std::make_shared<headscale::State>();
  for (const std::string& address : addresses)
    control->nodes.push_back({.given_name = address, .addresses = {ip(address)}});
  Snapshot snapshot;
  snapshot.headscale.push_back({.state = control});
  return snapshot;
}

}  // namespace

TEST_CASE("what is known by itself") {
  const Config config;
  const Networks networks(config, Snapshot{});
  CHECK(networks.of(ip("192.168.1.1")).name == "private");
  CHECK(networks.of(ip("172.31.0.1")).name == "private");
  CHECK(networks.of(ip("172.32.0.1")).name == "public");
  CHECK(networks.of(ip("100.64.0.1")).name == "cgnat");
  CHECK(networks.of(ip("169.254.1.1")).name == "link_local");
  CHECK(networks.of(ip("127.0.0.1")).name == "loopback");
  CHECK(networks.of(ip("8.8.8.8")).name == "public");
  CHECK(networks.of(ip("fd00::1")).name == "private");
  CHECK(networks.of(ip("fe80::1")).name == "link_local");
  CHECK(networks.of(ip("2001:db8::1")).name == "public");
}

TEST_CASE("shared address space is the tailnet only when the mesh lives there") {
  const Config config;
  CHECK(Networks(config, snapshot_with_mesh({"100.101.0.1"})).of(ip("100.99.0.7")).kind ==
        NetworkKind::tailnet);
  const Snapshot other = snapshot_with_mesh({"10.99.0.1", "fd7a:115c:a1e0::1"});
  const Networks elsewhere(config, other);
  CHECK(elsewhere.of(ip("100.99.0.7")).name == "cgnat");
  CHECK(elsewhere.of(ip("10.99.0.1")).name == "tailnet");
  CHECK(elsewhere.of(ip("10.99.0.2")).name == "private");
  CHECK(elsewhere.of(ip("fd7a:115c:a1e0::99")).name == "tailnet");
}

TEST_CASE("a mesh that cannot be read keeps the addresses that such meshes use") {
  const Config config;
  Snapshot snapshot;
  snapshot.headscale.emplace_back();
  snapshot.tailscale.emplace_back();
  CHECK(Networks(config, snapshot).of(ip("100.99.0.7")).kind == NetworkKind::tailnet);
  snapshot.tailscale.back().state = std::make_shared<tailscale::State>();
  CHECK(Networks(config, snapshot).of(ip("100.99.0.7")).name == "cgnat");
}

TEST_CASE("the most specific prefix wins, and what the user drew keeps its addresses") {
  Config config;
  config.networks = {
      {.name = "old",
       .cidrs = {*Prefix::parse("10.20.0.0/16")},
       .kind = NetworkKind::overlay,
       .retired = true},
      {.name = "lab",
       .cidrs = {*Prefix::parse("10.20.30.0/24"), *Prefix::parse("fd20::/64")},
       .site = "x"},
      {.name = "mesh", .cidrs = {*Prefix::parse("100.64.0.0/10")}, .kind = NetworkKind::tailnet}};
  Snapshot snapshot = snapshot_with_mesh({"100.101.0.1", "10.20.30.9"});
  auto cluster = std::make_shared<kubernetes::State>();
  cluster->nodes.items.push_back(
      {.name = "n", .pod_cidrs = {*Prefix::parse("10.42.3.0/24"), *Prefix::parse("fd42::/64")}});
  cluster->services.items.push_back({.cluster_ips = {"10.43.0.10", "None"}});
  snapshot.kubernetes.push_back({.state = cluster});
  const Networks networks(config, snapshot);
  CHECK(networks.of(ip("10.20.1.1")).name == "old");
  CHECK(networks.of(ip("10.20.1.1")).retired);
  CHECK(networks.of(ip("10.20.30.9")).name == "lab");
  CHECK(networks.of(ip("10.20.30.1")).site == "x");
  CHECK(networks.of(ip("fd20::5")).name == "lab");
  CHECK(networks.of(ip("100.101.0.1")).name == "mesh");
  CHECK(networks.of(ip("10.42.3.4")).kind == NetworkKind::pods);
  CHECK(networks.of(ip("fd42::4")).kind == NetworkKind::pods);
  CHECK(networks.of(ip("10.42.4.4")).name == "private");
  CHECK(networks.of(ip("10.43.0.10")).kind == NetworkKind::services);
  CHECK(networks.find("old")->configured);
  CHECK(networks.find("nowhere") == nullptr);
  CHECK(networks.prefixes_of(*networks.find("lab")).size() == 2);
}
