// The one place where polls meet: every target's latest state and health, under one lock.
//
// Pollers commit, the reducer takes snapshots. Nothing else is shared between sources, so one that
// hangs delays nobody.
// Thread rules: every member may be called from any thread.
#pragma once

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <stop_token>

#include "config/config.h"
#include "fleet/snapshot.h"

namespace shortcircuit {

// What one poll brought.
template <class State>
struct PollOutcome {
  Result<State> result;
  std::vector<Error> notes;
  Duration duration{0};
  std::size_t received_bytes = 0;
  Time time;
};

// Folds one outcome into what is known of a target. A failure keeps the last good state until
// missed_polls_until_unknown polls in a row failed; then the state is unknown (null).
template <class State>
void fold(Observed<State>& observed, PollOutcome<State> outcome);

class Board {
 public:
  // One empty Observed for each configured target; `memory` is of a board before.
  explicit Board(const Config& config, Memory memory = {});

  // `field` names the source (`&Snapshot::etcd`), `index` the target in configuration order.
  template <class State>
  void commit(std::vector<Observed<State>> Snapshot::* field, std::size_t index,
              PollOutcome<State> outcome) {
    const std::lock_guard lock(mutex_);
    Observed<State>& observed = (draft_.*field)[index];
    fold(observed, std::move(outcome));
    ++commits_;
    changed_.notify_all();
  }

  // The present, with the next number.
  Snapshot take(Time time);
  // The present, for a source that follows from others: leaves no trace.
  Snapshot look(Time time);
  // Waits for a commit after the `seen`-th; the number of commits so far. Ends early with `stop`.
  std::uint64_t wait_for_commit(std::uint64_t seen, Duration at_most, std::stop_token stop);
  // Takes targets of which no poll comes back any more (a file on a dead server, a machine that
  // slept) for unknown. True when there are new ones. Not for replays, whose steps take their time.
  bool miss_silent(Duration since_boot);
  // Every target that follows from no other was polled at least once.
  bool complete();
  // There is no target.
  [[nodiscard]] bool empty() const { return targets_ == 0; }

 private:
  std::mutex mutex_;
  std::condition_variable_any changed_;
  Snapshot draft_;
  std::size_t targets_ = 0;
  std::vector<const TargetHealth*> awaited_;  // in draft_, of targets that follow from no other
  std::uint64_t commits_ = 0;
};

template <class State>
void forget_state(Observed<State>& observed) {
  if (observed.state) observed.earlier.push_back({observed.observed_at, observed.state});
  observed.state.reset();
}

template <class State>
void fold(Observed<State>& observed, PollOutcome<State> outcome) {
  constexpr auto spacing = std::chrono::seconds(25);
  TargetHealth& health = observed.health;
  ++health.polls;
  health.heard_at = time_since_boot();
  health.last_duration = outcome.duration;
  health.received_bytes += outcome.received_bytes;
  for (const Error& note : outcome.notes) ++health.failures[note.failure];
  if (!outcome.result) {
    health.up = false;
    ++health.consecutive_failures;
    ++health.failures[outcome.result.error().failure];
    health.last_error = outcome.result.error();
    if (health.consecutive_failures >= missed_polls_until_unknown) forget_state(observed);
    return;
  }
  health.up = true;
  health.consecutive_failures = 0;
  health.last_error.reset();
  health.notes = std::move(outcome.notes);
  health.last_success = outcome.time;
  auto& earlier = observed.earlier;
  // The clock was set back: what lies in the future would stay until it is over.
  std::erase_if(earlier, [&](const auto& old) { return old.time >= outcome.time; });
  const auto aged = [&](const auto& old) { return outcome.time - old.time >= State::history; };
  if (!observed.state) std::erase_if(earlier, aged);  // a gap is no observation
  auto state = std::make_shared<const State>(*std::move(outcome.result));
  // A replay's time stands still within a step: the same moment read again is no new observation.
  if (observed.state && observed.observed_at < outcome.time) {
    earlier.push_back({observed.observed_at, observed.state});
    if (const auto n = earlier.size();
        n >= 3 && earlier[n - 2].time - earlier[n - 3].time < spacing) {
      earlier.erase(earlier.end() - 2);
    }
    // The newest one from before the history is where it begins, however seldom is polled.
    const auto begin = std::ranges::find_if_not(earlier, aged);
    if (begin - earlier.begin() > 1) earlier.erase(earlier.begin(), std::prev(begin));
  }
  observed.state = std::move(state);
  observed.observed_at = outcome.time;
}

}  // namespace shortcircuit
