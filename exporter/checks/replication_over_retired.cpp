#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "checks/check.h"
#include "checks/cure.h"
#include "checks/storage_support.h"

namespace shortcircuit {
namespace {

// Within a site the LAN; between sites, or where a node has none, a way that reaches the other
// site.
std::string cure(const linstor::Node& one, const linstor::Node& other, bool one_site,
                 const std::string& retired, const Networks& networks) {
  const std::string rest = fmt::format(
      "moves this pair alone; a path of it or of its resources that names {} stays until it is "
      "deleted",
      retired.empty() ? "the old one" : retired);
  if (const auto ends = lan_interfaces(one, other, networks); one_site && ends)
    return fmt::format("{}   # {}", path_command(one, other, "lan", ends->first, ends->second),
                       rest);
  if (const auto ends = wan_interfaces(one, other, networks))
    return fmt::format("{}   # {}", path_command(one, other, "wan", ends->first, ends->second),
                       rest);
  const std::string name = shell_word(one.name);
  return fmt::format(
      "linstor node interface list {0} && linstor node interface list {1}   # each needs an "
      "address "
      "that the other reaches: linstor node interface create {0} NAME ADDRESS, and the same for "
      "{1}; then: linstor node-connection path create {0} {1} NAME NAME NAME, which {2}",
      name, shell_word(other.name), rest);
}

Verdict judge_replication_over_retired(const Fleet& fleet) {
  Verdict verdict;
  const auto* state = linstor_state(fleet, verdict);
  if (state == nullptr) return verdict;
  const auto* cluster = state_of(fleet.snapshot.kubernetes);
  const Replication replication = replication_of(*state);
  verdict.unknown = replication.unknown;
  for (const auto& [object, pair] : judged_pairs(replication, fleet.networks, true)) {
    Finding finding;
    finding.severity = Severity::critical;
    finding.reason = "retired_network";
    finding.kind = "ReplicationPath";
    finding.object = object;
    finding.message = fmt::format(
        "Replication of {} ({}) still uses {} of {}, which lies in the retired network {}.",
        enumerate(pair.resources), object, pair.route.address, pair.route.node, pair.route.network);
    const auto [one, other] = nodes_of(*state, object);
    if (one == nullptr || other == nullptr) {
      finding.cure = "linstor node list";
    } else {
      const auto& interfaces = (pair.route.node == one->name ? one : other)->interfaces;
      const auto old =
          std::ranges::find(interfaces, pair.route.address, &linstor::NetInterface::address);
      finding.cure = cure(*one, *other, same_site(*one, *other, fleet.networks, cluster),
                          old == interfaces.end() ? "" : old->name, fleet.networks);
    }
    verdict.findings.push_back(std::move(finding));
  }
  return verdict;
}

}  // namespace

const CheckDefinition replication_over_retired_check{
    .name = "replication_over_retired",
    .layer = Layer::storage,
    .question = "Does any replication use an address in a network that is retired?",
    .reasons = {{"retired_network",
                 "An end of some path of the replication lies in a retired network."}},
    .judge = judge_replication_over_retired};

}  // namespace shortcircuit
