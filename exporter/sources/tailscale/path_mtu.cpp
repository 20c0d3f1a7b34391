#include "sources/tailscale/path_mtu.h"

#include <fmt/format.h>

#include <algorithm>

#include "sources/tailscale/parse.h"
#include "sources/tailscale/request.h"

namespace shortcircuit::tailscale {
namespace {

constexpr int most_small_pings = 3;
constexpr int lost_pings_that_count = 3;
constexpr int most_full_pings = 6;
constexpr int most_search_pings = 8;
constexpr auto time_between_peers = 1s;
constexpr auto measure_again_after = 1min;
constexpr auto forget_after = 30min;

bool is_direct(const State& state, const Peer& peer) {
  return state.backend_state == "Running" && peer.path_class() == PathClass::direct &&
         !peer.addresses.empty();
}

std::vector<Peer> direct_peers(const State& state) {
  std::vector<Peer> direct;
  for (const Peer& peer : state.peers) {
    if (is_direct(state, peer)) direct.push_back(peer);
  }
  return direct;
}

int header_bytes(const std::string& endpoint) {
  const auto address = address_of_endpoint(endpoint);
  return address && !address->is_v4() ? 48 : 28;  // IP and UDP
}

Duration ping_timeout(const Config& config, const PollContext& context) {
  // Answers come within the round trip or not at all; somebody waits for one look.
  const Duration most = context.once ? Duration(500ms) : Duration(1s);
  return std::min(most, config.timeout / 3);
}

// As long as its peers can take: a narrow path needs up to seventeen pings of half a second.
Deadline whole_look(std::size_t peers, const Config& config) {
  return Deadline::after(config.timeout + peers * 9s);
}

// Of a search between `answered` and `lost`. The first step is skewed so that the upper 128 sizes,
// where real paths end, are told apart exactly within eight calls.
int size_to_try(int answered, int lost, int calls_before) {
  const int width = lost - answered;
  return calls_before == 0 && width > 256 ? lost - 128 : answered + width / 2;
}

}  // namespace

std::vector<PathMtu> PathMtuProber::measure(const State& state, const Config& config,
                                            PollContext& context) {
  const std::vector<Peer> direct = direct_peers(state);
  forget(state, context);
  if (running_) {
    const auto same = [&](const Peer& peer) {
      return peer.name == running_->peer.name &&
             peer.current_endpoint == running_->peer.current_endpoint;
    };
    if (context.replay || std::none_of(direct.begin(), direct.end(), same)) running_.reset();
  }
  std::vector<std::string> not_recorded;
  // One look has no later poll in which the rest is measured.
  if (context.once && !context.replay) context.deadline = whole_look(direct.size(), config);
  const auto wait_at_most_until =
      context.once ? context.deadline.at : std::chrono::steady_clock::now() + config.timeout / 2;
  while (!context.stop.stop_requested()) {
    if (!running_) {
      std::vector<Peer> left = direct;
      std::erase_if(left, [&](const Peer& peer) {
        return std::find(not_recorded.begin(), not_recorded.end(), peer.name) != not_recorded.end();
      });
      const auto peer = next_peer(left, context.now);
      if (!peer) break;
      if (!context.replay && last_start_) {
        const auto may_start = *last_start_ + time_between_peers;
        if (may_start > wait_at_most_until || !wait_until(may_start, context.stop)) break;
      }
      last_start_ = std::chrono::steady_clock::now();
      running_ = Search{.peer = *peer, .full_ping_size = full_ping_size(config.interface_mtu)};
    }
    const bool had_time = step(*running_, config, context);
    if (!running_->recorded) {
      not_recorded.push_back(running_->peer.name);
    } else {
      keep(*running_, context.now);
    }
    if (!had_time) break;
    if (running_->done) running_.reset();
  }
  std::vector<PathMtu> results;
  for (const Peer& peer : state.peers) {
    if (const auto known = known_.find(peer.name); known != known_.end()) {
      results.push_back(known->second.result);
    } else if (!context.replay && is_direct(state, peer)) {
      results.push_back({.peer = peer.name});
    }
  }
  return results;
}

// What passes is measured anew when the peer wakes; what did not pass does so no more because
// nobody tries. A recording says itself what is direct.
void PathMtuProber::forget(const State& state, const PollContext& context) {
  std::erase_if(known_, [&](const auto& entry) {
    const Known& known = entry.second;
    const Peer* peer = state.peer(entry.first);
    if (peer == nullptr || state.backend_state != "Running") return true;
    const auto age = context.now - known.result.measured.value_or(context.now);
    if (age > forget_after || age < Duration(0)) return true;  // the clock was set back
    if (peer->path_class() == PathClass::idle) return known.result.status != PathMtu::Status::low;
    return context.replay || !is_direct(state, *peer) ||
           peer->current_endpoint != known.current_endpoint;
  });
}

std::optional<Peer> PathMtuProber::next_peer(const std::vector<Peer>& direct, Time now) const {
  std::optional<Peer> next;
  std::optional<Time> oldest;
  for (const Peer& peer : direct) {
    const auto known = known_.find(peer.name);
    if (known == known_.end()) return peer;
    const Time measured = known->second.result.measured.value_or(now);
    if (now - measured < measure_again_after || (oldest && *oldest <= measured)) continue;
    oldest = measured;
    next = peer;
  }
  return next;
}

PathMtuProber::PingOutcome PathMtuProber::ping(const Peer& peer, int size, const Config& config,
                                               PollContext& context) {
  const Duration timeout = ping_timeout(config, context);
  // A ping that the end of the poll cuts off would look like a lost one.
  if (!context.replay && context.deadline.remaining() < timeout + 50ms)
    return {.ping = Ping::no_time};
  HttpRequest request = local_api_request(
      config, fmt::format("ping-{}-{}", peer.name, size),
      fmt::format("ping?ip={}&type=disco&size={}", peer.addresses.front().text(), size));
  request.method = Method::post;
  request.timeout = timeout;
  const auto response = fetch_one(context.http, request, context.deadline, context.stop);
  if (!response && response.error().failure == Failure::timeout) return {.ping = Ping::lost};
  if (response && response->status == 404 && context.replay) return {.ping = Ping::not_recorded};
  const auto success = expect_success(response, request);
  if (!success) {
    if (success.error().failure != Failure::cancelled) context.note(success.error());
    return {.ping = Ping::failed};
  }
  const auto answer = parse_ping(success->body);
  if (!answer) {
    context.note(answer.error().in(request.answer));
    return {.ping = Ping::failed};
  }
  if (!answer->error.empty()) return {.ping = Ping::failed};
  if (answer->endpoint.empty()) return {.ping = Ping::relayed};
  return {.ping = Ping::answered, .endpoint = answer->endpoint};
}

bool PathMtuProber::step(Search& search, const Config& config, PollContext& context) {
  if (search.lost_size != 0) return search_step(search, config, context);
  const bool small = search.endpoint.empty() && !search.small_not_recorded;
  const PingOutcome outcome =
      ping(search.peer, small ? small_ping_size : search.full_ping_size, config, context);
  if (outcome.ping == Ping::no_time) return false;
  if (outcome.ping == Ping::failed) {
    search.done = true;
  } else if (!small) {
    full_size(search, outcome);
  } else if (outcome.ping == Ping::answered) {
    search.endpoint = outcome.endpoint;
    search.answered_size = small_ping_size;
  } else if (outcome.ping == Ping::not_recorded) {
    search.small_not_recorded = true;
  } else {
    search.done = ++search.small_pings >= most_small_pings;
  }
  return true;
}

void PathMtuProber::full_size(Search& search, const PingOutcome& outcome) {
  if (outcome.ping == Ping::not_recorded) {
    search.done = true;
    search.recorded = !search.small_not_recorded;
    return;
  }
  const bool counts = outcome.ping == Ping::answered &&
                      (search.endpoint.empty() || outcome.endpoint == search.endpoint);
  if (counts) {
    search.endpoint = outcome.endpoint;
    search.answered_size = search.full_ping_size;
    search.status = PathMtu::Status::sufficient;
    search.done = true;
    return;
  }
  search.lost_in_a_row = outcome.ping == Ping::lost ? search.lost_in_a_row + 1 : 0;
  if (search.lost_in_a_row >= lost_pings_that_count && !search.endpoint.empty()) {
    search.status = PathMtu::Status::low;
    search.lost_size = search.full_ping_size;
  } else if (++search.full_pings >= most_full_pings) {
    search.done = true;
  }
}

bool PathMtuProber::search_step(Search& search, const Config& config, PollContext& context) {
  const int wanted = size_to_try(search.answered_size, search.lost_size, search.search_pings);
  // A recording holds some sizes only: the nearest one that it has tells just as much.
  const int farthest = context.replay ? search.lost_size - search.answered_size : 0;
  for (int distance = 0; distance <= farthest; ++distance) {
    for (const int size : {wanted - distance, wanted + distance}) {
      if (size <= search.answered_size || size >= search.lost_size) continue;
      if (distance == 0 && size != wanted) continue;
      const PingOutcome outcome = ping(search.peer, size, config, context);
      if (outcome.ping == Ping::not_recorded) continue;
      if (outcome.ping == Ping::no_time) return false;
      if (outcome.ping == Ping::answered && outcome.endpoint == search.endpoint) {
        search.answered_size = size;
      } else if (outcome.ping == Ping::lost) {
        search.lost_size = size;
      }
      ++search.search_pings;
      search.done = outcome.ping == Ping::failed || search.search_pings >= most_search_pings ||
                    search.lost_size - search.answered_size <= 1;
      return true;
    }
  }
  search.done = true;
  return true;
}

// A low path is said as soon as three full packets in a row were lost; its MTU follows when the
// search is over.
void PathMtuProber::keep(const Search& search, Time now) {
  if (!search.done && search.status != PathMtu::Status::low) return;
  const int headers = header_bytes(search.endpoint);
  PathMtu result{.peer = search.peer.name, .status = search.status, .measured = now};
  result.needed_bytes = search.full_ping_size + headers;
  if (search.done && search.status != PathMtu::Status::unknown) {
    result.mtu_bytes = search.answered_size + headers;
  }
  known_[search.peer.name] = {std::move(result), search.peer.current_endpoint};
}

}  // namespace shortcircuit::tailscale
