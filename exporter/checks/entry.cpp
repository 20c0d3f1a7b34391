#include "checks/entry.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>

namespace shortcircuit {
namespace {

using kubernetes::Node;
using kubernetes::Pod;
using kubernetes::Service;
using kubernetes::Taint;
using kubernetes::Toleration;
using kubernetes::Workload;

constexpr const char* service_label = "svccontroller.k3s.cattle.io/svcname";
constexpr const char* namespace_label = "svccontroller.k3s.cattle.io/svcnamespace";

// https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/
bool tolerates(const Toleration& toleration, const Taint& taint) {
  if (!toleration.effect.empty() && toleration.effect != taint.effect) return false;
  if (toleration.key.empty()) return toleration.operation == "Exists";
  if (toleration.key != taint.key) return false;
  return toleration.operation == "Exists" || toleration.value == taint.value;
}

// The DaemonSet controller adds these to every pod that it makes.
bool tolerated_by_every_daemon(const Taint& taint) {
  constexpr std::array<std::string_view, 7> keys{
      "node.kubernetes.io/not-ready",          "node.kubernetes.io/unreachable",
      "node.kubernetes.io/disk-pressure",      "node.kubernetes.io/memory-pressure",
      "node.kubernetes.io/pid-pressure",       "node.kubernetes.io/unschedulable",
      "node.kubernetes.io/network-unavailable"};
  return std::find(keys.begin(), keys.end(), taint.key) != keys.end();
}

// What servicelb gives its pods when its DaemonSet cannot be read.
const std::vector<Toleration>& built_in_tolerations() {
  static const std::vector<Toleration> tolerations{
      {.key = "node-role.kubernetes.io/master", .operation = "Exists", .effect = "NoSchedule"},
      {.key = "node-role.kubernetes.io/control-plane",
       .operation = "Exists",
       .effect = "NoSchedule"},
      {.key = "CriticalAddonsOnly", .operation = "Exists"}};
  return tolerations;
}

bool labelled_for(const kubernetes::Labels& labels, const Service& service) {
  const auto name = labels.find(service_label);
  if (name == labels.end() || name->second != service.name.name) return false;
  const auto in = labels.find(namespace_label);
  return in == labels.end() || in->second == service.name.namespace_name;
}

bool names_traefik(std::string_view text) { return text.find("traefik") != std::string_view::npos; }

bool labels_name_traefik(const kubernetes::Labels& labels) {
  return std::any_of(labels.begin(), labels.end(),
                     [](const auto& label) { return names_traefik(label.second); });
}

bool is_traefik_pod(const Pod& pod) {
  // The load balancer's own pods carry the name of the Service that they serve.
  if (pod.labels.contains(service_label)) return false;
  return names_traefik(pod.owner_name) || names_traefik(pod.name.name) ||
         labels_name_traefik(pod.labels);
}

bool selects(const Service& service, const Pod& pod) {
  if (service.selector.empty() || service.name.namespace_name != pod.name.namespace_name)
    return false;
  return std::all_of(service.selector.begin(), service.selector.end(), [&](const auto& wanted) {
    const auto found = pod.labels.find(wanted.first);
    return found != pod.labels.end() && found->second == wanted.second;
  });
}

bool leads_to_traefik(const Service& service, const kubernetes::State& cluster) {
  if (names_traefik(service.name.name) || labels_name_traefik(service.selector)) return true;
  return std::any_of(cluster.pods.items.begin(), cluster.pods.items.end(),
                     [&](const Pod& pod) { return is_traefik_pod(pod) && selects(service, pod); });
}

// The LoadBalancer Services that bring public requests to Traefik; without a sign of Traefik those
// with a web port. Of Traefik's own the ones with a web port, if there are any.
std::vector<const Service*> entry_services(const kubernetes::State& cluster) {
  std::vector<const Service*> balancers;
  std::vector<const Service*> with_web_port;
  for (const Service& service : cluster.services.items) {
    if (service.type != "LoadBalancer") continue;
    balancers.push_back(&service);
    const bool web = std::any_of(service.ports.begin(), service.ports.end(), [](const auto& port) {
      return port.port == 80 || port.port == 443;
    });
    if (web) with_web_port.push_back(&service);
  }
  for (const auto* list : {&with_web_port, &balancers}) {
    std::vector<const Service*> traefiks;
    std::copy_if(list->begin(), list->end(), std::back_inserter(traefiks),
                 [&](const Service* service) { return leads_to_traefik(*service, cluster); });
    if (!traefiks.empty()) return traefiks;
  }
  return with_web_port;
}

class Judge {
 public:
  explicit Judge(const Fleet& fleet)
      : fleet_(fleet), cluster_(*fleet.cluster()), services_(entry_services(cluster_)) {
    for (const Node& node : cluster_.nodes.items) {
      for (const auto* list : {&node.internal_addresses, &node.external_addresses}) {
        for (const IpAddress& address : *list) nodes_.try_emplace(address, &node);
      }
      by_name_[node.name] = &node;
    }
    // The mesh may know addresses of a node that Kubernetes does not list.
    if (const auto* control = fleet.headscale()) {
      for (const auto& peer : control->nodes) {
        const auto named = by_name_.contains(peer.given_name) ? by_name_.find(peer.given_name)
                                                              : by_name_.find(peer.host_name);
        if (named == by_name_.end()) continue;
        for (const IpAddress& address : peer.addresses) nodes_.try_emplace(address, named->second);
      }
    }
    find_daemon_sets();
    for (const Service* service : services_) {
      for (const std::string& text : service->load_balancer_addresses) add_balanced(text);
      for (const std::string& text : service->external_ips) add_balanced(text);
    }
  }

