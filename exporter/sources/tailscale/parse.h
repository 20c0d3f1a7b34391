// Pure readers of tailscaled's answers; one per answer, each tested by fixtures.
// Errors: syntax (no JSON, no text format), schema (JSON of another shape).
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"
#include "sources/tailscale/state.h"

namespace shortcircuit::tailscale {

// `/localapi/v0/status`, which `tailscale status --json` prints too. Peers are sorted by name and
// every name is unique within the answer.
Result<State> parse_status(std::string_view body);

// `/localapi/v0/prefs`: the control server's URL, without user information.
Result<std::string> parse_control_url(std::string_view body);

// `/localapi/v0/usermetrics`: bytes by {direction (in, out), path}.
Result<std::map<std::pair<std::string, std::string>, double>> parse_path_bytes(
    std::string_view text);

struct PingAnswer {
  std::string endpoint;  // "" = it came through a relay and says nothing about the direct path
  std::string error;     // "no matching peer" and the like; then the rest is empty
};
Result<PingAnswer> parse_ping(std::string_view body);

}  // namespace shortcircuit::tailscale
