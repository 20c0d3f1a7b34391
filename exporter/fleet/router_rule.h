// Traefik's rule language: which hosts and paths does a rule match?
// Language: https://doc.traefik.io/traefik/routing/routers/#rule (v2 and v3 matchers).
// Pure; never throws.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace shortcircuit {

struct RuleTarget {
  std::string host;  // "" = every host; a pattern as written for HostRegexp and HostSNIRegexp
  std::string path;  // "" = every path
  bool operator==(const RuleTarget&) const = default;
};

// Every combination of host and path that the rule names, without repetition, at most 64. Matchers
// about other things (headers, methods, client addresses) and negations narrow nothing down here.
// Nothing when the rule is not of the language.
std::optional<std::vector<RuleTarget>> targets_of_rule(std::string_view rule);

// The rule that Traefik makes of one path of an Ingress. `matcher_name`: Path, PathPrefix …
std::string ingress_rule(const std::string& host, const std::string& path,
                         const std::string& matcher_name);

// For comparing rules of objects with those of routers: white space outside of quotes goes.
std::string normalized_rule(std::string_view rule);

}  // namespace shortcircuit
