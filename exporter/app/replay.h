// Where a replay stands and what time it is there. Without a recording: the present.
// Thread rules: every member may be called from any thread.
#pragma once

#include <atomic>
#include <memory>

#include "http/recording.h"

namespace shortcircuit {

class Replay : public ReplayPosition {
 public:
  explicit Replay(std::shared_ptr<const Recording> recording) : recording_(std::move(recording)) {}

  [[nodiscard]] std::size_t step() const override { return step_.load(std::memory_order_acquire); }
  void go_to(std::size_t step) { step_.store(step, std::memory_order_release); }
  [[nodiscard]] bool at_end() const { return step() + 1 >= recording_->steps().size(); }
  // The recorded time; the present when the recording does not say.
  [[nodiscard]] Time time() const { return recording_->recorded_at(step()).value_or(now()); }
  [[nodiscard]] const std::shared_ptr<const Recording>& recording() const { return recording_; }

 private:
  std::shared_ptr<const Recording> recording_;
  std::atomic<std::size_t> step_{0};
};

}  // namespace shortcircuit
