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

TEST_CASE("storage checks: a satellite without DRBD") {
  Storage storage;
  storage.node(0).drbd_supported = false;
  storage.node(0).drbd_unsupported_reason = "DRBD version has to be >= 9";
  SECTION("that holds a replica: one cause, one finding") {
    storage.replica(0).has_state = false;
    storage.replica(0).volumes[0].disk_state.reset();
    storage.replica(0).connections.clear();
    storage.replica(1).connections["n1"] = {false, "Connecting"};
    CHECK(storage.words(satellite_offline_check) == "drbd_missing n1");
    const auto finding = storage.judge(satellite_offline_check).findings[0];
    CHECK(finding.severity == Severity::critical);
    CHECK(finding.message.contains(
        "(DRBD version has to be >= 9). It cannot run its replicas of r."));
    CHECK(storage.words(resource_degraded_check) == "fine");
    storage.node(0).drbd_supported = true;
    CHECK(storage.words(resource_degraded_check) == "not_created r");
  }
  SECTION("that holds none, beside nodes that replicate") {
    storage.replica(0).node = "n3";
    CHECK(storage.words(satellite_offline_check) == "drbd_missing n1");
    CHECK(storage.judge(satellite_offline_check).findings[0].severity == Severity::warning);
    storage.node(0).flags = {"DELETE"};
    CHECK(storage.words(satellite_offline_check) == "fine");
  }
  SECTION("and nothing is placed yet, but ordered") {
    storage.state->resources->clear();
    storage.state->definitions->push_back({"ordered", "group", ""});
    CHECK(storage.words(satellite_offline_check) == "drbd_missing n1");
    storage.state->definitions->at(0).layers = {"DRBD", "STORAGE"};
    CHECK(storage.words(satellite_offline_check) == "drbd_missing n1");
    storage.state->definitions->clear();
    storage.state->groups->push_back({"group", "", {"DRBD", "LUKS", "STORAGE"}});
    CHECK(storage.words(satellite_offline_check) == "drbd_missing n1");
  }
}

TEST_CASE("storage checks: a satellite without DRBD where nobody needs it") {
  Storage storage;
  storage.node(0).drbd_supported = false;
  SECTION("it is a controller alone") {
    storage.replica(0).node = "n3";
    storage.node(0).type = "CONTROLLER";
  }
  SECTION("nothing is replicated") {
    for (auto& replica : *storage.state->resources) replica.is_drbd = false;
    storage.state->groups->push_back({"DfltRscGrp", ""});
    storage.state->groups->push_back({"local", "", {"STORAGE"}});
    storage.state->definitions->push_back({"r", "DfltRscGrp", ""});  // its replicas say the layer
    storage.state->definitions->push_back({"s", "DfltRscGrp", "", {"LUKS", "STORAGE"}});
    storage.state->definitions->push_back({"t", "local", ""});
  }
  SECTION("a fresh controller") {
    storage.state->resources->clear();
    storage.state->groups->push_back({"DfltRscGrp", ""});
  }
  CHECK(storage.words(satellite_offline_check) == "fine");
}

TEST_CASE("storage checks: a satellite without DRBD and a list that was not read") {
  Storage storage;
  storage.node(0).drbd_supported = false;
  storage.state->resources.reset();
  CHECK(storage.words(satellite_offline_check) == "unknown");
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
