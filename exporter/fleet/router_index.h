// Which of Traefik's routers carry a route? By provider, rule and name together: two objects may
// say the same rule, and a name alone is made in ways that change between versions.
//
// Of a router with several entry points Traefik makes a copy for each that has TLS, middlewares or
// a rule syntax of its own: `<entrypoint>-<name>`, at that entry point alone. They fail one by one,
// so a route has them all; where every entry point has something, there is no other.
//
// Borrows the Traefik state. Three passes: claim() for what fits by rule and name, then, among the
// routers that nobody claimed, claim_by_name() and claim_by_rule() for routes that found nothing.
#pragma once

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
// Does it read objects of the old API group (traefik.containo.us)? Up to version 2, and where the
// version is not known.
bool reads_old_group(const traefik::State* traefik);

class RouterIndex {
 public:
  using Indices = std::vector<std::size_t>;  // into the state's routers

  explicit RouterIndex(const traefik::State* traefik);

  // `name_start`: the router's name without the hash of its rule, normalized
  // (`<namespace>-<object>`).
  Indices claim(std::string_view provider, std::string_view rule, std::string_view name_start);
  // Of exactly that name (without provider), whatever the rule.
  Indices claim_by_name(std::string_view provider, std::string_view name);
  // One of that rule and its copies, whatever the name.
  Indices claim_by_rule(std::string_view provider, std::string_view rule);

  [[nodiscard]] bool is_for_tls(std::size_t router) const { return traefik_->routers[router].tls; }

  // False only when the list of providers is known and lacks it (KubernetesIngress, KubernetesCRD).
  [[nodiscard]] bool provider_runs(std::string_view title) const;

 private:
  // Those of the candidates whose name `is_own`, and their copies.
  template <class IsOwn>
  Indices take(const Indices& candidates, IsOwn is_own);
  [[nodiscard]] Indices unclaimed(const std::unordered_map<std::string, Indices>& index,
                                  const std::string& key) const;

  const traefik::State* traefik_;
  std::unordered_map<std::string, Indices> by_rule_;  // `provider rule`
  std::unordered_map<std::string, Indices> by_name_;  // `name@provider`, copies by the name within
  std::set<std::size_t> claimed_;
};

}  // namespace shortcircuit
