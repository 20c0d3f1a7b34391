// Asks every target of every source: in the background for `serve`, one round for the rest.
//
// One thread per target, one request round in flight per target; a poll's deadline is its tick
// plus the target's timeout, so a hanging upstream delays neither its next tick nor anybody else.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "app/board.h"
#include "app/replay.h"
#include "http/http.h"

namespace shortcircuit {

// Where answers come from.
struct PollEnvironment {
  const Config& config;
  Board& board;
  Replay* replay = nullptr;       // null: the network
  std::string capture_directory;  // "" = nothing is written
  bool once = false;
  // What is known, for sources that follow from others (DNS, route probes). May give null.
  std::function<std::shared_ptr<const Snapshot>()> latest;
};

// Background polling; the destructor stops it and joins all threads (in under a second, also while
// an upstream hangs).
class Pollers {
 public:
  explicit Pollers(PollEnvironment environment);
  ~Pollers();
  Pollers(const Pollers&) = delete;
  Pollers& operator=(const Pollers&) = delete;

 private:
  PollEnvironment environment_;
  std::vector<std::jthread> threads_;
};

// One round over all targets in parallel, until `deadline`. Those that follow from others (DNS,
// probes of routes) are asked when these have answered or their timeout is over, with what is known
// then as `latest`; nobody else is waited for.
class OneRound {
 public:
  explicit OneRound(PollEnvironment environment);
  ~OneRound();
  // May be called again (the next step of a replay): sources keep their memory.
  void run(Deadline deadline);

 private:
  struct Targets;
  PollEnvironment environment_;
  std::unique_ptr<Targets> targets_;
};

}  // namespace shortcircuit
