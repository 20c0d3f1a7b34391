// One running configuration: polls in the background, judges, publishes. A reload makes a new one.
//
// With a recording the polls are driven step by step instead, so that every publication shows one
// step and never a mixture of two.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <thread>

#include "app/board.h"
#include "app/polling.h"
#include "app/publication.h"
#include "app/replay.h"

namespace shortcircuit {

class Engine {
 public:
  struct Settings {
    std::shared_ptr<const Config> config;
    std::shared_ptr<const Recording> recording;  // null: the network
    Duration step_interval = 30s;
    std::function<ReloadState()> reload_state;  // asked at every publication, from any thread
    // Polling and judging ended by themselves, from the engine's thread: what was published stays
    // as it is and grows old.
    std::function<void(const std::string& why)> died;
  };
  // `publisher` and `ledger` outlive the engine; `ledger` is used by the engine's thread only. What
  // was published last is remembered as far as it is of the same cluster.
  Engine(Settings settings, Publisher& publisher, Ledger& ledger);
  ~Engine();  // in under a second
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // Publishes again soon without a poll, so that a changed reload state is seen.
  void refresh() { refresh_.store(true); }

 private:
  void run_live(std::stop_token stop);
  void run_replay(std::stop_token stop);
  void publish(Time time);
  // Sleeps, and publishes again when refresh() asks for it.
  void idle(Duration duration, const std::stop_token& stop);
  [[nodiscard]] std::shared_ptr<const Snapshot> latest_snapshot() const;

  Settings settings_;
  Publisher& publisher_;
  Ledger& ledger_;
  Board board_;
  std::unique_ptr<Replay> replay_;
  std::unique_ptr<Pollers> pollers_;
  std::atomic<bool> refresh_{false};
  std::atomic<bool> published_{false};
  std::jthread thread_;
};

}  // namespace shortcircuit
