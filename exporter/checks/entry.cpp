#include "checks/entry.h"

#include <algorithm>
#include <map>
#include <set>

#include "checks/address_owners.h"
#include "checks/entry_services.h"
#include "checks/tolerations.h"
#include "checks/way_in.h"

namespace shortcircuit {
namespace {

using kubernetes::Node;
using kubernetes::Pod;
using kubernetes::Service;
using kubernetes::Taint;
using kubernetes::Workload;

class EntryJudge {
 public:
  explicit EntryJudge(const Fleet& fleet)
      : fleet_(fleet),
        cluster_(*fleet.cluster()),
        owners_(fleet),
        services_(entry_services(cluster_)) {
    find_daemon_sets();
    for (const Service* service : services_) {
      for (const std::string& text : service->load_balancer_addresses) add_balanced(text, *service);
      for (const std::string& text : service->external_ips) add_balanced(text, *service);
    }
  }

  [[nodiscard]] Entry judge(const IpAddress& address) const {
    Entry entry{.address = address};
    const Node* node = owners_.node_of(address);
    if (node != nullptr) entry.node = node->name;
    entry.away = owners_.away(address);
    if (!services_.empty()) entry.service = services_.front()->name;
    Answer answer;
    if (const auto balanced = balanced_.find(address); balanced != balanced_.end()) {
      for (const Service* service : balanced->second)
        answer = std::max(answer, {behind(*service), service});
    }
    if (node != nullptr)
      answer = std::max({answer, by_status(*node, address), by_pods(*node, address)});
    // Nobody reaches it, whatever a Service says of it.
    if (node == nullptr && !entry.away.empty()) return judge_stranger(entry);
    if (answer.passing == Passing::on) {
      // A node that is down keeps its address in the Service's status for a while.
      if (node != nullptr && node->ready != std::optional(true))
        return uncovered(entry, "node_not_ready");
      // servicelb takes such a node out of the status within a moment, unless it is stuck.
      if (node != nullptr && is_listed_without_pod(*node, answer.service)) {
        return unknown(entry,
                       "no load balancer pod is ready there, though the Service's status lists it");
      }
      entry.status = Entry::Status::covered;
      return entry;
    }
    if (node != nullptr && node->ready != std::optional(true))
      return uncovered(entry, "node_not_ready");
    if (answer.passing != Passing::none) return judge_held_back(entry, answer);
    if (node == nullptr) return judge_stranger(entry);
    if (services_.empty()) return unknown(entry, no_balancer);
    if (has_balancer_pod(*node)) return uncovered(entry, "pod_not_ready");
    if (!cluster_.daemon_sets.known() && !cluster_.pods.known()) {
      return unknown(entry, "neither the load balancer's pods nor its DaemonSet can be read");
    }
    if (const auto found = intolerable(*node); !found.taints.empty()) {
      entry.taints = found.taints;
      if (found.service != nullptr) entry.service = found.service->name;
      return uncovered(entry, "taint_not_tolerated");
    }
    if (!cluster_.pods.known()) return unknown(entry, "the load balancer's pods cannot be read");
    return uncovered(entry, "no_pod");
  }

 private:
  // What becomes of a request that reaches a node, worst first.
  enum class Passing {
    none,          // nothing takes it
    other_family,  // the Service is of the other IP family alone
    no_local_pod,  // externalTrafficPolicy Local, and no ready pod of the Service is there
    no_pod,        // no pod of the Service is ready anywhere
    unknown,
    on,
  };
  struct Answer {
    Passing passing = Passing::none;
    const Service* service = nullptr;  // whose balancer says so; null for none
    bool operator<(const Answer& other) const { return passing < other.passing; }
  };

  void add_balanced(const std::string& text, const Service& service) {
    if (const auto address = IpAddress::parse(text)) balanced_[*address].push_back(&service);
  }

  static constexpr const char* no_balancer =
      "no LoadBalancer Service leads to the ingress controller, so who answers there cannot be "
      "seen";

  static Entry unknown(Entry entry, std::string why) {
    entry.reason = std::move(why);
    return entry;
  }

  static Entry uncovered(Entry entry, std::string reason) {
    entry.status = Entry::Status::uncovered;
    entry.reason = std::move(reason);
    return entry;
  }

