#include "checks/storage_support.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "checks/cure.h"
#include "checks/unknown.h"

namespace shortcircuit {
namespace {

bool on_the_wire(const IpAddress& address, const Network& network) {
  return !network.retired && !is_tunnel(address, network) &&
         network.kind != NetworkKind::services && network.kind != NetworkKind::loopback &&
         network.kind != NetworkKind::link_local;
}

// How sure is it that these two meet on a wire? 0: it is not.
int rank_as_lan(const linstor::NetInterface& mine, const linstor::NetInterface& theirs,
                const Networks& networks) {
  const auto here = IpAddress::parse(mine.address);
  const auto there = IpAddress::parse(theirs.address);
  if (!here || !there || here->is_v4() != there->is_v4()) return 0;
  const Network& network = networks.of(*here);
  if (network.name != networks.of(*there).name || !on_the_wire(*here, network)) return 0;
  // `private` and `public` are many networks of one name.
  if (!network.configured) {
    const int length = here->is_v4() ? 24 : 64;
    return Prefix::around(*here, length) == Prefix::around(*there, length) ? 2 : 0;
  }
  const auto prefixes = networks.prefixes_of(network);
  return std::ranges::any_of(prefixes,
                             [&](const Prefix& prefix) {
                               return prefix.contains(*here) && prefix.contains(*there);
                             })
             ? 3
             : 1;
}

}  // namespace

const linstor::State* linstor_state(const Fleet& fleet, Verdict& verdict) {
  if (fleet.snapshot.linstor.empty()) {
    verdict = not_applicable();
    return nullptr;
  }
  need(fleet.snapshot.linstor, "LINSTOR", verdict);
  return state_of(fleet.snapshot.linstor);
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

std::pair<const linstor::Node*, const linstor::Node*> nodes_of(const linstor::State& state,
                                                               const std::string& object) {
  constexpr std::string_view between = " → ";
  const auto arrow = object.find(between);
  return {find_node(state, object.substr(0, arrow)),
          find_node(state, object.substr(arrow + between.size()))};
}

bool in_pod_network(const linstor::Node& node, const Networks& networks) {
  return std::ranges::any_of(node.interfaces, [&](const auto& interface) {
    const auto address = IpAddress::parse(interface.address);
    return address && networks.of(*address).kind == NetworkKind::pods;
  });
}

std::optional<std::pair<std::string, std::string>> lan_interfaces(const linstor::Node& one,
                                                                  const linstor::Node& other,
                                                                  const Networks& networks) {
  if (in_pod_network(one, networks) || in_pod_network(other, networks)) return std::nullopt;
  std::optional<std::pair<std::string, std::string>> best;
  int best_rank = 0;
  for (const auto& mine : one.interfaces) {
    for (const auto& theirs : other.interfaces) {
      const int rank = rank_as_lan(mine, theirs, networks);
      if (rank <= best_rank) continue;
      best_rank = rank;
      best = std::pair(mine.name, theirs.name);
    }
  }
  return best;
}

std::optional<std::pair<std::string, std::string>> wan_interfaces(const linstor::Node& one,
                                                                  const linstor::Node& other,
                                                                  const Networks& networks) {
  const bool pods = in_pod_network(one, networks) || in_pod_network(other, networks);
  for (const auto& mine : one.interfaces) {
    const auto address = IpAddress::parse(mine.address);
    if (!address) continue;
    const Network& network = networks.of(*address);
    if (pods && network.kind != NetworkKind::pods) continue;
    const bool far = is_tunnel(*address, network) || network.kind == NetworkKind::public_internet;
    if (!far || network.retired) continue;
    for (const auto& theirs : other.interfaces) {
      const auto end = IpAddress::parse(theirs.address);
      if (end && networks.of(*end).name == network.name) return std::pair(mine.name, theirs.name);
    }
  }
  return std::nullopt;
}

std::string path_command(const linstor::Node& one, const linstor::Node& other,
                         std::string_view name, const std::string& interface_of_one,
                         const std::string& interface_of_other) {
  return fmt::format("linstor node-connection path create {} {} {} {} {}", shell_word(one.name),
                     shell_word(other.name), name, shell_word(interface_of_one),
                     shell_word(interface_of_other));
}

}  // namespace shortcircuit
