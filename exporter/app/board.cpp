#include "app/board.h"

namespace shortcircuit {

Board::Board(const Config& config) {
#define SHORTCIRCUIT_SOURCE(name)                         \
  for (const name::Config& target : config.name) {        \
    draft_.name.push_back({.target = target.target});     \
    draft_.name.back().health.interval = target.interval; \
    ++targets_;                                           \
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

std::uint64_t Board::wait_for_commit(std::uint64_t seen, Duration at_most, std::stop_token stop) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, stop, at_most, [&] { return commits_ > seen; });
  return commits_;
}

bool Board::complete() {
  const std::lock_guard lock(mutex_);
  return answered_targets_ == targets_;
}

}  // namespace shortcircuit
