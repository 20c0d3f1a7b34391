// A tunnel inside a tunnel: tailscaled took an address of another overlay for the best way. One
// finding per node and reason; which paths they are is also in the metrics.
#include <fmt/format.h>

#include <map>
#include <set>

#include "base/text.h"
#include "checks/check.h"
#include "checks/cure.h"
#include "fleet/mesh.h"

namespace shortcircuit {
namespace {

struct Nested {
  std::vector<std::string> peers;
  std::set<std::string> networks;
  DirectPath example;
  std::size_t active = 0;  // all active peers of the node
};

std::string range_of(const Fleet& fleet, const DirectPath& path) {
  for (const Prefix& prefix : fleet.networks.prefixes_of(*path.network)) {
    if (prefix.contains(path.underlay)) return prefix.text();
  }
  return path.underlay.text();
}

std::size_t active_peers(const tailscale::State& state) {
  std::size_t active = 0;
  for (const tailscale::Peer& peer : state.peers) {
    const auto path = peer.path_class();
    if (path != tailscale::PathClass::offline && path != tailscale::PathClass::idle) ++active;
  }
  return active;
}

Finding nested(const Fleet& fleet, const std::string& from, Nesting nesting, const Nested& paths) {
  const bool retired = nesting == Nesting::retired_network;
  const std::string networks = join({paths.networks.begin(), paths.networks.end()}, ", ");
  const std::string endpoint = paths.example.peer->current_endpoint;
  const std::string port = endpoint.substr(endpoint.rfind(':') + 1);
  const char* filter = paths.example.underlay.is_v4() ? "iptables" : "ip6tables";
  const std::string block =
      on_node(from, fmt::format("{} -I OUTPUT -d {} -p udp --dport {} -j DROP", filter,
                                range_of(fleet, paths.example), shell_word(port)));
  return {
      .severity = Severity::warning,
      .reason = retired ? "retired_network" : "overlay",
      .kind = "Node",
      .object = from,
      .message = fmt::format(
          "{} reaches {} of {} through the {}network {}{} ({}).", from, paths.peers.size(),
          count_of(paths.active, "active peer"), retired ? "retired " : "", networks,
          paths.example.tunnel ? ", a tunnel inside a tunnel" : "", enumerate(paths.peers)),
      .cure = retired
                  ? fmt::format("{}   # tailscaled then takes another path within seconds; then "
                                "stop {} on every node",
                                block, networks)
                  : fmt::format("{}   # tailscaled then takes another path within seconds", block)};
}

Verdict judge_nested_tunnel(const Fleet& fleet) {
  if (fleet.snapshot.tailscale.empty()) return not_applicable();
  const Mesh mesh(fleet);
  Verdict verdict{.applicable = true, .findings = {}, .unknown = mesh.unknown_views()};
  std::map<std::pair<std::string, Nesting>, Nested> by_node;
  for (const DirectPath& path : mesh.direct_paths()) {
    if (path.nesting == Nesting::none) continue;
    Nested& paths = by_node[{path.view->target, path.nesting}];
    if (paths.peers.empty()) {
      paths.example = path;
      paths.active = active_peers(*path.view->state);
    }
    paths.peers.push_back(path.peer->name);
    paths.networks.insert(path.network->name);
  }
  for (const auto& [node, paths] : by_node) {
    verdict.findings.push_back(nested(fleet, node.first, node.second, paths));
  }
  return verdict;
}

}  // namespace

const CheckDefinition nested_tunnel_check{
    .name = "nested_tunnel",
    .layer = Layer::mesh,
    .question =
        "Do the direct paths of the mesh run over plain networks, not over another overlay?",
    .reasons = {{"retired_network", "Paths run over a network that is declared retired."},
                {"overlay", "Paths run over another overlay, or over the mesh itself."}},
    .judge = judge_nested_tunnel};

}  // namespace shortcircuit
