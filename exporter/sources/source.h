// What a source is given for one poll. Each folder below this one defines, in its namespace:
//
//   struct Config : CommonConfig {…};   config.h
//   struct State {…};                   state.h: plain values; `history`: how far back checks
//                                       compare (0: with the state before)
//   class Source {                      source.h: one object per target, used by one thread
//     explicit Source(Config config);   may keep memory between polls (watch position, MTU search)
//     Result<State> poll(PollContext& context);
//   };
//   Result<std::string> reduce_for_recording(std::string_view answer, std::string_view body);
//                                       what a recording may keep of an answer: an allow-list
//   void describe(const std::vector<Observed<State>>& targets, MetricSet& metrics);   metrics.cpp
//   std::span<const MetricDefinition> metric_definitions();
//
// poll() names its requests, gives them one deadline and hands bodies to pure parse functions.
// It fails only when nothing useful could be read; what is missing in part is noted.
#pragma once

#include <stop_token>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "http/http.h"

namespace shortcircuit {

struct Snapshot;

struct PollContext {
  Http& http;
  Deadline deadline;
  std::stop_token stop;
  Time now;  // the replayed time in a replay
  // What is known before this poll, for a source that follows from others; null at the start.
  const Snapshot* latest = nullptr;
  bool replay = false;  // do not pace active measurements: answers come from a recording
  bool once = false;    // `check`, `capture`: measure everything in this one poll

  // A part that could not be read while the poll as a whole succeeded: counted by reason, logged
  // when it is new.
  void note(Error error) { notes.push_back(std::move(error)); }
  std::vector<Error> notes;
};

}  // namespace shortcircuit
