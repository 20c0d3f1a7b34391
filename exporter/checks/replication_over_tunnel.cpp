#include <fmt/format.h>

#include "base/text.h"
#include "checks/check.h"
#include "checks/cure.h"
#include "checks/storage_support.h"

namespace shortcircuit {
namespace {

std::string cure(const linstor::Node& one, const linstor::Node& other, const Networks& networks) {
  std::vector<std::string> missing;
  std::string lacks;  // a node without an interface on the wire
  const auto interface_of = [&](const linstor::Node& node) {
    std::string interface = lan_interface(node, networks);
    if (!interface.empty()) return interface;
    lacks = shell_word(node.name);
    missing.push_back(fmt::format("linstor node interface create {} lan LAN-ADDRESS", lacks));
    return std::string("lan");
  };
  const std::string of_one = interface_of(one);
  const std::string path = path_command(one, other, "lan", of_one, interface_of(other));
  constexpr const char* rest =
      "moves this pair alone; PrefNic would move all of a node's, and a pair of different sites "
      "cannot connect over LANs. Paths of the resources' own connections come first";
  if (missing.empty()) return fmt::format("{}   # {}", path, rest);
  return fmt::format("linstor node interface list {}   # then: {}; {}, which {}", lacks,
                     join(missing, "; "), path, rest);
}

Verdict judge(const Fleet& fleet) {
  Verdict verdict;
  const auto* state = linstor_state(fleet, verdict);
  if (state == nullptr) return verdict;
  const auto* cluster = state_of(fleet.snapshot.kubernetes);
  const Replication replication = replication_of(*state);
  verdict.unknown = replication.unknown;
  for (const auto& [object, pair] : judged_pairs(replication, fleet.networks, false)) {
    const auto [one, other] = nodes_of(*state, object);
    // Between sites the tunnel is the way, and a replica on a fall-back interface is reported where
    // its interface is missing.
    if (one == nullptr || other == nullptr || pair.follows_missing_interface ||
        !same_site(*one, *other, fleet.networks, cluster)) {
      continue;
    }
    Finding finding;
    finding.severity = Severity::warning;
    finding.reason = "overlay";
    finding.kind = "ReplicationPath";
    finding.object = object;
    finding.message = fmt::format(
        "{} and {} stand in one site and replicate {} through a tunnel: {} uses {} in {}. Every "
        "write is "
        "encrypted and wrapped on its way.",
        one->name, other->name, enumerate(pair.resources), pair.route.node, pair.route.address,
        pair.route.network);
    finding.cure = cure(*one, *other, fleet.networks);
    verdict.findings.push_back(std::move(finding));
  }
  return verdict;
}

}  // namespace

const CheckDefinition replication_over_tunnel_check{
    .name = "replication_over_tunnel",
    .layer = Layer::storage,
    .question = "Do storage nodes of one site replicate over their LAN?",
    .reasons = {{"overlay",
                 "An end of the replication between two nodes of one site uses an address in an "
                 "overlay network, the tailnet or the pod network."}},
    .judge = judge};

}  // namespace shortcircuit
