// What active HTTP probes saw. A configured probe has one outcome; the target `routes` (opt-in)
// has one for each public host and entry address.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace shortcircuit::probes {

struct Outcome {
  std::string name;  // the probe's name, or `host via address`
  std::string url;
  std::string proxy;               // "" = none; without user information
  std::optional<int> http_status;  // nothing: no answer
  bool stalled = false;            // headers and first bytes came, then nothing for stall_timeout
  std::uint64_t received_bytes = 0;
  double duration_seconds = 0;
  std::optional<Failure> failure;  // why there was no (whole) answer
  bool proxy_failed = false;       // the failure is the proxy's: it could not be reached or refused
  // Why this is unknown: it was never asked for, or not to the end. Everything above says nothing
  // then.
  std::optional<Error> unknown;
  bool of_route = false;  // of the target `routes`
  // A whole answer of something that works. 404 is Traefik's word for a route that it lacks: of a
  // URL that somebody wrote down it is a failure, of a route's own path an app may say it.
  [[nodiscard]] bool succeeded() const {
    return http_status && *http_status < 500 && (of_route || *http_status != 404) && !stalled &&
           !failure;
  }
};

struct State {
  static constexpr Duration history{0s};  // Observed::earlier
  std::vector<Outcome> outcomes;
};

}  // namespace shortcircuit::probes
