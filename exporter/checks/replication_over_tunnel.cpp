#include <fmt/format.h>

#include "base/text.h"
#include "checks/check.h"
#include "checks/cure.h"
#include "checks/storage_support.h"

namespace shortcircuit {
namespace {

// The nodes' interfaces that lie on the wire, for the cure.
std::string lan_interface(const linstor::Node& node, const Networks& networks) {
  for (const auto& interface : node.interfaces) {
    const auto address = IpAddress::parse(interface.address);
    if (!address) continue;
    const Network& network = networks.of(*address);
    if (!network.retired && !is_tunnel(*address, network)) return interface.name;
  }
  return "";
}

std::string cure(const linstor::Node& one, const linstor::Node& other, const Networks& networks) {
  std::vector<std::string> commands;
  std::string lacks;  // a node without an interface on the wire
  for (const auto* node : {&one, &other}) {
    const std::string name = shell_word(node->name);
    std::string interface = lan_interface(*node, networks);
    if (interface.empty()) {
      lacks = name;
      interface = "lan";
      commands.push_back(fmt::format("linstor node interface create {} lan LAN-ADDRESS", name));
    }
    commands.push_back(
        fmt::format("linstor node set-property {} PrefNic {}", name, shell_word(interface)));
  }
  constexpr const char* rest =
      "paths and PrefNic of pool, resource, definition and group come first";
  if (lacks.empty()) return fmt::format("{}   # {}", join(commands, " && "), rest);
  return fmt::format("linstor node interface list {}   # then: {}; {}", lacks, join(commands, "; "),
                     rest);
}

Verdict judge(const Fleet& fleet) {
  if (fleet.snapshot.linstor.empty()) return not_applicable();
  Verdict verdict;
  const auto* state = state_of(fleet.snapshot.linstor);
  if (state == nullptr) {
    verdict.unknown.push_back(linstor_unknown(fleet.snapshot));
    return verdict;
  }
  const auto* cluster = state_of(fleet.snapshot.kubernetes);
  const Replication replication = replication_of(*state);
  verdict.unknown = replication.unknown;
  for (const auto& [object, pair] : judged_pairs(replication, fleet.networks, false)) {
    const auto separator = object.find(" → ");
    const auto* one = find_node(*state, object.substr(0, separator));
    const auto* other = find_node(*state, object.substr(separator + std::string(" → ").size()));
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
