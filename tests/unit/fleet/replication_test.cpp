// The address rule against what the satellites really wrote into their DRBD configuration.
#include "fleet/replication.h"

#include <filesystem>
#include <map>
#include <set>

#include "base/json.h"
#include "base/text.h"
#include "sources/linstor/source.h"
#include "support/catch.h"
#include "support/replayed.h"

using namespace shortcircuit;
using shortcircuit::testing::replayed_poll;

namespace {

using Paths = std::set<std::pair<std::string, std::string>>;  // address of a, address of b
using Table = std::map<std::string, Paths>;                   // `resource a b`

std::string key(const std::string& resource, const std::string& a, const std::string& b) {
  return resource + " " + a + " " + b;
}

Table written(const std::string& file) {
  Table table;
  const auto body = read_file(file);
  REQUIRE(body);
  const auto read = read_json(*body, [&](JsonView root) {
    for (const auto& pair : root.items()) {
      std::string a = pair["node_a"].string();
      std::string b = pair["node_b"].string();
      if (b < a) std::swap(a, b);
      for (const auto& path : pair["paths"].items()) {
        table[key(pair["resource"].string(), a, b)].emplace(path[a].string(), path[b].string());
      }
    }
  });
  REQUIRE(read);
  return table;
}

Table by_rule(const linstor::State& state) {
  Table table;
  for (const auto& pair : replication_of(state).pairs) {
    for (const auto& path : pair.paths) {
      table[key(pair.resource, pair.node_a, pair.node_b)].emplace(path.a.address, path.b.address);
    }
  }
  return table;
}

linstor::Resource replica(const std::string& resource, const std::string& node) {
  linstor::Resource made;
  made.name = resource;
  made.node = node;
  made.is_drbd = true;
  made.has_state = true;
  made.volumes.push_back({.number = 0, .storage_pool = "pool"});
  return made;
}

// Two nodes with three interfaces, one resource on both, everything readable.
linstor::State two_nodes() {
  linstor::State state;
  for (const std::string name : {"a", "b"}) {
    const std::string host = name == "a" ? "1" : "2";
    state.nodes.push_back({.name = name,
                           .type = "SATELLITE",
                           .connection_status = "ONLINE",
                           .interfaces = {{"first", "10.1.0." + host},
                                          {"default", "100.64.0." + host},
                                          {"LAN", "fd00::" + host}}});
  }
  state.resources = std::vector<linstor::Resource>{replica("r", "a"), replica("r", "b")};
  state.storage_pools.emplace();
  state.definitions.emplace();
  state.definitions->push_back({"r", "g", ""});
  state.groups.emplace();
  state.groups->push_back({"g", ""});
  state.node_connections.emplace();
  state.resource_connections.emplace();
  return state;
}

linstor::ConnectionPath path(const std::string& name, const std::string& of_a,
                             const std::string& of_b) {
  return {name, {{"a", of_a}, {"b", of_b}}};
}

linstor::PairConnection connection(const std::string& resource,
                                   std::vector<linstor::ConnectionPath> paths) {
  return {resource, "b", "a", std::move(paths)};
}

std::string interfaces(const linstor::State& state) {
  const auto replication = replication_of(state);
  if (replication.pairs.size() != 1) return "not one pair";
  std::string text;
  for (const auto& path : replication.pairs[0].paths)
    text += path.a.interface + ":" + path.b.interface + " ";
  return text;
}

}  // namespace

TEST_CASE("replication: the rule gives the addresses that the satellites wrote") {
  std::size_t compared = 0;
  for (const auto& entry : std::filesystem::directory_iterator(SHORTCIRCUIT_RECORDINGS)) {
    const std::string file = entry.path().string() + "/drbd-addresses.json";
    const std::string name = entry.path().filename().string();
    if (!std::filesystem::exists(file)) continue;
    if (name == "linstor-prefnic-interface-missing") continue;  // the satellites disagreed there
    INFO(name);
    linstor::Source source(linstor::Config{});
    const auto state = replayed_poll(source, name, "linstor");
    REQUIRE(state);
    auto expected = written(file);
    // What an evicted node's satellite wrote before it died is no connection any more.
    for (const auto& resource : *state->resources) {
      if (!resource.leaving()) continue;
      std::erase_if(expected, [&](const auto& pair) {
        return pair.first.starts_with(resource.name) && pair.first.contains(" " + resource.node);
      });
    }
    const auto found = by_rule(*state);
    REQUIRE_FALSE(found.empty());
    CHECK(found == expected);
    ++compared;
  }
  CHECK(compared >= 8);
}

