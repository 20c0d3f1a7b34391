// A node that moved only in part: its tailscaled still talks to another control server, or the
// cluster still calls it by an address of a retired network.
#include <fmt/format.h>

#include "base/text.h"
#include "checks/check.h"
#include "checks/cure.h"
#include "checks/unknown.h"
#include "fleet/control_server.h"
#include "fleet/mesh.h"

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

void judge_control_servers(const Fleet& fleet, Verdict& verdict) {
  const auto by_host = views_by_control_server(fleet);
  if (by_host.empty()) return;
  const ControlServer wanted = control_server_of(fleet);
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

void judge_addresses(const Fleet& fleet, Verdict& verdict) {
  const auto* cluster = state_of(fleet.snapshot.kubernetes);
  if (cluster == nullptr) return;
  for (const kubernetes::Node& node : cluster->nodes.items) {
    for (const IpAddress& address : node.internal_addresses) {
      const Network& network = fleet.networks.of(address);
      if (!network.retired) continue;
      verdict.findings.push_back(
          {.severity = Severity::critical,
           .reason = "node_address_retired",
           .kind = "Node",
           .object = node.name,
           .message =
               fmt::format("The cluster reaches {} at {}, which lies in the retired network {}.",
                           node.name, address.text(), network.name),
           .cure = fmt::format("{}   # set node-ip to its new address, see tailscale ip -4; then "
                               "systemctl restart k3s, or k3s-agent",
                               on_node(node.name, "grep node-ip /etc/rancher/k3s/config.yaml"))});
      break;
    }
  }
}

Verdict judge(const Fleet& fleet) {
  if (fleet.snapshot.tailscale.empty() && fleet.snapshot.kubernetes.empty())
    return not_applicable();
  const Mesh mesh(fleet);
  Verdict verdict{.applicable = true, .findings = {}, .unknown = mesh.unknown_views()};
  if (auto unknown = mesh.unknown_cluster_nodes()) verdict.unknown.push_back(*unknown);
  for (const TailscaleView& view : fleet.snapshot.tailscale) {
    if (view.state) need_part(view, "prefs", "tailscale " + view.target, verdict.unknown);
  }
  judge_control_servers(fleet, verdict);
  judge_addresses(fleet, verdict);
  return verdict;
}

}  // namespace

const CheckDefinition node_half_migrated_check{
    .name = "node_half_migrated",
    .layer = Layer::mesh,
    .question = "Did every node move as a whole: control server and node address?",
    .reasons = {{"other_control_server",
                 "The node's tailscaled belongs to another control server."},
                {"node_address_retired", "The node's InternalIP lies in a retired network."}},
    .judge = judge};

}  // namespace shortcircuit
