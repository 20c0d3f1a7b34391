// A node that moved only in part: its tailscaled still talks to another control server, or the
// cluster still calls it by an address of a retired network.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/text.h"
#include "checks/check.h"
#include "fleet/mesh.h"

namespace shortcircuit {
namespace {

std::string host_of(const std::string& url) {
  const auto parts = parse_url(url);
  return parts ? to_lower(parts->host) : "";
}

// The API of Headscale may be configured by a name that only the cluster knows; then the name in
// the nodes' preferences is another one and both are right.
bool inside_name(const std::string& url) {
  const auto parts = parse_url(url);
  if (!parts) return true;
  const std::string host = to_lower(parts->host);
  return parts->scheme != "https" || parts->address().has_value() || host == "localhost" ||
         host.find('.') == std::string::npos || host.ends_with(".svc") ||
         host.find(".svc.") != std::string::npos || host.ends_with(".cluster.local");
}

// Does Headscale see the node connected right now?
bool connected(const Fleet& fleet, const TailscaleView& view) {
  const auto* control = state_of(fleet.snapshot.headscale);
  if (control == nullptr) return false;
  return std::any_of(control->nodes.begin(), control->nodes.end(),
                     [&](const headscale::Node& node) {
                       return node.given_name == view.target && node.online && node.online_known;
                     });
}

struct Reference {
  std::string host;  // "" = cannot be said
  std::string url;
};

// The control server that the fleet belongs to: the expected one; the configured one when any node
// uses it or nothing says that it has another name, else the one that most nodes use.
Reference reference(const Fleet& fleet,
                    const std::map<std::string, std::vector<const TailscaleView*>>& by_host) {
  std::size_t all = 0;
  const std::vector<const TailscaleView*>* most = nullptr;
  Reference majority;
  for (const auto& [host, views] : by_host) {
    all += views.size();
    if (most == nullptr || views.size() > most->size()) {
      most = &views;
      majority = {host, *views.front()->state->control_url};
    }
  }
  if (const std::string& expected = fleet.config.expect.control_server; !expected.empty()) {
    return {host_of(expected), expected};
  }
  if (!fleet.config.headscale.empty()) {
    const std::string& url = fleet.config.headscale.front().endpoint.url;
    const std::string host = host_of(url);
    if (!host.empty() && by_host.contains(host)) return {host, url};
    const bool one_name_for_all =
        all > 1 && by_host.size() == 1 &&
        std::all_of(most->begin(), most->end(),
                    [&](const TailscaleView* view) { return connected(fleet, *view); });
    if (!host.empty() && !inside_name(url) && !one_name_for_all) return {host, url};
  }
  if (by_host.size() < 2) return majority;
  return most->size() * 2 > all ? majority : Reference{};
}

Finding elsewhere(const TailscaleView& view, const std::string& host, const Reference& wanted) {
  return {
      .severity = Severity::critical,
      .reason = "other_control_server",
      .kind = "Node",
      .object = view.target,
      .message = fmt::format("{} still obeys the control server {}, the fleet's is {}: it does not "
                             "see the others' changes.",
                             view.target, host, wanted.host),
      .cure = fmt::format("on {}: tailscale up --force-reauth --login-server={}", view.target,
                          wanted.url)};
}

void judge_control_servers(const Fleet& fleet, Verdict& verdict) {
  std::map<std::string, std::vector<const TailscaleView*>> by_host;
  for (const TailscaleView& view : fleet.snapshot.tailscale) {
    if (!view.state || !view.state->control_url) continue;
    const std::string host = host_of(*view.state->control_url);
    if (!host.empty()) by_host[host].push_back(&view);
  }
  if (by_host.empty()) return;
  const Reference wanted = reference(fleet, by_host);
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
           .cure =
               fmt::format("on {}: set node-ip in /etc/rancher/k3s/config.yaml to its new address "
                           "(tailscale ip -4) and restart k3s",
                           node.name)});
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
