#include "app/engine.h"

#include <malloc.h>

#include "base/log.h"

namespace shortcircuit {
namespace {

// What is known of before, if the new configuration means the same cluster: what another one had is
// not missing here. A replay begins anew.
Memory memory_of(const Publication* before, const Engine::Settings& settings) {
  if (before == nullptr || settings.recording) return {};
  const auto& then = before->config->kubernetes;
  const auto& now = settings.config->kubernetes;
  const bool same =
      !then.empty() && !now.empty() && then.front().endpoint.url == now.front().endpoint.url;
  return same ? remember(before->snapshot) : Memory{};
}

}  // namespace

Engine::Engine(Settings settings, Publisher& publisher, Ledger& ledger)
    : settings_(std::move(settings)),
      publisher_(publisher),
      ledger_(ledger),
      board_(*settings_.config, memory_of(publisher.latest().get(), settings_)) {
  if (settings_.recording) replay_ = std::make_unique<Replay>(settings_.recording);
  thread_ = std::jthread([this](std::stop_token stop) {
    try {
      replay_ ? run_replay(stop) : run_live(stop);
    } catch (const std::exception& error) {
      if (!stop.stop_requested()) settings_.died(error.what());
    }
  });
}

Engine::~Engine() {
  thread_.request_stop();
  thread_.join();
}

void Engine::publish(Time time) {
  try {
    publisher_.publish(std::make_shared<const Publication>(settings_.config, board_.take(time),
                                                           ledger_, settings_.reload_state()));
    published_ = true;
    malloc_trim(0);  // parsing leaves holes that the next poll would fill anyway, but not keep
  } catch (const std::exception& error) {
    log_error("a snapshot could not be judged", {{"error", error.what()}});
  }
}

std::shared_ptr<const Snapshot> Engine::latest_snapshot() const {
  if (!published_) return nullptr;  // what is there is of the engine before
  const auto publication = publisher_.latest();
  return publication ? std::shared_ptr<const Snapshot>(publication, &publication->snapshot)
                     : nullptr;
}

void Engine::idle(Duration duration, const std::stop_token& stop) {
  constexpr auto slice = 250ms;
  const Deadline deadline = Deadline::after(duration);
  while (!stop.stop_requested() && deadline.remaining() > 0s) {
    wait_until(std::min(Deadline::after(slice).at, deadline.at), stop);
    if (refresh_.exchange(false)) publish(replay_ ? replay_->time() : now());
  }
}

// Polls of one tick come in within a moment of each other: they are judged together. The first
// snapshot waits until every target has answered or failed once, so that a start shows no half
// fleet; a hanging upstream delays it by five seconds at the most.
void Engine::run_live(std::stop_token stop) {
  constexpr auto settle = 300ms;
  constexpr auto patience = 5s;
  pollers_ = std::make_unique<Pollers>(
      PollEnvironment{.config = *settings_.config, .board = board_, .latest = [this] {
                        return latest_snapshot();
                      }});
  // Nothing is configured that could answer by itself: that is known at once.
  if (board_.complete()) publish(now());
  while (board_.empty() && !stop.stop_requested()) {
    idle(15s, stop);
    publish(now());
  }
  std::uint64_t seen = 0;
  const auto begin = std::chrono::steady_clock::now();
  while (!stop.stop_requested()) {
    std::uint64_t commits = board_.wait_for_commit(seen, 250ms, stop);
    if (commits == seen) {
      const bool silent = board_.miss_silent(time_since_boot());
      if (refresh_.exchange(false) || silent) publish(now());
      continue;
    }
    for (int i = 0; i < 10 && !stop.stop_requested(); ++i) {
      const std::uint64_t later = board_.wait_for_commit(commits, settle, stop);
      if (later == commits) break;
      commits = later;
    }
    seen = commits;
    board_.miss_silent(time_since_boot());
    const bool waited = std::chrono::steady_clock::now() - begin > patience;
    if (!stop.stop_requested() && (board_.complete() || waited)) publish(now());
  }
  pollers_.reset();
}

void Engine::run_replay(std::stop_token stop) {
  constexpr auto poll_again = 15s;  // of the last step, which stays
  OneRound round(
      {.config = *settings_.config, .board = board_, .replay = replay_.get(), .latest = [this] {
         return std::make_shared<const Snapshot>(board_.look(replay_->time()));
       }});
  while (!stop.stop_requested()) {
    round.run(Deadline::after(10s));
    publish(replay_->time());
    if (!replay_->at_end()) {
      log_info("replay", {{"step", settings_.recording->steps()[replay_->step()]}});
      idle(settings_.step_interval, stop);
      replay_->go_to(replay_->step() + 1);
    } else {
      idle(poll_again, stop);
    }
  }
}

}  // namespace shortcircuit
