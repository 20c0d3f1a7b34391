// Flannel's annotations on small fleets: wrong addresses, and beside them right ones that look so.
#include "support/catch.h"
#include "support/mesh_world.h"

using namespace shortcircuit;
using namespace shortcircuit::testing;

TEST_CASE("flannel_address_mismatch: annotations that are none of the node's own addresses") {
  MeshWorld world;
  const std::string prefix = "flannel.alpha.coreos.com/";
  world.cluster({{.name = "fine",
                  .internal_addresses = {ip("100.64.0.1"), ip("fd00::1")},
                  .flannel_addresses = {{prefix + "public-ip", "100.64.0.1"}}},
                 {.name = "stale",
                  .internal_addresses = {ip("100.64.0.2")},
                  .flannel_addresses = {{prefix + "public-ip", "10.8.0.2"}}},
                 {.name = "stale-overwrite",
                  .internal_addresses = {ip("100.64.0.3")},
                  .flannel_addresses = {{prefix + "public-ip", "100.64.0.3"},
                                        {prefix + "public-ip-overwrite", "10.8.0.3"}}},
                 {.name = "chosen",
                  .internal_addresses = {ip("192.168.1.4")},
                  .external_addresses = {ip("203.0.113.4")},
                  .flannel_addresses = {{prefix + "public-ip", "203.0.113.4"},
                                        {prefix + "public-ip-overwrite", "203.0.113.4"}}},
                 {.name = "external",
                  .internal_addresses = {ip("192.168.1.5")},
                  .external_addresses = {ip("203.0.113.5")},
                  .flannel_addresses = {{prefix + "public-ip", "203.0.113.5"}}},
                 {.name = "no-flannel", .internal_addresses = {ip("100.64.0.6")}}});
  CHECK(world.findings(flannel_address_mismatch_check) ==
        Texts{"annotation_differs stale", "annotation_differs stale-overwrite",
              "annotation_differs external"});
  const Finding stale = world.judge(flannel_address_mismatch_check).findings[0];
  CHECK(stale.cure.find("kubectl annotate node stale --overwrite " + prefix +
                        "public-ip=100.64.0.2") == 0);
  CHECK(stale.message.find("retired network old") != std::string::npos);
}

TEST_CASE(
    "flannel_address_mismatch: an overwrite that is followed is a choice, unless it leads "
    "nowhere") {
  MeshWorld world;
  const std::string prefix = "flannel.alpha.coreos.com/";
  const auto overwritten = [&](const std::string& name, const std::string& address,
                               const std::string& announced) {
    return kubernetes::Node{.name = name,
                            .internal_addresses = {ip("100.64.0.7")},
                            .flannel_addresses = {{prefix + "node-public-ip", "100.64.0.7"},
                                                  {prefix + "public-ip", announced},
                                                  {prefix + "public-ip-overwrite", address}}};
  };
  world.control(headscale::State{.nodes = {node("behind-nat", "100.64.0.7", true)}});
  world.cluster({overwritten("behind-nat", "203.0.113.7", "203.0.113.7"),
                 overwritten("not-followed", "203.0.113.8", "203.0.113.9"),
                 overwritten("retired", "10.8.0.7", "10.8.0.7"),
                 overwritten("old-tailnet-address", "100.64.0.8", "100.64.0.8")});
  CHECK(world.findings(flannel_address_mismatch_check) ==
        Texts{"annotation_differs not-followed", "annotation_differs retired",
              "annotation_differs old-tailnet-address"});
}

TEST_CASE(
    "flannel_address_mismatch: flannel on the tailnet's interface beside another InternalIP") {
  MeshWorld world;
  const auto lan_node = [](const std::string& name, const std::string& announced) {
    return kubernetes::Node{
        .name = name,
        .internal_addresses = {ip("192.168.1.1")},
        .flannel_addresses = {{"flannel.alpha.coreos.com/public-ip", announced}}};
  };
  world.cluster({lan_node("here", "100.64.0.1"), lan_node("away", "100.64.0.2"),
                 lan_node("of-another", "100.64.0.1"), lan_node("of-nobody", "100.64.0.4"),
                 lan_node("renamed", "100.64.0.5")});
  headscale::State listed;
  listed.nodes = {node("here", "100.64.0.1", true), node("away", "100.64.0.2", false),
                  node("renamed-x7f3k", "100.64.0.5", true)};
  listed.nodes[2].host_name = "renamed";
  const Texts wrong{"annotation_differs away", "annotation_differs of-another",
                    "annotation_differs of-nobody"};
  SECTION("Headscale says whose address it is") {
    world.control(listed);
    CHECK(world.findings(flannel_address_mismatch_check) == wrong);
    CHECK(world.judge(flannel_address_mismatch_check).unknown.empty());
  }
  SECTION("the node's own tailscaled says so, also that it is stopped") {
    world.control(headscale::State{});
    auto& view = world.view("here", running("100.64.0.1", {}));
    CHECK_FALSE(world.findings(flannel_address_mismatch_check).front().ends_with(" here"));
    auto stopped = running("100.64.0.1", {});
    stopped.backend_state = "Stopped";
    view.state = std::make_shared<const tailscale::State>(stopped);
    CHECK(world.findings(flannel_address_mismatch_check).front() == "annotation_differs here");
  }
  SECTION("without Headscale the others' views say it") {
    auto off = peer("away", "100.64.0.2", "");
    off.online = false;
    world.view("b", running("100.64.0.9", {peer("here", "100.64.0.1", ""), off,
                                           peer("renamed", "100.64.0.5", "")}));
    CHECK(world.findings(flannel_address_mismatch_check) == wrong);
  }
  SECTION("while Headscale is down nobody knows, and an address of the mesh is no wrong one") {
    world.control(std::nullopt);
    CHECK(world.findings(flannel_address_mismatch_check).empty());
    CHECK(world.judge(flannel_address_mismatch_check).unknown.size() == 5);
  }
}

TEST_CASE("flannel_address_mismatch: IPv6 has annotations and addresses of its own") {
  MeshWorld world;
  const std::string prefix = "flannel.alpha.coreos.com/";
  world.config.networks[1].cidrs.push_back(*Prefix::parse("fd67::/64"));
  const auto both = [&](const std::string& name, std::vector<IpAddress> own,
                        const std::string& announced) {
    return kubernetes::Node{.name = name,
                            .internal_addresses = std::move(own),
                            .flannel_addresses = {{prefix + "public-ip", "192.168.1.1"},
                                                  {prefix + "public-ipv6", announced}}};
  };
  world.cluster({both("fine", {ip("192.168.1.1"), ip("fd00::1")}, "fd00::1"),
                 both("stale", {ip("192.168.1.1"), ip("fd00::2")}, "fd67::2"),
                 both("nothing-to-compare", {ip("192.168.1.1")}, "2001:db8::3"),
                 both("retired", {ip("192.168.1.1")}, "fd67::4")});
  CHECK(world.findings(flannel_address_mismatch_check) ==
        Texts{"annotation_differs stale", "annotation_differs retired"});
  const Verdict verdict = world.judge(flannel_address_mismatch_check);
  CHECK(verdict.unknown.size() == 1);
  CHECK(verdict.findings[0].cure.contains("--overwrite " + prefix + "public-ipv6=fd00::2 "));
  CHECK(verdict.findings[1].cure.contains("--overwrite " + prefix + "public-ipv6-   #"));
}
