// Nodes that moved in part, and nodes that only look so.
#include "support/catch.h"
#include "support/mesh_world.h"

using namespace shortcircuit;
using namespace shortcircuit::testing;

TEST_CASE("node_half_migrated: another control server, by name or by what most nodes use") {
  const auto with_url = [](const std::string& url, const std::string& address = "100.64.0.1") {
    auto state = running(address, {});
    state.control_url = url;
    return state;
  };
  headscale::State listed;
  listed.nodes = {node("a", "100.64.0.1", true), node("b", "100.64.0.2", true)};
  SECTION("the configured server decides") {
    MeshWorld world;
    world.control(listed);
    world.view("a", with_url("https://hs.example.org"));
    world.view("b", with_url("https://login.old.net/"));
    CHECK(world.findings(node_half_migrated_check) == Texts{"other_control_server b"});
  }
  SECTION("a single node") {
    MeshWorld world;
    world.control(listed);
    world.view("a", with_url("https://login.old.net", "100.64.0.7"));  // there its name is `a` too
    CHECK(world.findings(node_half_migrated_check) == Texts{"other_control_server a"});
  }
  SECTION("a single node that uses another name of the configured server") {
    MeshWorld world;
    world.control(listed, "https://headscale-internal.example.org");
    world.view("a", with_url("https://hs.example.org"));
    CHECK(world.findings(node_half_migrated_check).empty());
  }
  SECTION("one of several uses another name of the server, which sees it connected") {
    MeshWorld world;
    world.control(listed);
    world.view("a", with_url("https://hs.example.org"));
    world.view("b", with_url("https://headscale.example.org", "100.64.0.2"));
    CHECK(world.findings(node_half_migrated_check).empty());
    listed.nodes[1].online = false;
    MeshWorld moved;
    moved.control(listed);
    moved.view("a", with_url("https://hs.example.org"));
    moved.view("b", with_url("https://headscale.example.org", "100.64.0.2"));
    CHECK(moved.findings(node_half_migrated_check) == Texts{"other_control_server b"});
  }
  SECTION("the configured Headscale is where the fleet comes from") {
    MeshWorld world;
    world.control(listed);
    world.config.expect.control_server = "https://new.example.org";
    world.view("a", with_url("https://hs.example.org"));
    CHECK(world.findings(node_half_migrated_check) == Texts{"other_control_server a"});
  }
  SECTION("an API name that only the cluster knows is no other server") {
    MeshWorld world;
    world.control(listed, "http://headscale.mesh.svc:8080");
    world.view("a", with_url("https://hs.example.org"));
    world.view("b", with_url("https://hs.example.org"));
    CHECK(world.findings(node_half_migrated_check).empty());
  }
  SECTION("without Headscale most nodes decide, and a tie cannot") {
    MeshWorld world;
    world.view("a", with_url("https://one"));
    world.view("b", with_url("https://two"));
    CHECK(world.findings(node_half_migrated_check).empty());
    CHECK(world.judge(node_half_migrated_check).unknown.size() == 1);
    world.view("c", with_url("https://one"));
    CHECK(world.findings(node_half_migrated_check) == Texts{"other_control_server b"});
  }
  SECTION("a node that is read alone: the expected server decides") {
    MeshWorld world;
    world.config.expect.control_server = "https://hs.example.org";
    world.view("a", with_url("https://HS.example.org/"));
    CHECK(world.findings(node_half_migrated_check).empty());
    world.view("b", with_url("https://login.old.net"));
    CHECK(world.findings(node_half_migrated_check) == Texts{"other_control_server b"});
    CHECK(world.judge(node_half_migrated_check)
              .findings[0]
              .cure.ends_with("--login-server=https://hs.example.org"));
  }
  SECTION("a node address in a retired network") {
    MeshWorld world;
    world.cluster({{.name = "k", .internal_addresses = {ip("10.8.0.9")}},
                   {.name = "l", .internal_addresses = {ip("192.168.1.9")}}});
    CHECK(world.findings(node_half_migrated_check) == Texts{"node_address_retired k"});
  }
}

TEST_CASE("a cure never logs a node into the control server that the fleet comes from") {
  const auto with_url = [](const std::string& url, bool expired = false) {
    auto state = running("100.64.0.9", {});
    state.control_url = url;
    state.self_expired = expired;
    return state;
  };
  const auto cure = [](const MeshWorld& world) {
    const auto findings = world.judge(key_expiring_check).findings;
    return findings.empty() ? std::string("no finding") : findings.front().cure;
  };
  const std::string old = "https://login.old.net";
  headscale::State listed;
  listed.nodes = {node("a", "100.64.0.1", false), node("b", "100.64.0.2", true)};
  MeshWorld world;
  SECTION("a node that has not moved comes first") {
    world.control(listed);
    world.view("a", with_url(old, true));
    world.view("b", with_url("https://hs.example.org"));
    CHECK(
        cure(world).starts_with("ssh a sudo tailscale up --force-reauth "
                                "--login-server=https://hs.example.org   # "));
  }
  SECTION("the expected server, though Headscale is asked by a name inside the cluster") {
    world.config.expect.control_server = "https://hs.example.org";
    world.control(listed, "http://headscale.mesh.svc:8080");
    world.view("a", with_url(old, true));
    CHECK(cure(world).contains(" --login-server=https://hs.example.org "));
  }
  SECTION("the name of the nodes that Headscale sees, though most have not moved yet") {
    listed.nodes[1].addresses = {ip("100.64.0.9")};
    world.control(listed, "http://headscale.mesh.svc:8080");
    world.view("a", with_url(old, true));
    world.view("c", with_url(old));
    world.view("b", with_url("https://hs.example.org"));
    CHECK(cure(world).contains(" --login-server=https://hs.example.org "));
    CHECK(world.findings(node_half_migrated_check) ==
          Texts{"other_control_server a", "other_control_server c"});
  }
  SECTION("a name inside the cluster alone is none") {
    listed.nodes[0].expiry = now_time - 24h;
    listed.nodes[0].online = true;
    world.control(listed, "http://headscale.mesh.svc:8080");
    CHECK(cure(world).starts_with("ssh a sudo tailscale up --force-reauth   # "));
  }
  SECTION("most nodes, where there is no Headscale") {
    world.view("a", with_url("https://hs.example.org", true));
    world.view("b", with_url("https://hs.example.org"));
    world.view("c", with_url(old));
    CHECK(cure(world).contains(" --login-server=https://hs.example.org "));
  }
}

