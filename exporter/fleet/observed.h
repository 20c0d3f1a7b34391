// One target of a source as the exporter knows it: the last good state and how polling goes.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace shortcircuit {

inline constexpr int missed_polls_until_unknown = 3;

struct TargetHealth {
  bool up = false;                       // the last poll succeeded
  bool accepts_any_certificate = false;  // insecure_skip_verify
  std::optional<Time> last_success;
  Duration last_duration{0};
  Duration interval{0};
  Duration silent_after{0};          // a poll that has not come back by then never will
  std::optional<Duration> heard_at;  // the last poll came back, since boot
  std::uint64_t polls = 0;
  std::uint64_t received_bytes = 0;
  std::map<Failure, std::uint64_t> failures;  // also of parts (PollContext::note)
  int consecutive_failures = 0;
  std::optional<Error> last_error;  // of the last poll, if it failed
  std::vector<Error> notes;         // parts that the last successful poll could not read
};

template <class State>
struct Earlier {
  Time time;
  std::shared_ptr<const State> state;
};

template <class State>
struct Observed {
  std::string target;
  TargetHealth health;
  // The last good state; null: unknown (never read, or missed_polls_until_unknown in a row failed).
  std::shared_ptr<const State> state;
  Time observed_at;  // when `state` was read
  // Older states of the same target, oldest first: those of the last State::history, at least 25 s
  // apart but for the newest, and one from before; for rates and windows. Never `state` itself.
  std::vector<Earlier<State>> earlier;
};

// The state of a source that has one target; null when it is off or unknown.
template <class State>
const State* state_of(const std::vector<Observed<State>>& targets) {
  return targets.empty() ? nullptr : targets.front().state.get();
}

}  // namespace shortcircuit
