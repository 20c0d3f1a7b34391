// A tunnel in itself, and real traffic that looks like one.
#include "support/catch.h"
#include "support/mesh_world.h"

using namespace shortcircuit;
using namespace shortcircuit::testing;

namespace {

// A look of `from` at its only peer.
std::shared_ptr<const tailscale::State> look(const std::string& from, const std::string& to,
                                             std::uint64_t sent, std::uint64_t received,
                                             const std::string& endpoint = "10.9.0.2:41641") {
  auto state = running("100.64.0." + from, {peer("node-" + to, "100.64.0." + to, endpoint)});
  state.peers[0].transmitted_bytes = sent;
  state.peers[0].received_bytes = received;
  return std::make_shared<const tailscale::State>(state);
}

}  // namespace

TEST_CASE("tunnel_loop: two looks, an overlay, far more sent than received, and little arrives") {
  MeshWorld world;
  world.view("node-2", running("100.64.0.2", {}));
  world.view("node-1", running("100.64.0.1", {}));
  auto& other = world.snapshot.tailscale[0];
  auto& view = world.snapshot.tailscale[1];
  other.earlier = {{now_time - 11s, look("2", "1", 500'000, 5'000'000)}};
  other.state = look("2", "1", 600'000, 16'000'000);
  view.state = look("1", "2", 40'000'000, 1'000'000);
  CHECK(world.findings(tunnel_loop_check).empty());
  CHECK(world.judge(tunnel_loop_check).unknown.size() == 1);  // one look cannot tell

  view.earlier = {{now_time - 10s, look("1", "2", 10'000'000, 900'000)}};
  CHECK(world.findings(tunnel_loop_check) == Texts{"traffic_multiplies node-1 → node-2"});
  CHECK(world.judge(tunnel_loop_check).findings[0].severity == Severity::critical);
  CHECK(world.judge(tunnel_loop_check).unknown.empty());
  view.state = look("1", "2", 40'000'000, 1'000'000, "");  // fell back to a relay since
  CHECK(world.findings(tunnel_loop_check) == Texts{"traffic_multiplies node-1 → node-2"});

  view.state = look("1", "2", 40'000'000, 30'000'000);  // both ways: real traffic
  CHECK(world.findings(tunnel_loop_check).empty());
  view.state = look("1", "2", 12'000'000, 900'000);  // slow
  CHECK(world.findings(tunnel_loop_check).empty());
  view.state = look("1", "2", 5'000'000, 1);  // counters started anew
  CHECK(world.findings(tunnel_loop_check).empty());
  view.earlier = {{now_time - 10s, look("1", "2", 10'000'000, 900'000, "192.168.1.2:41641")}};
  view.state = look("1", "2", 90'000'000, 1'000'000, "192.168.1.2:41641");  // over the LAN
  CHECK(world.findings(tunnel_loop_check).empty());
}

TEST_CASE("tunnel_loop: an upload arrives, and where nobody looks at that it may be one") {
  MeshWorld world;
  world.view("node-1", running("100.64.0.1", {}));
  world.view("node-2", std::nullopt);
  auto& view = world.snapshot.tailscale[0];
  auto& other = world.snapshot.tailscale[1];
  view.earlier = {{now_time - 10s, look("1", "2", 10'000'000, 900'000)}};
  view.state = look("1", "2", 40'000'000, 1'000'000);
  const Texts perhaps{"traffic_may_multiply node-1 → node-2"};
  CHECK(world.findings(tunnel_loop_check) == perhaps);
  const Finding finding = world.judge(tunnel_loop_check).findings[0];
  CHECK(finding.severity == Severity::warning);
  CHECK(finding.message.contains("may be an upload"));

  other.state = look("2", "1", 600'000, 34'000'000);
  CHECK(world.findings(tunnel_loop_check) == perhaps);  // one look
  other.earlier = {{now_time - 10s, look("2", "1", 500'000, 5'000'000)}};
  CHECK(world.findings(tunnel_loop_check).empty());
  other.observed_at = now_time - 9s;  // of another time: before the upload began
  other.earlier = {{now_time - 19s, look("2", "1", 500'000, 34'000'000)}};
  CHECK(world.findings(tunnel_loop_check) == perhaps);
}
