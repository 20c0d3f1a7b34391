#include <fmt/format.h>

#include "base/text.h"
#include "checks/check.h"
#include "checks/cure.h"
#include "checks/storage_support.h"

namespace shortcircuit {
namespace {

std::string cure(const linstor::Node& one, const linstor::Node& other, const Networks& networks) {
  constexpr const char* rest =
      "moves this pair alone; PrefNic would move all of a node's, and a pair of different sites "
      "cannot connect over LANs. Paths of the resources' own connections come first";
  if (const auto ends = lan_interfaces(one, other, networks))
    return fmt::format("{}   # {}", path_command(one, other, "lan", ends->first, ends->second),
                       rest);
  return fmt::format(
      "linstor node interface list {0} && linstor node interface list {1}   # no two of these are "
      "known to lie in one LAN: where one is missing, linstor node interface create NODE NAME "
      "LAN-ADDRESS; then: linstor node-connection path create {0} {1} lan NAME NAME, which {2}",
      shell_word(one.name), shell_word(other.name), rest);
}

// A path over the LAN would cut the pair: DRBD lives in the pod's network and has no such address.
constexpr const char* pod_network_cure =
    "kubectl get linstorsatelliteconfigurations   # give the one that selects these nodes "
    "spec.podTemplate.spec.hostNetwork: true: the operator makes the satellites anew and DRBD then "
    "uses the nodes' addresses. An interface with a LAN address would not help, DRBD in a pod's "
    "network cannot bind it";

Verdict judge_replication_over_tunnel(const Fleet& fleet) {
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
    const bool pods =
        in_pod_network(*one, fleet.networks) || in_pod_network(*other, fleet.networks);
    finding.message = fmt::format(
        "{} and {} stand in one site and replicate {} through {}: {} uses {} in {}. {}", one->name,
        other->name, enumerate(pair.resources), pods ? "the pod network" : "a tunnel",
        pair.route.node, pair.route.address, pair.route.network,
        pods ? "Every write takes the pods' way, and replication stops while a satellite's pod is "
               "replaced."
             : "Every write is encrypted and wrapped on its way.");
    finding.cure = pods ? pod_network_cure : cure(*one, *other, fleet.networks);
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
    .judge = judge_replication_over_tunnel};

}  // namespace shortcircuit
