// What servers asked for with 429 or 503 and Retry-After: not to be asked again before. Never of a
// probe, whose result tells the status and is no answer with that status. Private to http/.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>

#include "base/time.h"

namespace shortcircuit {

class Pauses {
 public:
  using Clock = std::chrono::steady_clock;
  // A server that says "in a year" must not blind the exporter.
  static constexpr auto longest = 5min;

  // `url` was answered with `status` and `wait`.
  void take(const std::string& url, int status, Duration wait, Clock::time_point now);
  // The status that began the pause of `url`, while it lasts.
  [[nodiscard]] std::optional<int> status_of(const std::string& url, Clock::time_point now);

 private:
  struct Pause {
    int status = 0;
    Clock::time_point end;
  };
  std::map<std::string, Pause> pauses_;
};

}  // namespace shortcircuit
