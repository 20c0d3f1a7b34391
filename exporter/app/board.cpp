#include "app/board.h"

#include <algorithm>

namespace shortcircuit {

namespace {

// Half a minute at least: a busy machine is no reason.
Duration silent_after(const CommonConfig& config) {
  return std::max<Duration>(missed_polls_until_unknown * config.interval + config.timeout, 30s);
}

}  // namespace

Board::Board(const Config& config, Memory memory) {
  draft_.memory = std::move(memory);
#define SHORTCIRCUIT_SOURCE(name)                                                                 \
  for (const name::Config& target : config.name) {                                                \
    draft_.name.push_back({.target = target.target});                                             \
    draft_.name.back().health.interval = target.interval;                                         \
    draft_.name.back().health.silent_after = silent_after(target);                                \
    draft_.name.back().health.accepts_any_certificate = target.endpoint.tls.insecure_skip_verify; \
    ++targets_;                                                                                   \
  }                                                                                               \
  for (std::size_t i = 0; i < config.name.size(); ++i) {                                          \
    if (config.name[i].follows() == CommonConfig::Follows::nothing) {                             \
      awaited_.push_back(&draft_.name[i].health);                                                 \
    }                                                                                             \
  }
#include "sources/sources.def"
#undef SHORTCIRCUIT_SOURCE
}

Snapshot Board::take(Time time) {
  const std::lock_guard lock(mutex_);
  draft_.time = time;
  ++draft_.number;
  Snapshot snapshot = draft_;
  draft_.memory = remember(snapshot);
  return snapshot;
}

Snapshot Board::look(Time time) {
  const std::lock_guard lock(mutex_);
  Snapshot snapshot = draft_;
  snapshot.time = time;
  return snapshot;
}

bool Board::miss_silent(Duration since_boot) {
  const std::lock_guard lock(mutex_);
  bool any = false;
  const auto look_at = [&](auto& observed) {
    TargetHealth& health = observed.health;
    if (!health.heard_at || since_boot - *health.heard_at < health.silent_after) return;
    if (health.consecutive_failures >= missed_polls_until_unknown) return;
    health.up = false;
    health.consecutive_failures = missed_polls_until_unknown;
    ++health.failures[Failure::timeout];
    health.last_error = Error{Failure::timeout, "no poll has come back for " +
                                                    format_duration(since_boot - *health.heard_at)};
    forget_state(observed);
    any = true;
  };
#define SHORTCIRCUIT_SOURCE(name) std::ranges::for_each(draft_.name, look_at);
#include "sources/sources.def"
#undef SHORTCIRCUIT_SOURCE
  return any;
}

std::uint64_t Board::wait_for_commit(std::uint64_t seen, Duration at_most, std::stop_token stop) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, stop, at_most, [&] { return commits_ > seen; });
  return commits_;
}

bool Board::complete() {
  const std::lock_guard lock(mutex_);
  return std::ranges::all_of(awaited_,
                             [](const TargetHealth* health) { return health->polls > 0; });
}

}  // namespace shortcircuit
