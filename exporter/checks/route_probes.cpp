#include "checks/route_probes.h"

#include <fmt/format.h>

#include <algorithm>

namespace shortcircuit {

RouteProbes::RouteProbes(const Fleet& fleet) {
  for (const auto& observed : fleet.snapshot.probes) {
    if (!observed.state) continue;
    for (const probes::Outcome& outcome : observed.state->outcomes) {
      const auto scheme = outcome.url.find("://");
      if (outcome.unknown || !outcome.proxy.empty() || scheme == std::string::npos) continue;
      const std::string rest = outcome.url.substr(scheme + 3);
      const auto slash = std::min(rest.find('/'), rest.size());
      const std::string host = rest.substr(0, std::min(rest.find(':'), slash));
      by_host_[host].push_back(
          {.path = slash < rest.size() ? rest.substr(slash) : "/", .outcome = &outcome});
    }
  }
  for (const Route& route : fleet.routes) {
    const auto found = by_host_.find(route.host);
    if (found == by_host_.end()) continue;
    for (Asked& asked : found->second) {
      if (asked.path.starts_with(route.path))
        asked.longest = std::max(asked.longest, route.path.size());
    }
  }
}

std::vector<const probes::Outcome*> RouteProbes::of(const Route& route) const {
  std::vector<const probes::Outcome*> outcomes;
  const auto found = by_host_.find(route.host);
  if (found == by_host_.end()) return outcomes;
  for (const Asked& asked : found->second) {
    if (asked.path.starts_with(route.path) && asked.longest == route.path.size())
      outcomes.push_back(asked.outcome);
  }
  return outcomes;
}

std::string RouteProbes::answer(const probes::Outcome& outcome) {
  if (outcome.stalled) return "stalled";
  if (outcome.failure) return std::string(name_of(*outcome.failure));
  return outcome.http_status ? fmt::format("HTTP {}", *outcome.http_status) : "no answer";
}

std::set<std::string> explained_probes(const Fleet& fleet, const Judgement& judgement) {
  std::set<std::string> names;
  for (const Finding& finding : judgement.findings) {
    if (finding.kind == "Probe") names.insert(finding.object);
  }
  const RouteProbes probes(fleet);
  for (const RouteWalk& walk : judgement.routes) {
    if (walk.status() != LinkStatus::broken) continue;
    for (const probes::Outcome* outcome : probes.of(walk.route)) names.insert(outcome->name);
  }
  return names;
}

}  // namespace shortcircuit
