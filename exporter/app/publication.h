// What is served between two judgements: everything made once, then only copied or read.
// Immutable; shared between the reducer and all request handlers.
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "checks/judgement.h"
#include "checks/ledger.h"
#include "config/config.h"
#include "exposition/self_metrics.h"
#include "fleet/fleet.h"

namespace shortcircuit {

struct Publication {
  // Judges `snapshot`, lets `ledger` say since when, renders.
  Publication(std::shared_ptr<const Config> config_, Snapshot snapshot_, Ledger& ledger,
              const ReloadState& reload);
  Publication(const Publication&) = delete;
  Publication& operator=(const Publication&) = delete;

  std::shared_ptr<const Config> config;
  Snapshot snapshot;
  Fleet fleet;  // borrows the two above
  Judgement judgement;
  std::shared_ptr<const std::string> metrics_text;
  std::shared_ptr<const std::string> metrics_gzip;  // empty when compression failed
};

// The newest publication. Thread rules: any thread.
class Publisher {
 public:
  void publish(std::shared_ptr<const Publication> publication) {
    const std::lock_guard lock(mutex_);
    latest_ = std::move(publication);
  }
  [[nodiscard]] std::shared_ptr<const Publication> latest() const {
    const std::lock_guard lock(mutex_);
    return latest_;
  }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const Publication> latest_;  // null before the first snapshot
};

}  // namespace shortcircuit
