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
};

struct State {
  static constexpr Duration history{0s};  // Observed::earlier
  std::vector<Outcome> outcomes;
};

}  // namespace shortcircuit::probes
