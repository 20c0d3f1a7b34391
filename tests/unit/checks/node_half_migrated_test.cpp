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
    world.view("a", with_url("https://login.old.net"));
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