  // A load balancer is there and does not pass the request on.
  [[nodiscard]] Entry judge_held_back(Entry entry, const Answer& answer) const {
    entry.service = answer.service->name;
    if (answer.passing == Passing::unknown)
      return unknown(entry, "externalTrafficPolicy is Local, and where the pods of " +
                                entry.service.text() + " run cannot be seen");
    // Traefik itself may take the node's port.
    if (!cluster_.pods.known()) return unknown(entry, "pods cannot be read");
    entry.nobody_behind = answer.passing == Passing::no_pod;
    if (entry.nobody_behind) return uncovered(entry, "");
    entry.only_local = answer.passing == Passing::no_local_pod;
    entry.other_family = answer.passing == Passing::other_family;
    return uncovered(entry, "no_pod");
  }

  // An address that Kubernetes lists for no node.
  [[nodiscard]] Entry judge_stranger(Entry entry) const {
    const Network& network = fleet_.networks.of(entry.address);
    entry.public_address = network.kind == NetworkKind::public_internet && !network.retired;
    if (services_.empty()) return unknown(entry, no_balancer);
    // The mesh may know it as an address of a node.
    if (!fleet_.config.headscale.empty() && fleet_.headscale() == nullptr)
      return unknown(entry, "no node of the cluster has it, and Headscale cannot be read");
    if (entry.public_address || owners_.leads_nowhere(entry.address))
      return uncovered(entry, "not_a_node");
    return unknown(entry,
                   "Kubernetes lists it for no node, but a node may have it on another interface, "
                   "or it may move between nodes");
  }

  // The entry Service whose load balancer the pod is; null for any other pod.
  [[nodiscard]] const Service* balanced_by(const Pod& pod) const {
    // What was evicted or ended stays listed with its node for a while.
    if (pod.phase == "Failed" || pod.phase == "Succeeded") return nullptr;
    for (const Service* service : services_) {
      if (is_labelled_for(pod.labels, *service)) return service;
    }
    if (pod.owner_kind != "DaemonSet") return nullptr;
    for (const auto& [daemon_set, service] : daemon_sets_) {
      if (pod.owner_name == daemon_set->name.name &&
          pod.name.namespace_name == daemon_set->name.namespace_name)
        return service;
    }
    return nullptr;
  }

  // Another address of the node may be the one in a Service's status.
  [[nodiscard]] Answer by_status(const Node& node, const IpAddress& asked) const {
    Answer best;
    for (const auto* list : {&node.internal_addresses, &node.external_addresses}) {
      for (const IpAddress& address : *list) {
        const auto found = balanced_.find(address);
        if (found == balanced_.end()) continue;
        for (const Service* service : found->second) {
          const bool served = serves_family(*service, asked);
          best = std::max(best, {served ? behind(*service) : Passing::other_family, service});
        }
      }
    }
    return best;
  }

  [[nodiscard]] Answer by_pods(const Node& node, const IpAddress& asked) const {
    Answer best;
    for (const Pod& pod : cluster_.pods.items) {
      if (pod.node_name != node.name || !pod.ready) continue;
      if (takes_web_port(pod)) return {Passing::on, nullptr};
      if (const Service* service = balanced_by(pod))
        best = std::max(best, {passing(*service, node, asked), service});
    }
    return best;
  }

  [[nodiscard]] Passing behind(const Service& service) const {
    return has_no_ready_pod(fleet_, service) ? Passing::no_pod : Passing::on;
  }

  // With externalTrafficPolicy Local, kube-proxy drops what reaches a node without a ready pod.
  [[nodiscard]] Passing passing(const Service& service, const Node& node,
                                const IpAddress& asked) const {
    if (!serves_family(service, asked)) return Passing::other_family;
    if (service.external_traffic_policy != "Local") return behind(service);
    const auto* endpoints = fleet_.endpoints.find(service.name);
    if (endpoints == nullptr || !fleet_.endpoints.known() || !endpoints->certain)
      return Passing::unknown;
    if (behind(service) == Passing::no_pod) return Passing::no_pod;
    Passing found = Passing::no_local_pod;
    for (const auto* slice : endpoints->slices) {
      for (const auto& endpoint : slice->endpoints) {
        if (!endpoint.ready) continue;
        if (endpoint.node_name == node.name) return Passing::on;
        if (endpoint.node_name.empty()) found = Passing::unknown;
      }
    }
    return found;
  }

