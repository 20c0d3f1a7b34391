#include <fmt/format.h>

#include "base/text.h"
#include "checks/check.h"
#include "checks/cure.h"
#include "checks/storage_support.h"

namespace shortcircuit {
namespace {

Verdict judge(const Fleet& fleet) {
  if (fleet.snapshot.linstor.empty()) return not_applicable();
  Verdict verdict;
  const auto* state = state_of(fleet.snapshot.linstor);
  if (state == nullptr) {
    verdict.unknown.push_back(linstor_unknown(fleet.snapshot));
    return verdict;
  }
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
    const auto* node = find_node(*state, pair.route.node);
    std::string instead;
    std::string retired;
    for (const auto& interface :
         node == nullptr ? std::vector<linstor::NetInterface>{} : node->interfaces) {
      const auto address = IpAddress::parse(interface.address);
      if (!address) continue;
      const Network& network = fleet.networks.of(*address);
      if (network.retired) {
        retired = interface.name;
      } else if (instead.empty() || !is_tunnel(*address, network)) {
        instead = interface.name;
      }
    }
    const std::string where = shell_word(pair.route.node);
    const std::string prefer = fmt::format("linstor node set-property {} PrefNic {}", where,
                                           instead.empty() ? "NAME" : shell_word(instead));
    const std::string rest = fmt::format(
        "and change paths or PrefNic of pool, resource, definition and group that name {}",
        retired.empty() ? "the old one" : retired);
    finding.cure = instead.empty()
                       ? fmt::format(
                             "linstor node interface list {0}   # then: linstor node interface "
                             "create {0} NAME ADDRESS; {1}; {2}",
                             where, prefer, rest)
                       : fmt::format("{}   # {}", prefer, rest);
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
    .judge = judge};

}  // namespace shortcircuit
