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
            .starts_with("linstor node interface list n1 && linstor node interface list n2   # "));
}

TEST_CASE("storage checks: a pair is moved only to interfaces that meet") {
  Storage storage;
  for (auto& node : storage.state->nodes) node.preferred_nic = "default";
  const auto cure = [&] { return storage.cure(replication_over_tunnel_check); };
  const auto insert = [&](std::size_t node, const std::string& name, const std::string& address) {
    auto& interfaces = storage.node(node).interfaces;
    interfaces.insert(interfaces.begin() + 1, {name, address});
  };
  constexpr const char* only_look =
      "linstor node interface list n1 && linstor node interface list n2";
  SECTION("an interface of one node alone comes first in its list") {
    insert(0, "storage", "10.99.0.1");
    CHECK(cure().starts_with("linstor node-connection path create n1 n2 lan lan lan   # "));
    storage.node(0).preferred_nic = "old";
    CHECK(storage.cure(replication_over_retired_check)
              .starts_with("linstor node-connection path create n1 n2 lan lan lan   # "));
  }
  SECTION("both have one that nobody named, in one network") {
    insert(0, "fast", "10.99.0.1");
    insert(1, "san", "10.99.0.2");
    storage.node(1).interfaces[2].address = "10.8.9.2";  // its LAN
    storage.node(0).aux["site"] = storage.node(1).aux["site"] = "hall";
    CHECK(cure().starts_with("linstor node-connection path create n1 n2 lan fast san   # "));
    storage.node(1).interfaces[1].address = "10.99.7.2";  // private as well, and elsewhere
    CHECK(cure().starts_with(only_look));
  }
  SECTION("a named network of two prefixes: the same one is surer") {
    storage.config.networks[0].cidrs.push_back(*Prefix::parse("10.2.0.0/24"));
    insert(0, "second", "10.2.0.1");
    CHECK(cure().starts_with("linstor node-connection path create n1 n2 lan lan lan   # "));
    storage.node(0).interfaces.erase(storage.node(0).interfaces.begin() + 2);
    CHECK(cure().starts_with("linstor node-connection path create n1 n2 lan second lan   # "));
  }
  SECTION("link-local addresses are of every wire") {
    for (const std::size_t node : {0U, 1U})
      storage.node(node).interfaces[1].address = "169.254.0." + std::to_string(node + 1);
    storage.node(0).aux["site"] = storage.node(1).aux["site"] = "hall";
    CHECK(cure().starts_with(only_look));
  }
}

TEST_CASE("storage checks: satellites in the pod network need the host's, not an interface") {
  Storage storage;
  storage.config.networks.push_back(network("pods", "10.42.0.0/16", NetworkKind::pods));
  for (auto& node : storage.state->nodes) {
    node.preferred_nic = "";
    node.interfaces = {{"default-ipv4", "10.42.0." + node.name.substr(1)}};
  }
  storage.node(0).aux["zone"] = storage.node(1).aux["zone"] = "hall";
  CHECK(storage.words(replication_over_tunnel_check) == "overlay n1 → n2");
  const auto finding = storage.judge(replication_over_tunnel_check).findings[0];
  CHECK(finding.cure.starts_with("kubectl get linstorsatelliteconfigurations   # "));
  CHECK(finding.cure.contains("hostNetwork: true"));
  CHECK(finding.message.contains("through the pod network"));
  CHECK_FALSE(finding.message.contains("encrypted"));
  // An interface that somebody made with the LAN's address changes nothing: it cannot be bound.
  for (const std::size_t node : {0U, 1U})
    storage.node(node).interfaces.push_back({"lan", "10.1.0." + std::to_string(node + 1)});
  CHECK(storage.cure(replication_over_tunnel_check).contains("hostNetwork: true"));
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
