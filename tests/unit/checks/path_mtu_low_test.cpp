#include "support/catch.h"
#include "support/mesh_world.h"

using namespace shortcircuit;
using namespace shortcircuit::testing;

TEST_CASE("path_mtu_low: low is a finding, unmeasured is unknown, sufficient is nothing") {
  MeshWorld world;
  using Status = tailscale::PathMtu::Status;
  auto state = running("100.64.0.1", {peer("b", "100.64.0.2", "192.168.1.2:41641")});
  state.path_mtus = {
      {.peer = "b", .status = Status::low, .mtu_bytes = 1300, .needed_bytes = 1340},
      {.peer = "c", .status = Status::unknown},
      {.peer = "d", .status = Status::sufficient, .mtu_bytes = 1340, .needed_bytes = 1340}};
  world.view("a", state);
  CHECK_FALSE(world.judge(path_mtu_low_check).applicable);  // not asked for
  world.config.tailscale[0].path_mtu = true;
  CHECK(world.findings(path_mtu_low_check) == Texts{"black_hole a → b"});
  const Verdict verdict = world.judge(path_mtu_low_check);
  CHECK(verdict.unknown == Texts{"tailscale a: no path MTU to c"});
  CHECK(verdict.findings[0].cure.starts_with(
      "ssh a sudo ip link set dev tailscale0 mtu 1240   # and TS_DEBUG_MTU=1240"));

  MeshWorld relayed;
  relayed.view("a", running("100.64.0.1", {peer("b", "100.64.0.2", "")}));
  relayed.config.tailscale[0].path_mtu = true;
  CHECK(relayed.findings(path_mtu_low_check).empty());
  CHECK(relayed.judge(path_mtu_low_check).unknown.size() == 1);
}

TEST_CASE("path_mtu_low: an MTU that would take IPv6 from the interface is no command") {
  auto state = running("100.64.0.1", {peer("b", "100.64.0.2", "192.168.1.2:41641")});
  SECTION("the tunnel has IPv6") { state.self_addresses.push_back(ip("fd7a:115c:a1e0::1")); }
  SECTION("nobody knows") { state.self_addresses.clear(); }
  state.path_mtus = {{.peer = "b",
                      .status = tailscale::PathMtu::Status::low,
                      .mtu_bytes = 1300,
                      .needed_bytes = 1340}};
  MeshWorld world;
  world.view("a", state);
  world.config.tailscale[0].path_mtu = true;
  const std::string cure = world.judge(path_mtu_low_check).findings.at(0).cure;
  CHECK(cure.starts_with("ssh a sudo tailscale ping --size 1312 b   # "));
  CHECK(cure.contains("takes IPv6 from its interface"));
}