TEST_CASE("node_half_migrated: an InternalIP that the mesh gives to nobody who is there") {
  const auto lives_at = [](const std::string& name, const std::string& address) {
    return kubernetes::Node{.name = name, .internal_addresses = {ip(address)}};
  };
  MeshWorld world;
  headscale::State listed;
  listed.nodes = {node("fine", "100.64.0.1", true), node("off", "100.64.0.2", false),
                  node("anew", "100.64.0.33", true)};
  SECTION("the node registered anew and its old entry is gone") {
    world.control(listed);
    world.cluster({lives_at("fine", "100.64.0.1"), lives_at("off", "100.64.0.2"),
                   lives_at("anew", "100.64.0.3"), lives_at("lan", "192.168.1.3")});
    CHECK(world.findings(node_half_migrated_check) == Texts{"node_address_unknown anew"});
    CHECK(world.findings(peer_offline_check) == Texts{"offline off"});
    const Finding finding = world.judge(node_half_migrated_check).findings[0];
    CHECK(finding.message.contains("100.64.0.33"));
    CHECK(finding.cure.starts_with("ssh anew sudo grep node-ip"));
  }
  SECTION("its old entry is left behind, offline") {
    listed.nodes = {node("anew", "100.64.0.3", false), node("anew-x7f3k", "100.64.0.33", true)};
    for (auto& entry : listed.nodes) entry.host_name = "anew";
    world.control(listed);
    world.cluster({lives_at("anew", "100.64.0.3")});
    CHECK(world.findings(node_half_migrated_check) == Texts{"node_address_unknown anew"});
    CHECK(world.findings(peer_offline_check).empty());  // one cause, one finding
    world.config.expect.peers = {"anew"};
    CHECK(world.findings(peer_offline_check) == Texts{"offline anew"});
  }
  SECTION("another machine of the same name is online: this one is offline") {
    listed.nodes = {node("pi", "100.64.0.3", false), node("pi-x7f3k", "100.64.0.33", true)};
    for (auto& entry : listed.nodes) entry.host_name = "pi";
    world.control(listed);
    world.cluster({lives_at("one", "100.64.0.3"), lives_at("two", "100.64.0.33")});
    CHECK(world.findings(node_half_migrated_check).empty());
    CHECK(world.findings(peer_offline_check) == Texts{"offline pi"});
  }
  SECTION("the node's own tailscaled says so, without Headscale") {
    world.cluster({lives_at("a", "100.64.0.1"), lives_at("b", "100.64.0.3")});
    world.view("a", running("100.64.0.1", {}));
    CHECK(world.findings(node_half_migrated_check).empty());
    CHECK(world.judge(node_half_migrated_check).unknown.size() == 1);  // `a` may not see `b`
    world.view("b", running("100.64.0.33", {}));
    CHECK(world.findings(node_half_migrated_check) == Texts{"node_address_unknown b"});
    CHECK(world.judge(node_half_migrated_check).unknown.empty());
  }
  SECTION("Headscale does not answer") {
    world.control(std::nullopt);
    world.cluster({lives_at("anew", "100.64.0.3")});
    CHECK(world.findings(node_half_migrated_check).empty());
    CHECK(world.judge(node_half_migrated_check).unknown == Texts{"headscale: auth"});
  }
  SECTION("a node that is still in the tailnet which the fleet leaves") {
    world.control(listed);
    world.cluster({lives_at("old", "100.64.0.9"), lives_at("peer-of-old", "100.64.0.10")});
    world.view("old", running("100.64.0.9", {peer("peer-of-old", "100.64.0.10", "")}));
    CHECK(world.findings(node_half_migrated_check).empty());
  }
  SECTION("the configuration says that the address belongs elsewhere") {
    world.control(listed);
    world.config.networks.push_back(
        {.name = "carrier", .cidrs = {*Prefix::parse("100.80.0.0/16")}, .kind = NetworkKind::lan});
    world.config.networks.push_back({.name = "tailnet-of-a-friend",
                                     .cidrs = {*Prefix::parse("100.81.0.0/16")},
                                     .kind = NetworkKind::tailnet});
    world.cluster({lives_at("starlink", "100.80.0.3"), lives_at("friend", "100.81.0.3")});
    CHECK(world.findings(node_half_migrated_check).empty());
  }
}
