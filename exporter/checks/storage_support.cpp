#include "checks/storage_support.h"

#include <algorithm>
#include <map>

namespace shortcircuit {

std::string linstor_unknown(const Snapshot& snapshot) {
  const auto& error = snapshot.linstor.front().health.last_error;
  return "LINSTOR: " + (error ? error->message : std::string("not read yet"));
}

bool satellite_is_online(const linstor::State& state, const std::string& node) {
  const auto* found = find_node(state, node);
  return found != nullptr && found->connection_status == "ONLINE";
}

bool controller_just_started(const linstor::State& state) {
  const auto waiting = [](const linstor::Node& node) {
    const auto& status = node.connection_status;
    return (node.type != "SATELLITE" && node.type != "COMBINED") || status == "OFFLINE" ||
           status == "CONNECTED" || status == "AUTHENTICATED" || status == "UNKNOWN";
  };
  if (!std::all_of(state.nodes.begin(), state.nodes.end(), waiting)) return false;
  return !state.resources || std::none_of(state.resources->begin(), state.resources->end(),
                                          [](const auto& resource) { return resource.has_state; });
}

std::vector<std::pair<std::string, JudgedPair>> judged_pairs(const Replication& replication,
                                                             const Networks& networks,
                                                             bool retired) {
  std::map<std::string, JudgedPair> found;
  for (const auto& pair : replication.pairs) {
    const auto route = route_of(pair, networks);
    if (retired ? !route.retired : !route.tunnel) continue;
    auto& judged = found[pair.node_a + " → " + pair.node_b];
    if (judged.resources.empty()) judged.route = route;
    judged.resources.push_back(pair.resource);
    const bool follows = std::any_of(pair.paths.begin(), pair.paths.end(), [&](const auto& path) {
      const auto& end = path.a.node == route.node ? path.a : path.b;
      return !end.missing_preference.empty();
    });
    judged.follows_missing_interface =
        judged.resources.size() == 1 ? follows : judged.follows_missing_interface && follows;
  }
  return {found.begin(), found.end()};
}

}  // namespace shortcircuit
