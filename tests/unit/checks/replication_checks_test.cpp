#include "support/catch.h"
#include "support/storage_world.h"

using namespace shortcircuit;
using namespace shortcircuit::testing;

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

TEST_CASE("storage checks: the cure of a pair moves no other pair") {
  Storage storage;
  storage.add_replica("s", "n1");
  storage.add_replica("s", "n3");  // in another site: over its LAN it could not connect
  for (auto& node : storage.state->nodes) node.preferred_nic = "default";
  CHECK(storage.words(replication_over_tunnel_check) == "overlay n1 → n2");
  CHECK(storage.cure(replication_over_tunnel_check)
            .starts_with("linstor node-connection path create n1 n2 lan lan lan   # "));
  storage.node(0).interfaces[1].address = "10.8.9.1";  // n1 has no LAN
  storage.node(0).aux["site"] = storage.node(1).aux["site"] = "hall";
  CHECK(storage.words(replication_over_tunnel_check) == "overlay n1 → n2");
  CHECK(storage.cure(replication_over_tunnel_check)
            .starts_with(
                "linstor node interface list n1   # then: linstor node interface create "
                "n1 lan LAN-ADDRESS; linstor node-connection path create n1 n2 lan lan lan"));
}

TEST_CASE("storage checks: the way out of a retired network is one that the other end reaches") {
  Storage storage;
  storage.node(0).preferred_nic = "old";
  SECTION("within a site the LAN") {
    CHECK(storage.cure(replication_over_retired_check)
              .starts_with("linstor node-connection path create n1 n2 lan lan lan   # "));
  }
  SECTION("within a site, without a LAN") {
    storage.node(0).interfaces[1].address = "10.8.9.1";
    storage.node(0).aux["site"] = storage.node(1).aux["site"] = "hall";
    CHECK(storage.cure(replication_over_retired_check)
              .starts_with("linstor node-connection path create n1 n2 wan default default   # "));
  }
  SECTION("between sites never the LAN") {
    storage.state->resources->clear();
    storage.add_replica("r", "n1");
    storage.add_replica("r", "n3");
    CHECK(storage.cure(replication_over_retired_check)
              .starts_with("linstor node-connection path create n1 n3 wan default default   # "));
    storage.node(2).interfaces.erase(storage.node(2).interfaces.begin());
    CHECK(
        storage.cure(replication_over_retired_check)
            .starts_with("linstor node interface list n1 && linstor node interface list n3   # "));
  }
}
