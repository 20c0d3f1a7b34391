#include "support/catch.h"
#include "support/storage_world.h"

using namespace shortcircuit;
using namespace shortcircuit::testing;

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
  // The look before once more, since there was no answer: that is one look.
  storage.state->resources_are_old = true;
  CHECK(storage.words(resource_degraded_check) == "fine");
  storage.earlier(10s).resources_are_old = false;
  CHECK(storage.words(resource_degraded_check) == "not_created r");
}

TEST_CASE("storage checks: a broken disk is given up only where a good copy is in reach") {
  Storage storage;
  storage.replica(0).volumes[0].disk_state = "Failed";
  storage.replica(0).in_use = true;
  CHECK(storage.cure(resource_degraded_check).contains("linstor resource delete n1 r"));
  constexpr const char* only_look = "ssh n1 sudo drbdadm status r   # it may hold the newest data";
  SECTION("the other is outdated") {
    storage.replica(1).volumes[0].disk_state = "Outdated";
    CHECK(storage.words(resource_degraded_check) == "failed r");
  }
  SECTION("the other is not connected, so it is older") {
    storage.replica(0).connections["n2"] = {false, "Connecting"};
  }
  SECTION("the other says nothing") { storage.replica(1).volumes[0].disk_state.reset(); }
  CHECK(storage.cure(resource_degraded_check).starts_with(only_look));
}

TEST_CASE("storage checks: the node that uses a resource reaches no copy of it") {
  Storage storage;
  storage.add_replica("r", "n3", {"DISKLESS", "DRBD_DISKLESS"});
  auto& client = storage.replica(2);
  client.in_use = true;
  const auto severity = [&] { return storage.judge(resource_degraded_check).findings[0].severity; };
  SECTION("no connection") {
    client.connections["n1"] = client.connections["n2"] = {false, "Connecting"};
    CHECK(storage.words(resource_degraded_check) == "no_copy r");
    CHECK(severity() == Severity::critical);
    CHECK(storage.cure(resource_degraded_check).starts_with("ssh n3 sudo drbdadm status r"));
    client.in_use = false;  // a client that nobody uses
    CHECK(storage.words(resource_degraded_check) == "disconnected r");
    CHECK(severity() == Severity::warning);
  }
  SECTION("only to one that is outdated") {
    client.connections["n1"] = {false, "Connecting"};
    storage.replica(1).volumes[0].disk_state = "Outdated";
    CHECK(storage.words(resource_degraded_check) == "no_copy r");
  }
  SECTION("to one is enough") {
    client.connections["n1"] = {false, "Connecting"};
    CHECK(storage.words(resource_degraded_check) == "disconnected r");
    CHECK(severity() == Severity::warning);
  }
  SECTION("to one whose satellite tells nothing, but DRBD answers") {
    client.connections["n1"] = {false, "Connecting"};
    storage.node(1).connection_status = "OFFLINE";
    storage.replica(1).has_state = false;
    storage.replica(1).volumes[0].disk_state.reset();
    storage.replica(1).connections.clear();
    CHECK(storage.words(resource_degraded_check) == "disconnected r");
  }
  SECTION("its connections are not known") {
    client.connections.clear();
    CHECK(storage.words(resource_degraded_check) == "fine");
  }
}

TEST_CASE("storage checks: a quorum is what lets the user write") {
  Storage storage;
  storage.state->definitions->push_back({.name = "r", .group = "", .preferred_nic = ""});
  storage.state->definitions->at(0).quorum = "majority";
  storage.replica(0).in_use = true;
  const auto cut = [&](std::size_t replica, const std::string& peer) {
    storage.replica(replica).connections[peer] = {false, "Connecting"};
  };
  SECTION("two replicas and a tie breaker: alone it has none, with the tie breaker it has") {
    storage.add_replica("r", "n3", {"DISKLESS", "DRBD_DISKLESS", "TIE_BREAKER"});
    cut(0, "n2");
    CHECK(storage.words(resource_degraded_check) == "disconnected r");
    cut(0, "n3");
    CHECK(storage.words(resource_degraded_check) == "no_quorum r");
    CHECK(storage.judge(resource_degraded_check).findings[0].severity == Severity::critical);
    storage.state->definitions->at(0).quorum = "off";  // then it writes on
    CHECK(storage.words(resource_degraded_check) == "disconnected r");
    CHECK(storage.judge(resource_degraded_check).findings[0].severity == Severity::warning);
    storage.state->definitions->at(0).quorum = "majority";
    storage.replica(0).in_use = false;
    storage.replica(1).in_use = true;  // the other side of the cut has it
    CHECK(storage.words(resource_degraded_check) == "disconnected r");
  }
  SECTION("three replicas: two are a majority, one is none") {
    storage.add_replica("r", "n3");
    cut(0, "n2");
    CHECK(storage.words(resource_degraded_check) == "disconnected r");
    cut(0, "n3");
    CHECK(storage.words(resource_degraded_check) == "no_quorum r");
  }
  SECTION("a diskless user has the quorum of the replica that it reaches") {
    storage.add_node("n4", "10.1.0.4");
    storage.add_replica("r", "n3");
    storage.add_replica("r", "n4", {"DISKLESS", "DRBD_DISKLESS"});
    storage.replica(0).in_use = false;
    storage.replica(3).in_use = true;
    cut(3, "n2");
    cut(3, "n3");
    CHECK(storage.words(resource_degraded_check) == "disconnected r");
    cut(0, "n2");
    cut(0, "n3");
    CHECK(storage.words(resource_degraded_check) == "no_quorum r");
  }
  SECTION("many clients do not outvote the replicas") {
    for (const char* node : {"n4", "n5", "n6"}) {
      storage.add_node(node, std::string("10.1.0.") + node[1]);
      storage.add_replica("r", node, {"DISKLESS", "DRBD_DISKLESS"});
      cut(0, node);
    }
    CHECK(storage.words(resource_degraded_check) == "disconnected r");
  }
}

