#include "http/pauses.h"

#include <algorithm>

namespace shortcircuit {

void Pauses::take(const std::string& url, int status, Duration wait, Clock::time_point now) {
  if ((status != 429 && status != 503) || wait <= Duration::zero()) return;
  const auto bounded = std::min<Duration>(wait, longest);
  pauses_[url] = {status, now + std::chrono::duration_cast<Clock::duration>(bounded)};
}

std::optional<int> Pauses::status_of(const std::string& url, Clock::time_point now) {
  std::erase_if(pauses_, [&](const auto& pause) { return pause.second.end <= now; });
  const auto found = pauses_.find(url);
  return found == pauses_.end() ? std::nullopt : std::optional(found->second.status);
}

}  // namespace shortcircuit