TEST_CASE("replication: each level of PrefNic beats the next") {
  auto state = two_nodes();
  CHECK(interfaces(state) == "default:default ");
  state.nodes[0].preferred_nic = "first";
  CHECK(interfaces(state) == "first:default ");
  state.groups->at(0).preferred_nic = "lan";  // names are not case-sensitive
  CHECK(interfaces(state) == "LAN:LAN ");
  state.definitions->at(0).preferred_nic = "default";
  CHECK(interfaces(state) == "default:default ");
  state.resources->at(1).preferred_nic = "first";
  CHECK(interfaces(state) == "default:first ");
  state.storage_pools->push_back(
      {.name = "pool", .node = "b", .provider_kind = "LVM", .preferred_nic = "LAN"});
  CHECK(interfaces(state) == "default:LAN ");
  state.node_connections->push_back(connection("", {path("p", "first", "first")}));
  CHECK(interfaces(state) == "first:first ");
  state.resource_connections->push_back(
      connection("r", {path("p", "LAN", "LAN"), path("q", "default", "first")}));
  CHECK(interfaces(state) == "LAN:LAN default:first ");
}

TEST_CASE("replication: an interface that is gone falls back, and says so") {
  auto state = two_nodes();
  state.nodes[0].preferred_nic = "gone";
  CHECK(interfaces(state) == "default:default ");
  CHECK(replication_of(state).pairs[0].paths[0].a.missing_preference == "gone");
  state.nodes[0].interfaces.erase(state.nodes[0].interfaces.begin() + 1);  // no `default` either
  CHECK(interfaces(state) == "first:default ");
  // A level that names an absent interface does not pass on to the next level.
  state = two_nodes();
  state.definitions->at(0).preferred_nic = "gone";
  state.groups->at(0).preferred_nic = "LAN";
  CHECK(interfaces(state) == "default:default ");
  state.resource_connections->push_back(connection("r", {path("p", "gone", "LAN")}));
  const auto replication = replication_of(state);
  REQUIRE(replication.missing_path_interfaces.size() == 1);
  CHECK(replication.missing_path_interfaces[0].node == "a");
}

TEST_CASE("replication: who has no connection") {
  auto state = two_nodes();
  for (auto& resource : *state.resources) resource.flags = {"DISKLESS", "DRBD_DISKLESS"};
  CHECK(replication_of(state).pairs.empty());
  state.resources->at(0).flags.clear();
  CHECK(replication_of(state).pairs.size() == 1);
  auto twice = state;
  twice.resources->insert(twice.resources->end(), state.resources->begin(), state.resources->end());
  CHECK(replication_of(twice).pairs.size() == 1);
  for (const std::string flag : {"DELETE", "INACTIVE", "EVICTED"}) {
    state.resources->at(0).flags = {flag};
    CHECK(replication_of(state).pairs.empty());
  }
  state = two_nodes();
  state.resources->at(1).is_drbd = false;
  CHECK(replication_of(state).pairs.empty());
}

TEST_CASE("replication: what could not be read is unknown, never guessed") {
  auto state = two_nodes();
  state.storage_pools.reset();
  CHECK(replication_of(state).pairs.empty());
  CHECK(replication_of(state).unknown.size() == 1);
  state = two_nodes();
  state.connections_unknown = {"r"};
  CHECK(replication_of(state).pairs.empty());
  CHECK(replication_of(state).unknown.size() == 1);
}

TEST_CASE("replication: one site by networks, labels, or properties") {
  Config config;
  config.networks.push_back({.name = "hall",
                             .cidrs = {*Prefix::parse("10.1.0.0/24")},
                             .kind = NetworkKind::lan,
                             .site = "hall"});
  config.networks.push_back({.name = "shed",
                             .cidrs = {*Prefix::parse("10.2.0.0/24")},
                             .kind = NetworkKind::lan,
                             .site = "shed"});
  const Networks networks(config, Snapshot{});
  auto state = two_nodes();
  CHECK(same_site(state.nodes[0], state.nodes[1], networks, nullptr));
  state.nodes[1].interfaces[0].address = "10.2.0.2";
  CHECK_FALSE(same_site(state.nodes[0], state.nodes[1], networks, nullptr));
  state.nodes[1].interfaces.erase(state.nodes[1].interfaces.begin());
  CHECK_FALSE(same_site(state.nodes[0], state.nodes[1], networks, nullptr));
  state.nodes[0].aux["topology/site"] = "x";
  state.nodes[1].aux["topology/site"] = "x";
  CHECK(same_site(state.nodes[0], state.nodes[1], networks, nullptr));
  kubernetes::State cluster;
  kubernetes::Node node;
  for (const std::string name : {"a", "b"}) {
    node.name = name;
    node.labels["topology.kubernetes.io/zone"] = "zone-" + name;
    cluster.nodes.items.push_back(node);
  }
  CHECK_FALSE(same_site(state.nodes[0], state.nodes[1], networks, &cluster));
}
