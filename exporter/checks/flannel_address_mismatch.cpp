// Flannel tells the other nodes where to send pod traffic: the address in its annotations. It is
// written once and does not follow when the node gets another address.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "checks/check.h"
#include "fleet/node_address.h"

namespace shortcircuit {
namespace {

using kubernetes::Node;

bool contains(const std::vector<IpAddress>& addresses, const IpAddress& address) {
  return std::find(addresses.begin(), addresses.end(), address) != addresses.end();
}

bool overwrites(std::string_view annotation) { return annotation.ends_with("-overwrite"); }

bool of_v6(std::string_view annotation) { return annotation.find("-ipv6") != std::string::npos; }

// An overwrite that names the node's own external address is a choice (K3s: --flannel-external-ip),
// and public-ip follows it.
bool is_own(const Node& node, const IpAddress& address) {
  if (contains(node.internal_addresses, address)) return true;
  return contains(node.external_addresses, address) &&
         std::any_of(node.flannel_addresses.begin(), node.flannel_addresses.end(),
                     [&](const auto& entry) {
                       return overwrites(entry.first) && IpAddress::parse(entry.second) == address;
                     });
}

// An overwrite that flannel follows: somebody named the address by which others reach the node, as
// behind NAT, where no address of the node itself would do.
bool is_chosen(const Node& node, const std::string& annotation, const IpAddress& address) {
  const std::string followed = annotation.substr(0, annotation.find("-overwrite"));
  for (const std::string& name : {followed, followed + "-overwrite"}) {
    const auto entry = node.flannel_addresses.find(name);
    if (entry == node.flannel_addresses.end() || IpAddress::parse(entry->second) != address)
      return false;
  }
  return true;
}

// Nothing: whose address it is cannot be known now.
std::optional<bool> is_right(const Fleet& fleet, const Mesh& mesh, const Node& node,
                             const std::string& annotation, const IpAddress& address) {
  if (is_own(node, address)) return true;
  const Network& network = fleet.networks.of(address);
  if (network.retired) return false;
  const auto of_mesh = [&](const IpAddress& own) {
    return mesh.is_mesh_address(own) || fleet.networks.of(own).kind == NetworkKind::tailnet;
  };
  if (of_mesh(address)) {
    // Flannel on the tailnet's interface, though the InternalIP is another one
    // (--iface=tailscale0).
    if (const auto reached = mesh_reaches(fleet, mesh, node, address)) return reached;
    // One node has one address of the tailnet: this one differs from it.
    if (std::any_of(
            node.internal_addresses.begin(), node.internal_addresses.end(),
            [&](const IpAddress& own) { return own.is_v4() == address.is_v4() && of_mesh(own); }))
      return false;
    return std::nullopt;
  }
  return is_chosen(node, annotation, address);
}

// Of the annotation's family; nothing when the node has none.
std::optional<IpAddress> right_address(const Node& node, std::string_view annotation) {
  for (const IpAddress& address : node.internal_addresses) {
    if (address.is_v4() != of_v6(annotation)) return address;
  }
  return std::nullopt;
}

class FlannelJudge {
 public:
  explicit FlannelJudge(const Fleet& fleet) : fleet_(fleet), mesh_(fleet) {}

  Verdict run() {
    if (auto unknown = mesh_.unknown_cluster_nodes()) verdict_.unknown.push_back(*unknown);
    if (const auto* cluster = state_of(fleet_.snapshot.kubernetes)) {
      for (const Node& node : cluster->nodes.items) {
        if (!node.internal_addresses.empty()) annotations_of(node);
      }
    }
    return std::move(verdict_);
  }

 private:
  void annotations_of(const Node& node) {
    std::vector<std::string> says;
    std::vector<std::string> commands;
    for (const auto& [annotation, text] : node.flannel_addresses) {
      if (text.empty()) continue;
      const auto address = IpAddress::parse(text);
      const auto right =
          address ? is_right(fleet_, mesh_, node, annotation, *address) : std::optional(false);
      const auto own = right_address(node, annotation);
      const bool retired = address && fleet_.networks.of(*address).retired;
      // With no InternalIP of its family there is nothing that the address differs from.
      if (!right || (!*right && address && !retired && !own)) {
        verdict_.unknown.push_back(
            fmt::format("kubernetes nodes: whether {} is {}'s address, as {} says", text, node.name,
                        annotation));
        continue;
      }
      if (*right) continue;
      says.push_back(fmt::format(
          "{} says {}{}", annotation, text,
          retired ? fmt::format(" (retired network {})", fleet_.networks.of(*address).name) : ""));
      // Flannel writes anew what is not there.
      commands.push_back(own ? fmt::format("{}={}", annotation, own->text()) : annotation + "-");
    }
    if (!says.empty()) verdict_.findings.push_back(mismatch(node, says, commands));
  }

  static Finding mismatch(const Node& node, const std::vector<std::string>& says,
                          const std::vector<std::string>& commands) {
    std::vector<std::string> own;
    for (const IpAddress& address : node.internal_addresses) own.push_back(address.text());
    return {
        .severity = Severity::critical,
        .reason = "annotation_differs",
        .kind = "Node",
        .object = node.name,
        .message = fmt::format("Other nodes send pod traffic for {} to the wrong address: {}, the "
                               "node has {}.",
                               node.name, join(says, ", "), join(own, ", ")),
        .cure =
            fmt::format("kubectl annotate node {} --overwrite {}   # it does not heal itself; then "
                        "restart k3s or flannel on {}",
                        node.name, join(commands, " "), node.name)};
  }

  const Fleet& fleet_;
  Mesh mesh_;
  Verdict verdict_;
};

Verdict judge_flannel_address_mismatch(const Fleet& fleet) {
  if (fleet.snapshot.kubernetes.empty()) return not_applicable();
  return FlannelJudge(fleet).run();
}

}  // namespace

const CheckDefinition flannel_address_mismatch_check{
    .name = "flannel_address_mismatch",
    .layer = Layer::mesh,
    .question = "Do flannel's annotations name the node's own address?",
    .reasons = {{"annotation_differs",
                 "An annotation names an address at which the node is not reached."}},
    .judge = judge_flannel_address_mismatch};

}  // namespace shortcircuit