  [[nodiscard]] bool has_balancer_pod(const Node& node) const {
    return std::any_of(cluster_.pods.items.begin(), cluster_.pods.items.end(), [&](const Pod& pod) {
      return pod.node_name == node.name && balanced_by(pod) != nullptr;
    });
  }

  // The status of the Service lists the node, and of its own pods there none is ready. Other
  // balancers have no pods, and nobody needs one for an external IP.
  [[nodiscard]] bool is_listed_without_pod(const Node& node, const Service* service) const {
    if (service == nullptr || !lists(*service, node)) return false;
    bool any = false;
    for (const Pod& pod : cluster_.pods.items) {
      if (pod.node_name != node.name) continue;
      const bool own = balanced_by(pod) == service;
      if (pod.ready && (own || takes_web_port(pod))) return false;
      any = any || own;
    }
    return any;
  }

  [[nodiscard]] static bool lists(const Service& service, const Node& node) {
    return std::ranges::any_of(service.load_balancer_addresses, [&](const std::string& text) {
      const auto address = IpAddress::parse(text);
      return address && (std::ranges::find(node.internal_addresses, *address) !=
                             node.internal_addresses.end() ||
                         std::ranges::find(node.external_addresses, *address) !=
                             node.external_addresses.end());
    });
  }

  // servicelb's DaemonSets of the entry Services: by label, or by name where releases had none.
  void find_daemon_sets() {
    for (const Workload& candidate : cluster_.daemon_sets.items) {
      for (const Service* service : services_) {
        const std::string name = "svclb-" + service->name.name;
        const bool named =
            candidate.name.name == name || (candidate.name.name.starts_with(name + "-") &&
                                            candidate.name.name.size() == name.size() + 9);
        const bool labelled = is_labelled_for(candidate.labels, *service) ||
                              is_labelled_for(candidate.template_labels, *service);
        const bool says_service = candidate.labels.contains(balancer_label) ||
                                  candidate.template_labels.contains(balancer_label);
        if (labelled || (named && !says_service)) {
          daemon_sets_.emplace_back(&candidate, service);
          break;
        }
      }
    }
  }

  struct Intolerable {
    std::vector<Taint> taints;
    const Service* service = nullptr;  // whose pods they keep away
  };

  // What keeps the load balancer's pods off the node: those of the DaemonSet that lacks the least.
  [[nodiscard]] Intolerable intolerable(const Node& node) const {
    if (daemon_sets_.empty()) {
      // Known not to be there: no pod comes, whatever the taints are.
      if (cluster_.daemon_sets.known()) return {};
      return {not_tolerated(node.taints, built_in_tolerations())};
    }
    Intolerable least;
    for (const auto& [daemon_set, service] : daemon_sets_) {
      auto taints = not_tolerated(node.taints, daemon_set->tolerations);
      if (taints.empty()) return {};
      if (least.service == nullptr || taints.size() < least.taints.size())
        least = {std::move(taints), service};
    }
    return least;
  }

  const Fleet& fleet_;
  const kubernetes::State& cluster_;
  AddressOwners owners_;
  std::vector<const Service*> services_;
  std::vector<std::pair<const Workload*, const Service*>> daemon_sets_;
  std::map<IpAddress, std::vector<const Service*>> balanced_;  // in a Service's status or spec
};

}  // namespace

std::vector<Entry> judge_entry_addresses(const Fleet& fleet) {
  std::vector<Entry> entries;
  const auto* cluster = fleet.cluster();
  if (cluster == nullptr || !cluster->services.known() || !cluster->nodes.known()) return entries;
  std::set<IpAddress> addresses(fleet.config.expect.entry_addresses.begin(),
                                fleet.config.expect.entry_addresses.end());
  if (const auto* names = state_of(fleet.snapshot.dns)) {
    for (const auto& [host, answer] : names->hosts) {
      if (answer) addresses.insert(answer->addresses.begin(), answer->addresses.end());
    }
  }
  const EntryJudge judge(fleet);
  for (const IpAddress& address : addresses) entries.push_back(judge.judge(address));
  return entries;
}

}  // namespace shortcircuit
