#include <algorithm>

#include "checks/check.h"
#include "support/catch.h"
#include "support/pasteable.h"

using namespace shortcircuit;
using linstor::State;

namespace {

const Time start = *parse_rfc3339("2026-01-01T00:00:00Z");

NetworkSettings network(const std::string& name, const std::string& cidr, NetworkKind kind,
                        const std::string& site = "", bool retired = false) {
  return {.name = name,
          .cidrs = {*Prefix::parse(cidr)},
          .kind = kind,
          .site = site,
          .retired = retired};
}

// Two nodes in the site `hall`, one in `shed`; a resource on the first two, all fine, over the LAN.
struct Storage {
  Config config;
  Snapshot snapshot;
  std::shared_ptr<State> state = std::make_shared<State>();

  Storage() {
    config.networks = {network("hall-lan", "10.1.0.0/24", NetworkKind::lan, "hall"),
                       network("shed-lan", "fd01::/64", NetworkKind::lan, "shed"),
                       network("old", "10.9.0.0/16", NetworkKind::overlay, "", true),
                       network("wire", "10.8.0.0/16", NetworkKind::overlay)};
    add_node("n1", "10.1.0.1");
    add_node("n2", "10.1.0.2");
    add_node("n3", "fd01::3");
    state->resources.emplace();
    state->storage_pools.emplace();
    state->definitions.emplace();
    state->groups.emplace();
    state->node_connections.emplace();
    state->resource_connections.emplace();
    add_replica("r", "n1");
    add_replica("r", "n2");
    Observed<State> observed;
    observed.health.up = true;
    observed.state = state;
    observed.observed_at = start;
    snapshot.linstor.push_back(observed);
    snapshot.time = start;
  }
  void add_node(const std::string& name, const std::string& lan) {
    state->nodes.push_back({.name = name,
                            .type = "SATELLITE",
                            .connection_status = "ONLINE",
                            .preferred_nic = "lan",
                            .interfaces = {{"default", "10.8.0." + name.substr(1)},
                                           {"lan", lan},
                                           {"old", "10.9.0." + name.substr(1)}}});
  }
  void add_replica(const std::string& resource, const std::string& node,
                   std::vector<std::string> flags = {}) {
    linstor::Resource made;
    made.name = resource;
    made.node = node;
    made.is_drbd = true;
    made.has_state = true;
    made.flags = std::move(flags);
    made.volumes.push_back({.number = 0,
                            .storage_pool = "pool",
                            .disk_state = made.diskless() ? "Diskless" : "UpToDate"});
    for (auto& other : *state->resources) {
      if (other.name != resource || (other.diskless() && made.diskless())) continue;
      other.connections[node] = {true, "Connected"};
      made.connections[other.node] = {true, "Connected"};
    }
    state->resources->push_back(std::move(made));
  }
  linstor::Resource& replica(std::size_t index) { return state->resources->at(index); }
  linstor::Node& node(std::size_t index) { return state->nodes.at(index); }
  // A copy of the present, so long ago.
  State& earlier(Duration ago) {
    auto copy = std::make_shared<State>(*state);
    snapshot.linstor[0].earlier.push_back({start - ago, copy});
    return *copy;
  }
  Verdict judge(const CheckDefinition& check) {
    const Fleet fleet(config, snapshot);
    return testing::with_pasteable_cures(check.judge(fleet));
  }
  std::string words(const CheckDefinition& check) {
    const Verdict verdict = judge(check);
    if (!verdict.applicable) return "off";
    std::string text;
    for (const auto& finding : verdict.findings)
      text += (text.empty() ? "" : ", ") + finding.reason + " " + finding.object;
    if (text.empty()) text = verdict.unknown.empty() ? "fine" : "unknown";
    return text;
  }
};

}  // namespace

TEST_CASE("storage checks: fine, off, and unknown") {
  Storage storage;
  Storage unread;
  unread.snapshot.linstor[0].state.reset();
  Storage none;
  none.snapshot.linstor.clear();
  for (const auto* check : all_checks()) {
    if (check->layer != Layer::storage) continue;
    INFO(check->name);
    CHECK(storage.words(*check) == "fine");
    CHECK(unread.words(*check) == "unknown");
    CHECK(none.words(*check) == "off");
  }
}

