// tailscaled's answers; the first byte chooses the reader.
#include <set>

#include "fuzz/fuzz.h"
#include "sources/tailscale/parse.h"
#include "sources/tailscale/source.h"

using namespace shortcircuit;

namespace {

void check_peers(const tailscale::State& state) {
  std::string_view before;
  for (const tailscale::Peer& peer : state.peers) {
    fuzz::must(&peer == &state.peers.front() || before < peer.name,
               "peers are sorted and every name is there once");
    before = peer.name;
    fuzz::must(state.peer(peer.name) == &peer, "a peer is found by its name");
    (void)peer.underlay_address();
  }
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr const char* answers[] = {"status", "prefs", "usermetrics", "ping-a-1000"};
  const fuzz::Input input = fuzz::choose(data, size, std::size(answers));
  const auto readable = [&](std::string_view body) {
    switch (input.choice) {
      case 0: {
        const auto state = tailscale::parse_status(body);
        if (state) check_peers(*state);
        return state.has_value();
      }
      case 1: return tailscale::parse_control_url(body).has_value();
      case 2: return tailscale::parse_path_bytes(body).has_value();
      default: return tailscale::parse_ping(body).has_value();
    }
  };
  const bool read = readable(input.body);
  const auto kept = tailscale::reduce_for_recording(answers[input.choice], input.body);
  fuzz::must(!read || (kept && readable(*kept)), "a recorded answer can be read");
  return 0;
}
