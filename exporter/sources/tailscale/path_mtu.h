// The path MTU towards each direct peer, by tailscaled's own pings with a size (opt-in).
//
// A disco ping of N bytes is sent with "do not fragment": it is answered within milliseconds or
// never. What is measured is the sending direction. Rules, and why:
//   - an answer counts only with the endpoint of the direct path; without one it came through a
//     relay and says nothing, so small pings go first until an endpoint is set (at most three);
//   - a full packet of the tunnel (interface MTU + 32 bytes of WireGuard) that passes is enough;
//   - one lost ping is no finding (where "too big" messages arrive, the first one is lost and the
//     next is answered); three in a row are, and only then the MTU is searched with at most 8
//     calls;
//   - a path that was too narrow stays so while its peer is idle, for half an hour;
//   - at most one peer a second, one ping at a time; a measurement that does not fit into a poll
//     goes on in the next one. One look (`check`, `capture`) goes on until every peer is
//     measured.
// Ownership and threads: memory of one tailscale::Source, used by its thread only.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "sources/source.h"
#include "sources/tailscale/config.h"
#include "sources/tailscale/state.h"

namespace shortcircuit::tailscale {

// Above the underlay interface's MTU - 28 answers are not monotonic: pings are sent as fragments.
inline constexpr int largest_ping_size = 1500 - 28;
inline constexpr int small_ping_size = 1000;

class PathMtuProber {
 public:
  // What is known of every direct peer after measuring for as long as `context` allows. A peer
  // that is not direct has no entry, unless its path was too narrow when it was last used; in a
  // replay neither has one whose pings were not recorded.
  std::vector<PathMtu> measure(const State& state, const Config& config, PollContext& context);

 private:
  enum class Ping { answered, lost, relayed, not_recorded, failed, no_time };
  struct PingOutcome {
    Ping ping = Ping::failed;
    std::string endpoint;
  };
  struct Search {
    Peer peer;
    int full_ping_size = 0;
    int small_pings = 0;
    bool small_not_recorded = false;
    std::string endpoint;  // of the direct path, once a ping was answered over it
    int full_pings = 0;
    int lost_in_a_row = 0;  // of full size
    int answered_size = 0;  // largest
    int lost_size = 0;      // smallest; 0 = not searching
    int search_pings = 0;
    bool done = false;
    bool recorded = true;
    PathMtu::Status status = PathMtu::Status::unknown;
  };
  struct Known {
    PathMtu result;
    std::string current_endpoint;  // the direct path that was measured
  };

  void forget(const State& state, const PollContext& context);
  [[nodiscard]] std::optional<Peer> next_peer(const std::vector<Peer>& direct, Time now) const;
  PingOutcome ping(const Peer& peer, int size, const Config& config, PollContext& context);
  // One ping; false when there was no time for it.
  bool step(Search& search, const Config& config, PollContext& context);
  void full_size(Search& search, const PingOutcome& outcome);
  bool search_step(Search& search, const Config& config, PollContext& context);
  void keep(const Search& search, Time now);

  std::map<std::string, Known> known_;  // by peer
  std::optional<Search> running_;
  std::optional<std::chrono::steady_clock::time_point> last_start_;
};

}  // namespace shortcircuit::tailscale
