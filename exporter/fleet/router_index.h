// Which of Traefik's routers carries a route? By provider, rule and name together: two objects may
// say the same rule, and a name alone is made in ways that change between versions.
//
// Borrows the Traefik state. Two passes: claim() for what fits by rule and name, then remaining()
// for routes that found nothing, among the routers that nobody claimed.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "sources/traefik/state.h"

namespace shortcircuit {

// As Traefik writes names of routers, services and middlewares: every run of characters that are
// neither letter nor digit becomes one dash.
std::string normalized_name(std::string_view name);

// 0 when it is unknown or no number (`dev`).
int major_version_of(const traefik::State* traefik);

class RouterIndex {
 public:
  explicit RouterIndex(const traefik::State* traefik);

  // `name_start`: the router's name without the hash of its rule, normalized
  // (`<namespace>-<object>`).
  std::optional<std::size_t> claim(std::string_view provider, std::string_view rule,
                                   std::string_view name_start);
  // Same rule and unclaimed; else of exactly that name (without provider) and unclaimed.
  [[nodiscard]] std::optional<std::size_t> remaining(std::string_view provider,
                                                     std::string_view rule,
                                                     std::string_view name) const;

  // False only when the list of providers is known and lacks it (KubernetesIngress, KubernetesCRD).
  [[nodiscard]] bool provider_runs(std::string_view title) const;

 private:
  const traefik::State* traefik_;
  std::unordered_map<std::string, std::vector<std::size_t>> by_rule_;  // `provider rule`
  std::unordered_map<std::string, std::size_t> by_name_;               // `name@provider`
  std::set<std::size_t> claimed_;
};

}  // namespace shortcircuit
