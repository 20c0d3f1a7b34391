#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/text.h"
#include "checks/check.h"
#include "checks/cure.h"
#include "checks/entry.h"
#include "checks/tolerations.h"
#include "checks/unknown.h"

namespace shortcircuit {
namespace {

std::string taint_text(const kubernetes::Taint& taint) {
  return fmt::format("{}{}{}:{}", taint.key, taint.value.empty() ? "" : "=", taint.value,
                     taint.effect);
}

std::string patch(const kubernetes::ObjectName& service, std::string_view field,
                  std::string_view value) {
  return fmt::format(
      "kubectl -n {} patch service {} --type merge -p '{{\"spec\":{{\"{}\":\"{}\"}}}}'",
      service.namespace_name, service.name, field, value);
}

// K3s runs the load balancer on every node until one carries the label, and from then on only where
// it is: the first label would take it away from all the other nodes.
std::string no_pod_cure(const Fleet& fleet, const Entry& entry) {
  constexpr const char* opt_in = "svccontroller.k3s.cattle.io/enablelb";
  const auto& nodes = fleet.cluster()->nodes.items;
  const bool opted_in = std::any_of(nodes.begin(), nodes.end(), [](const auto& node) {
    const auto label = node.labels.find(opt_in);
    return label != node.labels.end() && label->second == "true";
  });
  if (opted_in) {
    return fmt::format("kubectl label node {} {}=true   # or take its address out of DNS",
                       entry.node, opt_in);
  }
  return fmt::format(
      "kubectl -n kube-system describe daemonsets,pods -l svccontroller.k3s.cattle.io/svcname={}   "
      "# why none is on {}; or take its address out of DNS",
      entry.service.name, entry.node);
}

Finding make_finding(const Fleet& fleet, const Entry& entry) {
  Finding finding{
      .severity = Severity::critical, .reason = entry.reason, .kind = "Node", .object = entry.node};
  const std::string place = fmt::format("{} (node {})", entry.address.text(), entry.node);
  if (entry.reason == "taint_not_tolerated") {
    std::vector<std::string> taints;
    for (const auto& taint : entry.taints) taints.push_back(taint_text(taint));
    finding.message = fmt::format(
        "Public names point at {}, but no load balancer pod runs there: its {} not tolerated.",
        place,
        taints.size() == 1 ? fmt::format("taint {} is", taints.front())
                           : fmt::format("taints {} are", enumerate(taints, 8)));
    finding.cure = cure_of_taints(*fleet.endpoints.find(entry.service)->service, entry.taints);
  } else if (entry.reason == "node_not_ready") {
    finding.message = fmt::format("Public names point at {}, and that node is not Ready.", place);
    finding.cure = fmt::format(
        "kubectl describe node {}   # until it is back, take its address out of DNS", entry.node);
  } else if (entry.reason == "pod_not_ready") {
    finding.message = fmt::format(
        "Public names point at {}, and the load balancer pod there is not ready.", place);
    finding.cure = fmt::format(
        "kubectl -n kube-system describe pods -l svccontroller.k3s.cattle.io/svcname={}",
        entry.service.name);
  } else if (entry.only_local) {
    finding.message = fmt::format(
        "Public names point at {}; the load balancer there passes requests only to pods of its own "
        "node (externalTrafficPolicy Local), and Service {} has no ready one there.",
        place, entry.service.text());
    finding.cure = patch(entry.service, "externalTrafficPolicy", "Cluster") +
                   "   # or let a pod of it run on the node; with Cluster it does not see the "
                   "visitors' addresses";
  } else if (entry.other_family) {
    finding.message = fmt::format(
        "Public names point at {}, and Service {} is of {} alone, so nothing there takes the "
        "request.",
        place, entry.service.text(), entry.address.is_v4() ? "IPv6" : "IPv4");
    finding.cure = patch(entry.service, "ipFamilyPolicy", "PreferDualStack") +
                   "   # or take the address out of DNS";
  } else if (entry.reason == "no_pod") {
    finding.message =
        fmt::format("Public names point at {}, and no load balancer pod runs there.", place);
    finding.cure = no_pod_cure(fleet, entry);
  } else {
    finding.kind = "Address";
    finding.object = entry.address.text();
    if (entry.public_address) finding.severity = Severity::info;
    finding.message = entry.public_address
                          ? fmt::format(
                                "Public names point at {}, which is no node's address; a router in "
                                "front of the fleet may "
                                "forward it, which cannot be seen from here.",
                                entry.address.text())
                      : entry.away.empty()
                          ? fmt::format("Public names point at {}, which is no node's address.",
                                        entry.address.text())
                          : fmt::format(
                                "Public names point at {}, which belongs to peer {}: it is "
                                "offline, or its key is expired.",
                                entry.address.text(), entry.away);
    finding.cure =
        "# point DNS, or expect.entry_addresses, at the address of a node that runs the load "
        "balancer";
  }
  return finding;
}

// Hosts of which DNS did not say where they are.
void judge_names(const Fleet& fleet, Verdict& verdict) {
  const auto& hosts = state_of(fleet.snapshot.dns)->hosts;
  for (const auto& [host, answer] : hosts) {
    if (!answer) {
      verdict.unknown.push_back(fmt::format("DNS of {}: {}", host, answer.error().message));
    } else if (answer->absent) {
      verdict.unknown.push_back(fmt::format("DNS of {}: no address", host));
    }
  }
  if (!fleet.config.expect.entry_addresses.empty()) return;
  std::set<std::string_view> said;
  for (const Route& route : fleet.routes) {
    if (is_plain_host(route.host) && !hosts.contains(route.host) && said.insert(route.host).second)
      verdict.unknown.push_back(fmt::format("DNS of {}: not asked yet", route.host));
  }
}

Verdict judge_entries(const Fleet& fleet) {
  const Expectations& expect = fleet.config.expect;
  if (fleet.config.kubernetes.empty() || (expect.entry_addresses.empty() && !expect.resolve))
    return not_applicable();
  Verdict verdict;
  if (!need(fleet.snapshot.kubernetes, "Kubernetes", verdict)) return verdict;
  const auto& cluster = *fleet.cluster();
  if (expect.resolve && need(fleet.snapshot.dns, "DNS", verdict)) judge_names(fleet, verdict);
  const bool services = need(cluster.services, "services", verdict);
  const bool nodes = need(cluster.nodes, "nodes", verdict);
  if (!services || !nodes) return verdict;
  need(cluster.pods, "pods", verdict);
  need(cluster.daemon_sets, "daemonsets", verdict);
  std::set<std::string> said;
  for (const Entry& entry : judge_entry_addresses(fleet)) {
    if (entry.status == Entry::Status::unknown) {
      verdict.unknown.push_back(fmt::format("{}: {}", entry.address.text(), entry.reason));
    } else if (entry.status == Entry::Status::uncovered && !entry.nobody_behind) {
      Finding finding = make_finding(fleet, entry);
      if (said.insert(finding.kind + finding.object).second)
        verdict.findings.push_back(std::move(finding));
    }
  }
  return verdict;
}

}  // namespace

const CheckDefinition entry_without_load_balancer_check{
    .name = "entry_without_load_balancer",
    .layer = Layer::load_balancer,
    .question = "Does a ready load balancer answer on every address that public names point at?",
    .reasons = {{"taint_not_tolerated",
                 "The node has a taint that the load balancer's pods do not tolerate."},
                {"pod_not_ready", "The load balancer's pod on the node is not ready."},
                {"node_not_ready", "The node is not Ready."},
                {"no_pod",
                 "No load balancer pod runs on the node, or the one there passes nothing on: the "
                 "Service is of the other IP family, or has no pod on the node and "
                 "externalTrafficPolicy Local."},
                {"not_a_node",
                 "The address belongs to no node, or to a peer that is offline or expired."}},
    .judge = judge_entries};

}  // namespace shortcircuit
