// Which active probes ask for what a route serves.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "checks/judgement.h"
#include "fleet/fleet.h"

namespace shortcircuit {

// By host and path of the probe's URL; of several routes with its host it belongs to those whose
// path leads to it and is the longest. Probes through a proxy ask for something else, and what was
// not asked says nothing: neither is here. `fleet` outlives the object.
class RouteProbes {
 public:
  explicit RouteProbes(const Fleet& fleet);
  [[nodiscard]] std::vector<const probes::Outcome*> of(const Route& route) const;
  // What came, in a word: `HTTP 503`, `stalled`, `timeout`.
  static std::string answer(const probes::Outcome& outcome);

 private:
  struct Asked {
    std::string path;
    const probes::Outcome* outcome;
    std::size_t longest = 0;  // of the paths of routes that lead to it
  };
  std::map<std::string, std::vector<Asked>, std::less<>> by_host_;
};

// By name, the probes of which the judgement tells why they fail, if they do: by a finding of the
// probe itself, or by a broken link of the route that it asks for.
std::set<std::string> explained_probes(const Fleet& fleet, const Judgement& judgement);

}  // namespace shortcircuit