TEST_CASE("storage checks: one site through a tunnel") {
  Storage storage;
  storage.node(1).preferred_nic = "default";  // one end is enough
  CHECK(storage.words(replication_over_tunnel_check) == "overlay n1 → n2");
  CHECK(storage.words(replication_over_retired_check) == "fine");
  // Many resources, one finding for the pair.
  storage.add_replica("s", "n1");
  storage.add_replica("s", "n2");
  CHECK(storage.judge(replication_over_tunnel_check).findings.size() == 1);
  // A backup path in the tunnel beside one on the wire is no fault.
  storage.node(1).preferred_nic = "lan";
  storage.state->node_connections->push_back(
      {"",
       "n1",
       "n2",
       {{"a", {{"n1", "default"}, {"n2", "default"}}}, {"b", {{"n1", "lan"}, {"n2", "lan"}}}}});
  CHECK(storage.words(replication_over_tunnel_check) == "fine");
}

TEST_CASE("storage checks: between sites the tunnel is the way") {
  Storage storage;
  storage.state->resources->clear();
  storage.add_replica("r", "n1");
  storage.add_replica("r", "n3");
  storage.node(0).preferred_nic = storage.node(2).preferred_nic = "default";
  CHECK(storage.words(replication_over_tunnel_check) == "fine");
}

TEST_CASE("storage checks: a retired network, in the same site or not") {
  Storage storage;
  storage.node(0).preferred_nic = "old";
  CHECK(storage.words(replication_over_retired_check) == "retired_network n1 → n2");
  CHECK(storage.words(replication_over_tunnel_check) == "fine");  // one fault, one finding
  storage.add_replica("r", "n3");
  CHECK(storage.words(replication_over_retired_check) ==
        "retired_network n1 → n2, retired_network n1 → n3");
  for (auto& replica : *storage.state->resources) replica.flags = {"DELETE"};
  CHECK(storage.words(replication_over_retired_check) == "fine");
}

TEST_CASE("storage checks: a shared address that nobody named is a tailnet to a satellite") {
  Storage storage;
  storage.config.networks.pop_back();
  for (auto& node : storage.state->nodes) {
    node.interfaces[0].address = "100.99.0." + node.name.substr(1);
    node.preferred_nic = "default";
  }
  CHECK(storage.words(replication_over_tunnel_check) == "overlay n1 → n2");
}

TEST_CASE("storage checks: an interface that is missing") {
  Storage storage;
  storage.node(0).interfaces.erase(storage.node(0).interfaces.begin() + 1);
  CHECK(storage.words(replication_interface_missing_check) == "interface_absent n1");
  storage.node(0).aux["site"] = storage.node(1).aux["site"] = "hall";
  CHECK(storage.words(replication_over_tunnel_check) ==
        "fine");  // follows from the above, and it says so
  CHECK(
      storage.judge(replication_interface_missing_check).findings[0].message.contains("10.8.0.1"));
  storage.node(0).flags = {"DELETE", "EVICTED"};
  CHECK(storage.words(replication_interface_missing_check) == "fine");
}

TEST_CASE("storage checks: satellites") {
  Storage storage;
  storage.node(2).connection_status = "OFFLINE";
  CHECK(storage.words(satellite_offline_check) == "offline n3");
  storage.node(2).connection_status = "OTHER_CONTROLLER";
  CHECK(storage.words(satellite_offline_check) == "other_controller n3");
  storage.node(2).connection_status = "SOMETHING_NEW";
  CHECK(storage.words(satellite_offline_check) == "unknown n3");
  storage.node(2).flags = {"DELETE", "EVICTED"};
  CHECK(storage.words(satellite_offline_check) == "evicted n3");
  storage.node(2).flags = {"DELETE"};
  CHECK(storage.words(satellite_offline_check) == "fine");
  storage.node(2).flags.clear();
  storage.node(2).type = "CONTROLLER";
  CHECK(storage.words(satellite_offline_check) == "fine");
}

TEST_CASE("storage checks: a version mismatch is offline every other time") {
  Storage storage;
  storage.node(2).connection_status = "OFFLINE";
  storage.earlier(15s).nodes[2].connection_status = "VERSION_MISMATCH";
  CHECK(storage.words(satellite_offline_check) == "version_mismatch n3");
}

TEST_CASE("storage checks: a handshake takes a moment") {
  Storage storage;
  storage.node(2).connection_status = "CONNECTED";
  CHECK(storage.words(satellite_offline_check) == "unknown");
  storage.earlier(45s);
  storage.earlier(15s);
  CHECK(storage.words(satellite_offline_check) == "connected n3");
}

TEST_CASE("storage checks: a controller that has just started is no outage, one that stays so is") {
  Storage storage;
  for (auto& node : storage.state->nodes) node.connection_status = "OFFLINE";
  storage.node(1).connection_status = "CONNECTED";
  for (auto& replica : *storage.state->resources) {
    replica.has_state = false;
    replica.volumes[0].disk_state.reset();
    replica.connections.clear();
  }
  CHECK(storage.words(satellite_offline_check) == "unknown");
  CHECK(storage.words(resource_degraded_check) == "unknown");
  storage.earlier(15s);
  CHECK(storage.words(satellite_offline_check) == "unknown");
  storage.snapshot.linstor[0].earlier.clear();
  storage.earlier(45s);
  storage.earlier(15s);
  CHECK(storage.words(satellite_offline_check) == "offline n1, connected n2, offline n3");
}

