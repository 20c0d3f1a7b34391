#include "support/catch.h"
#include "support/storage_world.h"

using namespace shortcircuit;
using namespace shortcircuit::testing;

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
