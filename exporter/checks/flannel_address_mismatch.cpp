// Flannel tells the other nodes where to send pod traffic: the address in its annotations. It is
// written once and does not follow when the node gets another address.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "checks/check.h"
#include "fleet/mesh.h"

namespace shortcircuit {
namespace {

using kubernetes::Node;

bool contains(const std::vector<IpAddress>& addresses, const IpAddress& address) {
  return std::find(addresses.begin(), addresses.end(), address) != addresses.end();
}

bool overwrites(std::string_view annotation) { return annotation.ends_with("-overwrite"); }

// An overwrite that names the node's own external address is a choice (K3s: --flannel-external-ip),
// and public-ip follows it.
bool is_own(const Node& node, const std::string& text) {
  const auto address = IpAddress::parse(text);
  if (!address) return false;
  if (contains(node.internal_addresses, *address)) return true;
  return contains(node.external_addresses, *address) &&
         std::any_of(node.flannel_addresses.begin(), node.flannel_addresses.end(),
                     [&](const auto& entry) {
                       return overwrites(entry.first) && IpAddress::parse(entry.second) == address;
                     });
}

std::string right_address(const Node& node, const std::string& wrong) {
  const auto old = IpAddress::parse(wrong);
  for (const IpAddress& address : node.internal_addresses) {
    if (!old || address.is_v4() == old->is_v4()) return address.text();
  }
  return node.internal_addresses.front().text();
}

std::optional<Finding> mismatch(const Fleet& fleet, const Node& node) {
  std::vector<std::string> says;
  std::vector<std::string> commands;
  for (const auto& [annotation, text] : node.flannel_addresses) {
    if (text.empty() || is_own(node, text)) continue;
    const auto address = IpAddress::parse(text);
    const bool retired = address && fleet.networks.of(*address).retired;
    says.push_back(fmt::format(
        "{} says {}{}", annotation, text,
        retired ? fmt::format(" (retired network {})", fleet.networks.of(*address).name) : ""));
    commands.push_back(fmt::format("{}={}", annotation, right_address(node, text)));
  }
  if (says.empty()) return std::nullopt;
  std::vector<std::string> own;
  for (const IpAddress& address : node.internal_addresses) own.push_back(address.text());
  return Finding{.severity = Severity::critical,
                 .reason = "annotation_differs",
                 .kind = "Node",
                 .object = node.name,
                 .message = fmt::format(
                     "Other nodes send pod traffic for {} to the wrong address: {}, the node "
                     "has {}.",
                     node.name, join(says, ", "), join(own, ", ")),
                 .cure = fmt::format(
                     "kubectl annotate node {} --overwrite {}   # it does not heal itself; then "
                     "restart k3s or flannel on {}",
                     node.name, join(commands, " "), node.name)};
}

Verdict judge(const Fleet& fleet) {
  if (fleet.snapshot.kubernetes.empty()) return not_applicable();
  Verdict verdict;
  if (auto unknown = Mesh(fleet).unknown_cluster_nodes()) verdict.unknown.push_back(*unknown);
  const auto* cluster = state_of(fleet.snapshot.kubernetes);
  if (cluster == nullptr) return verdict;
  for (const Node& node : cluster->nodes.items) {
    if (node.internal_addresses.empty()) continue;
    if (auto finding = mismatch(fleet, node)) verdict.findings.push_back(std::move(*finding));
  }
  return verdict;
}

}  // namespace

const CheckDefinition flannel_address_mismatch_check{
    .name = "flannel_address_mismatch",
    .layer = Layer::mesh,
    .question = "Do flannel's annotations name the node's own address?",
    .reasons = {{"annotation_differs",
                 "An annotation names an address that the node does not have."}},
    .judge = judge};

}  // namespace shortcircuit