TEST_CASE("storage checks: disks") {
  const auto with = [](const std::string& disk) {
    Storage storage;
    storage.replica(0).volumes[0].disk_state = disk;
    return storage.words(resource_degraded_check);
  };
  CHECK(with("Failed") == "failed r");
  CHECK(with("Diskless") == "failed r");  // it should have a disk
  CHECK(with("Inconsistent") == "inconsistent r");
  CHECK(with("Outdated") == "outdated r");
  CHECK(with("Negotiating") == "fine");
  Storage storage;
  storage.replica(0).volumes[0].disk_state = "Outdated";
  CHECK(storage.judge(resource_degraded_check).findings[0].severity == Severity::warning);
  storage.replica(1).volumes[0].disk_state =
      "Inconsistent";  // the worst names it; no good copy is left
  CHECK(storage.words(resource_degraded_check) == "inconsistent r");
  CHECK(storage.judge(resource_degraded_check).findings[0].severity == Severity::critical);
}

TEST_CASE("storage checks: diskless replicas and tie breakers are whole without a disk") {
  Storage storage;
  storage.add_replica("r", "n3", {"DISKLESS", "DRBD_DISKLESS", "TIE_BREAKER"});
  CHECK(storage.words(resource_degraded_check) == "fine");
  storage.state->resources->clear();
  storage.add_replica("r", "n1");
  storage.add_replica("r", "n2", {"DISKLESS", "DRBD_DISKLESS"});
  CHECK(storage.words(resource_degraded_check) == "fine");
}

TEST_CASE("storage checks: connections") {
  Storage storage;
  storage.replica(0).connections["n2"] = {false, "StandAlone"};
  CHECK(storage.words(resource_degraded_check) == "disconnected r");
  storage.replica(1).flags = {"DELETE"};  // on its way out
  CHECK(storage.words(resource_degraded_check) == "fine");
  Storage lingering;
  lingering.replica(0).connections["gone"] = {false, "Connecting"};
  CHECK(lingering.words(resource_degraded_check) == "fine");
}

TEST_CASE("storage checks: a replica without state") {
  Storage storage;
  storage.replica(0).has_state = false;
  storage.replica(0).volumes[0].disk_state.reset();
  storage.replica(0).connections.clear();
  storage.replica(1).connections["n1"] = {false, "Connecting"};  // follows from it
  CHECK(storage.words(resource_degraded_check) == "not_created r");
  // Its satellite is away: that is the satellite's finding; the lost connection is the resource's.
  storage.node(0).connection_status = "OFFLINE";
  CHECK(storage.words(resource_degraded_check) == "disconnected r");
  storage.replica(1).connections["n1"] = {true, "Connected"};  // the satellite died, DRBD did not
  CHECK(storage.words(resource_degraded_check) == "fine");
  // New since the last look: give it a moment.
  storage.node(0).connection_status = "ONLINE";
  storage.snapshot.linstor[0].earlier.clear();
  storage.earlier(15s).resources->clear();
  CHECK(storage.words(resource_degraded_check) == "fine");
  storage.snapshot.linstor[0].earlier.clear();
  storage.earlier(15s);
  CHECK(storage.words(resource_degraded_check) == "not_created r");
}

TEST_CASE("storage checks: pools") {
  Storage storage;
  auto& pools = *storage.state->storage_pools;
  pools.push_back(
      {.name = "pool", .node = "n1", .provider_kind = "LVM", .free_bytes = 10, .total_bytes = 100});
  CHECK(storage.words(pool_nearly_full_check) == "fine");
  pools[0].free_bytes = 9;
  CHECK(storage.words(pool_nearly_full_check) == "space n1/pool");
  CHECK(storage.judge(pool_nearly_full_check).findings[0].severity == Severity::warning);
  pools[0].free_bytes = 4;
  CHECK(storage.judge(pool_nearly_full_check).findings[0].severity == Severity::critical);
  pools[0].free_bytes.reset();
  CHECK(storage.words(pool_nearly_full_check) == "capacity_unknown n1/pool");
  storage.node(0).connection_status = "OFFLINE";
  CHECK(storage.words(pool_nearly_full_check) == "fine");
  storage.node(0).connection_status = "ONLINE";
  pools[0].provider_kind = "DISKLESS";
  CHECK(storage.words(pool_nearly_full_check) == "fine");
}
