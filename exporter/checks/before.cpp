#include "checks/before.h"

namespace shortcircuit {
namespace {

// Traefik takes in what changes at most every two seconds.
constexpr auto settling = std::chrono::seconds(5);

// The newest older state that was read by then, else null.
template <class State>
std::shared_ptr<const State> as_of(const Observed<State>& target, Time then) {
  std::shared_ptr<const State> found;
  for (const auto& old : target.earlier) {
    if (old.time <= then) found = old.state;
  }
  return found;
}

}  // namespace

Before::Before(const Fleet& fleet) {
  if (fleet.snapshot.kubernetes.empty() || fleet.snapshot.traefik.empty()) return;
  const auto& cluster = fleet.snapshot.kubernetes.front();
  const auto& traefik = fleet.snapshot.traefik.front();
  const Time settled = cluster.observed_at + settling;
  if (traefik.observed_at == settled) return;
  if (traefik.observed_at > settled) {
    const auto older = as_of(traefik, settled);
    if (older == nullptr) return;
    snapshot_ = fleet.snapshot;
    snapshot_.traefik.front().state = older;
  } else {
    if (cluster.earlier.empty()) return;
    auto older = as_of(cluster, traefik.observed_at - settling);
    if (older == nullptr) older = cluster.earlier.front().state;
    snapshot_ = fleet.snapshot;
    snapshot_.kubernetes.front().state = older;
  }
  fleet_ = std::make_unique<Fleet>(fleet.config, snapshot_);
}

}  // namespace shortcircuit
