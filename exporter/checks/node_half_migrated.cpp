// A node that moved only in part: its tailscaled still talks to another control server, or the
// cluster still calls it by an address of a retired network, or by one that the mesh gave it before
// it registered anew.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "checks/check.h"
#include "checks/cure.h"
#include "checks/unknown.h"
#include "fleet/control_server.h"
#include "fleet/node_address.h"

namespace shortcircuit {
namespace {

Finding elsewhere(const TailscaleView& view, const std::string& host, const ControlServer& wanted) {
  return {
      .severity = Severity::critical,
      .reason = "other_control_server",
      .kind = "Node",
      .object = view.target,
      .message = fmt::format("{} still obeys the control server {}, the fleet's is {}: it does not "
                             "see the others' changes.",
                             view.target, host, wanted.host),
      .cure = on_node(view.target, fmt::format("tailscale up --force-reauth --login-server={}",
                                               shell_word(wanted.url)))};
}

// Whom Headscale sees connected obeys it, by whatever name. Headscale may be the server that the
// fleet comes from, though: then another one is expected, and nobody uses that and is connected.
void leave_out_connected(const Fleet& fleet, const ControlServer& wanted,
                         ViewsByControlServer& by_host) {
  const auto connected = [&](const TailscaleView* view) {
    return connected_to_headscale(fleet, *view);
  };
  const auto right = by_host.find(wanted.host);
  const bool is_wanted = fleet.config.expect.control_server.empty() ||
                         (right != by_host.end() && std::ranges::any_of(right->second, connected));
  if (!is_wanted) return;
  for (auto& [host, views] : by_host) std::erase_if(views, connected);
  std::erase_if(by_host, [](const auto& entry) { return entry.second.empty(); });
}

void judge_control_servers(const Fleet& fleet, Verdict& verdict) {
  auto by_host = views_by_control_server(fleet);
  if (by_host.empty()) return;
  const ControlServer wanted = control_server_of(fleet);
  leave_out_connected(fleet, wanted, by_host);
  if (by_host.empty()) return;
  if (wanted.host.empty()) {
    std::vector<std::string> hosts;
    for (const auto& [host, views] : by_host) hosts.push_back(host);
    verdict.unknown.push_back(
        fmt::format("which control server is the right one of {}: name it in "
                    "headscale.url",
                    enumerate(hosts)));
    return;
  }
  for (const auto& [host, views] : by_host) {
    if (host == wanted.host) continue;
    for (const TailscaleView* view : views)
      verdict.findings.push_back(elsewhere(*view, host, wanted));
  }
}

std::string node_ip_cure(const std::string& node) {
  return fmt::format(
      "{}   # set node-ip to its new address, see tailscale ip -4; then "
      "systemctl restart k3s, or k3s-agent",
      on_node(node, "grep node-ip /etc/rancher/k3s/config.yaml"));
}

Finding retired_address(const kubernetes::Node& node, const IpAddress& address,
                        const Network& network) {
  return {
      .severity = Severity::critical,
      .reason = "node_address_retired",
      .kind = "Node",
      .object = node.name,
      .message = fmt::format("The cluster reaches {} at {}, which lies in the retired network {}.",
                             node.name, address.text(), network.name),
      .cure = node_ip_cure(node.name)};
}

Finding lost_address(const kubernetes::Node& node, const IpAddress& address,
                     const std::optional<IpAddress>& now) {
  return {
      .severity = Severity::critical,
      .reason = "node_address_unknown",
      .kind = "Node",
      .object = node.name,
      .message = fmt::format(
          "The cluster reaches {} at {}, an address that leads nowhere in the mesh: the node {}.",
          node.name, address.text(),
          now ? "registered anew and has " + now->text() + " now"
              : std::string("registered anew, or left the mesh")),
      .cure = node_ip_cure(node.name) +
              ". Where the address is none of the mesh's: name its network in networks"};
}

void judge_addresses(const Fleet& fleet, const Mesh& mesh, Verdict& verdict) {
  const auto* cluster = state_of(fleet.snapshot.kubernetes);
  if (cluster == nullptr) return;
  std::vector<std::string> untold;
  for (const kubernetes::Node& node : cluster->nodes.items) {
    for (const IpAddress& address : node.internal_addresses) {
      if (const Network& network = fleet.networks.of(address); network.retired) {
        verdict.findings.push_back(retired_address(node, address, network));
        break;
      }
      const InternalAddress is = internal_address(fleet, mesh, node, address);
      if (is == InternalAddress::unknown) untold.push_back(node.name);
      if (is != InternalAddress::lost) continue;
      verdict.findings.push_back(
          lost_address(node, address, present_address(fleet, mesh, node, address)));
      break;
    }
  }
  if (untold.empty()) return;
  verdict.unknown.push_back(mesh.unknown_headscale().value_or(fmt::format(
      "tailscale: whether the mesh still leads to {} by the InternalIP", enumerate(untold))));
}

Verdict judge_node_half_migrated(const Fleet& fleet) {
  if (fleet.snapshot.tailscale.empty() && fleet.snapshot.kubernetes.empty())
    return not_applicable();
  const Mesh mesh(fleet);
  Verdict verdict{.applicable = true, .findings = {}, .unknown = mesh.unknown_views()};
  if (auto unknown = mesh.unknown_cluster_nodes()) verdict.unknown.push_back(*unknown);
  for (const TailscaleView& view : fleet.snapshot.tailscale) {
    if (view.state) need_part(view, "prefs", "tailscale " + view.target, verdict.unknown);
  }
  judge_control_servers(fleet, verdict);
  judge_addresses(fleet, mesh, verdict);
  return verdict;
}

}  // namespace

const CheckDefinition node_half_migrated_check{
    .name = "node_half_migrated",
    .layer = Layer::mesh,
    .question = "Did every node move as a whole: control server and node address?",
    .reasons = {{"other_control_server",
                 "The node's tailscaled belongs to another control server."},
                {"node_address_retired", "The node's InternalIP lies in a retired network."},
                {"node_address_unknown",
                 "The node's InternalIP lies in the mesh's range, and the mesh gives it to nobody "
                 "who is there."}},
    .judge = judge_node_half_migrated};

}  // namespace shortcircuit