  [[nodiscard]] Entry judge(const IpAddress& address) const {
    Entry entry{.address = address};
    const auto found = nodes_.find(address);
    const Node* node = found == nodes_.end() ? nullptr : found->second;
    if (node != nullptr) entry.node = node->name;
    entry.public_address = fleet_.networks.of(address).kind == NetworkKind::public_internet &&
                           !fleet_.networks.of(address).configured;
    if (!services_.empty()) entry.service = services_.front()->name;
    if (balanced_.contains(address) || (node != nullptr && covers(*node))) {
      // A node that is down keeps its address in the Service's status for a while.
      if (node != nullptr && node->ready != std::optional(true))
        return uncovered(entry, "node_not_ready");
      entry.status = Entry::Status::covered;
      return entry;
    }
    if (node == nullptr && services_.empty()) return unknown(entry, no_balancer);
    if (node == nullptr) {
      // The mesh may know it as an address of a node.
      const bool mesh_unknown = !fleet_.config.headscale.empty() && fleet_.headscale() == nullptr;
      return mesh_unknown
                 ? unknown(entry, "no node of the cluster has it, and Headscale cannot be read")
                 : uncovered(entry, "not_a_node");
    }
    if (node->ready != std::optional(true)) return uncovered(entry, "node_not_ready");
    if (services_.empty()) return unknown(entry, no_balancer);
    if (has_balancer_pod(*node)) return uncovered(entry, "pod_not_ready");
    if (!cluster_.daemon_sets.known() && !cluster_.pods.known()) {
      return unknown(entry, "neither the load balancer's pods nor its DaemonSet can be read");
    }
    if (const auto taint = intolerable(*node)) {
      entry.taint = *taint;
      return uncovered(entry, "taint_not_tolerated");
    }
    if (!cluster_.pods.known()) return unknown(entry, "the load balancer's pods cannot be read");
    return uncovered(entry, "no_pod");
  }

 private:
  void add_balanced(const std::string& text) {
    if (const auto address = IpAddress::parse(text)) balanced_.insert(*address);
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

  [[nodiscard]] bool is_balancer(const Pod& pod) const {
    // What was evicted or ended stays listed with its node for a while.
    if (pod.phase == "Failed" || pod.phase == "Succeeded") return false;
    if (std::any_of(services_.begin(), services_.end(),
                    [&](const Service* s) { return labelled_for(pod.labels, *s); }))
      return true;
    return pod.owner_kind == "DaemonSet" &&
           std::any_of(daemon_sets_.begin(), daemon_sets_.end(), [&](const Workload* daemon_set) {
             return pod.owner_name == daemon_set->name.name &&
                    pod.name.namespace_name == daemon_set->name.namespace_name;
           });
  }

  // A pod of the ingress controller that itself takes the node's web port.
  static bool takes_web_port(const Pod& pod) {
    return is_traefik_pod(pod) && std::any_of(pod.host_ports.begin(), pod.host_ports.end(),
                                              [](int port) { return port == 80 || port == 443; });
  }

  // Another address of the node may be the one in the Service's status.
  [[nodiscard]] bool covers(const Node& node) const {
    for (const auto* list : {&node.internal_addresses, &node.external_addresses}) {
      for (const IpAddress& address : *list) {
        if (balanced_.contains(address)) return true;
      }
    }
    return std::any_of(cluster_.pods.items.begin(), cluster_.pods.items.end(), [&](const Pod& pod) {
      return pod.node_name == node.name && pod.ready && (is_balancer(pod) || takes_web_port(pod));
    });
  }

  [[nodiscard]] bool has_balancer_pod(const Node& node) const {
    return std::any_of(cluster_.pods.items.begin(), cluster_.pods.items.end(), [&](const Pod& pod) {
      return pod.node_name == node.name && is_balancer(pod);
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
        const bool labelled = labelled_for(candidate.labels, *service) ||
                              labelled_for(candidate.template_labels, *service);
        const bool says_service = candidate.labels.contains(service_label) ||
                                  candidate.template_labels.contains(service_label);
        if (labelled || (named && !says_service)) {
          daemon_sets_.push_back(&candidate);
          break;
        }
      }
    }
  }

  // The first taint that keeps the load balancer's pods off the node.
  [[nodiscard]] std::optional<Taint> intolerable(const Node& node) const {
    if (daemon_sets_.empty()) {
      // Known not to be there: no pod comes, whatever the taints are.
      return cluster_.daemon_sets.known() ? std::nullopt
                                          : not_tolerated(node, built_in_tolerations());
    }
    std::optional<Taint> first;
    for (const Workload* daemon_set : daemon_sets_) {
      const auto taint = not_tolerated(node, daemon_set->tolerations);
      if (!taint) return std::nullopt;
      if (!first) first = taint;
    }
    return first;
  }

  static std::optional<Taint> not_tolerated(const Node& node,
                                            const std::vector<Toleration>& tolerations) {
    for (const Taint& taint : node.taints) {
      if (taint.effect == "PreferNoSchedule" || tolerated_by_every_daemon(taint)) continue;
      const bool tolerated =
          std::any_of(tolerations.begin(), tolerations.end(),
                      [&](const Toleration& toleration) { return tolerates(toleration, taint); });
      if (!tolerated) return taint;
    }
    return std::nullopt;
  }

  const Fleet& fleet_;
  const kubernetes::State& cluster_;
  std::vector<const Service*> services_;
  std::vector<const Workload*> daemon_sets_;
  std::map<IpAddress, const Node*> nodes_;
  std::map<std::string, const Node*> by_name_;
  std::set<IpAddress> balanced_;
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
  const Judge judge(fleet);
  for (const IpAddress& address : addresses) entries.push_back(judge.judge(address));
  return entries;
}

}  // namespace shortcircuit