namespace {

// `r` lies in a group that wants two replicas, and one of its two is gone.
Storage short_by_one() {
  Storage storage;
  storage.state->groups->push_back({.name = "g", .preferred_nic = "", .place_count = 2});
  storage.state->definitions->push_back({.name = "r", .group = "g", .preferred_nic = ""});
  storage.state->resources->pop_back();
  storage.replica(0).connections.clear();
  return storage;
}

}  // namespace

TEST_CASE("storage checks: fewer replicas than ordered") {
  Storage storage = short_by_one();
  CHECK(storage.words(resource_degraded_check) == "too_few_replicas r");
  const auto finding = storage.judge(resource_degraded_check).findings[0];
  CHECK(finding.severity == Severity::warning);
  CHECK(finding.message ==
        "Resource r is degraded: it has 1 replica with a disk, and its resource group g wants 2.");
  CHECK(finding.cure == "linstor resource create --auto-place +1 r");
  SECTION("a client is no replica") {
    storage.add_replica("r", "n2", {"DISKLESS", "DRBD_DISKLESS"});
    CHECK(storage.words(resource_degraded_check) == "too_few_replicas r");
  }
  SECTION("nor is one that was evicted") {
    storage.add_replica("r", "n2", {"INACTIVE", "EVICTED"});
    storage.node(1).connection_status = "OFFLINE";
    storage.node(1).flags = {"DELETE", "EVICTED"};
    CHECK(storage.words(resource_degraded_check) == "too_few_replicas r");
  }
  SECTION("nor one that is being deleted") {
    storage.add_replica("r", "n2", {"DELETE"});
    CHECK(storage.words(resource_degraded_check) == "too_few_replicas r");
  }
  SECTION("it lasts") {
    storage.earlier(15s);
    CHECK(storage.words(resource_degraded_check) == "too_few_replicas r");
  }
  SECTION("what says how many was not read") {
    storage.state->groups.reset();
    CHECK(storage.words(resource_degraded_check) == "unknown");
  }
}

TEST_CASE("storage checks: one replica that is enough, or only for a moment") {
  Storage storage = short_by_one();
  SECTION("both are there") { storage.add_replica("r", "n2"); }
  SECTION("a node that is offline comes back") {
    storage.add_replica("r", "n2");
    storage.node(1).connection_status = "OFFLINE";
  }
  SECTION("the group asks for one, or does not say") {
    storage.state->groups->at(0).place_count = 1;
    CHECK(storage.words(resource_degraded_check) == "fine");
    storage.state->groups->at(0).place_count.reset();
  }
  SECTION("placed by hand, in the group that LINSTOR makes by itself") {
    storage.state->groups->at(0).name = storage.state->definitions->at(0).group = "DfltRscGrp";
  }
  SECTION("not replicated") { storage.replica(0).is_drbd = false; }
  SECTION("on its way out") { storage.state->definitions->at(0).flags = {"DELETE"}; }
  SECTION("its node is being removed") {
    storage.add_replica("r", "n2", {"DELETE"});
    storage.node(1).flags = {"DELETE"};
  }
  SECTION("a client is getting a disk") {
    storage.add_replica("r", "n2", {"DISKLESS", "DRBD_DISKLESS", "DISK_ADDING"});
  }
  SECTION("made since the last look") { storage.earlier(15s).resources->clear(); }
  SECTION("a definition alone keeps snapshots") { storage.state->resources->clear(); }
  CHECK(storage.words(resource_degraded_check) == "fine");
}
