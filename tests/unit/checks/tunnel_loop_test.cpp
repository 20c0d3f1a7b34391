// A tunnel in itself, and real traffic that looks like one.
#include "support/catch.h"
#include "support/mesh_world.h"

using namespace shortcircuit;
using namespace shortcircuit::testing;

TEST_CASE("tunnel_loop: two looks, an overlay, and far more sent than received") {
  MeshWorld world;
  const auto look = [](std::uint64_t sent, std::uint64_t received, const std::string& endpoint) {
    auto state = running("100.64.0.1", {peer("b", "100.64.0.2", endpoint)});
    state.peers[0].transmitted_bytes = sent;
    state.peers[0].received_bytes = received;
    return std::make_shared<const tailscale::State>(state);
  };
  auto& view = world.view("a", running("100.64.0.1", {}));
  view.state = look(40'000'000, 1'000'000, "10.9.0.2:41641");
  CHECK(world.findings(tunnel_loop_check).empty());
  CHECK(world.judge(tunnel_loop_check).unknown.size() == 1);  // one look cannot tell

  view.earlier = {{now_time - 10s, look(10'000'000, 900'000, "10.9.0.2:41641")}};
  CHECK(world.findings(tunnel_loop_check) == Texts{"traffic_multiplies a → b"});
  CHECK(world.judge(tunnel_loop_check).unknown.empty());
  view.state = look(40'000'000, 1'000'000, "");  // fell back to a relay since
  CHECK(world.findings(tunnel_loop_check) == Texts{"traffic_multiplies a → b"});

  view.state = look(40'000'000, 30'000'000, "10.9.0.2:41641");  // both ways: real traffic
  CHECK(world.findings(tunnel_loop_check).empty());
  view.state = look(12'000'000, 900'000, "10.9.0.2:41641");  // slow
  CHECK(world.findings(tunnel_loop_check).empty());
  view.state = look(5'000'000, 1, "10.9.0.2:41641");  // counters started anew
  CHECK(world.findings(tunnel_loop_check).empty());
  view.earlier = {{now_time - 10s, look(10'000'000, 900'000, "192.168.1.2:41641")}};
  view.state = look(90'000'000, 1'000'000, "192.168.1.2:41641");  // an upload over the LAN
  CHECK(world.findings(tunnel_loop_check).empty());
}
