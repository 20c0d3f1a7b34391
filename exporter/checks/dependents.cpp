#include "checks/dependents.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/text.h"
#include "checks/asked_addresses.h"
#include "checks/cure.h"
#include "fleet/replication.h"

namespace shortcircuit {
namespace {

class Lister {
 public:
  Lister(const Fleet& fleet, Judgement& judgement) : fleet_(fleet), judgement_(judgement) {}

  void add(std::string_view dependency, std::string kind, std::string object,
           const IpAddress& address, std::string breaks, std::string cure) {
    judgement_.dependents.push_back({.network = fleet_.networks.of(address).name,
                                     .dependency = std::string(dependency),
                                     .kind = std::move(kind),
                                     .object = std::move(object),
                                     .address = address.text(),
                                     .breaks = std::move(breaks),
                                     .cure = std::move(cure)});
  }

  // Addresses that somebody keeps by hand; what a controller keeps from a selector follows its
  // pods.
  void endpoints() {
    for (const auto& [name, service] : fleet_.endpoints.all()) {
      if (service.service->type == "ExternalName") {
        if (const auto address = IpAddress::parse(service.service->external_name)) {
          add("endpoint", "Service", name.text(), *address, "the Service leads nowhere",
              fmt::format("kubectl -n {} edit service {}", name.namespace_name, name.name));
        }
        continue;
      }
      if (!service.hand_kept()) continue;
      const bool api_server = name.namespace_name == "default" && name.name == "kubernetes";
      std::set<IpAddress> seen;
      for (const auto* slice : service.slices) {
        for (const auto& endpoint : slice->endpoints) {
          if (endpoint.target_kind == "Pod") continue;  // a controller's
          for (const std::string& text : endpoint.addresses) {
            const auto address = IpAddress::parse(text);
            if (!address || !seen.insert(*address).second) continue;
            if (api_server) {  // keeps its own addresses there
              add("endpoint", "Service", name.text(), *address,
                  "no pod reaches the Kubernetes API by this server any more",
                  "# on the server that has this address: advertise-address in "
                  "/etc/rancher/k3s/config.yaml, then restart k3s");
            } else {
              add("endpoint", "Service", name.text(), *address,
                  "requests to this Service meet a dead address", service.edit_command());
            }
          }
        }
      }
    }
  }

  void asked() {
    for (AskedAddress& asked : asked_addresses(fleet_)) {
      add("endpoint", std::move(asked.kind), std::move(asked.object), asked.address,
          std::move(asked.breaks), std::move(asked.cure));
    }
  }

  void proxies(const kubernetes::State& cluster) {
    for (const auto* list :
         {&cluster.deployments, &cluster.stateful_sets, &cluster.daemon_sets, &cluster.cron_jobs}) {
      for (const auto& workload : list->items) {
        for (const auto& proxy : workload.proxies) add_proxy(workload.kind, workload.name, proxy);
      }
    }
    for (const auto& config_map : cluster.config_maps.items) {
      for (const auto& proxy : config_map.proxies) add_proxy("ConfigMap", config_map.name, proxy);
    }
  }

  void probe_proxies() {
    for (const probes::Config& probe : fleet_.config.probes) {
      const auto url = parse_url(probe.proxy);
      const auto address = url ? url->address() : std::nullopt;
      if (address) {
        add("proxy", "Probe", probe.target, *address, "the probe cannot ask any more",
            fmt::format("# probes: {}: proxy in the exporter's configuration", probe.target));
      }
    }
  }

  void add_proxy(const std::string& kind, const kubernetes::ObjectName& name,
                 const kubernetes::ProxySetting& proxy) {
    const auto url = parse_url(proxy.url);
    const auto address = url ? url->address() : std::nullopt;
    if (!address) return;
    // The same address in two keys of one object is one thing to move.
    if (!seen_.insert(fmt::format("{} {} {}", kind, name.text(), address->text())).second) return;
    add("proxy", kind, name.text(), *address,
        fmt::format("its requests through {} fail", proxy.url),
        fmt::format("kubectl -n {} edit {} {}   # {}", name.namespace_name, kind, name.name,
                    proxy.where));
  }

  static std::string node_option(const std::string& node, std::string_view option) {
    return fmt::format("{}   # set {} to its new address, then restart k3s there",
                       on_node(node, fmt::format("grep {} /etc/rancher/k3s/config.yaml", option)),
                       option);
  }

  void nodes(const kubernetes::State& cluster) {
    for (const auto& node : cluster.nodes.items) {
      for (const IpAddress& address : node.internal_addresses) {
        add("node_address", "Node", node.name, address,
            "the kubelet and everything on the node are unreachable",
            node_option(node.name, "node-ip"));
      }
      for (const IpAddress& address : node.external_addresses) {
        add("node_address", "Node", node.name, address,
            "what reaches the node from outside by this address does not any more",
            node_option(node.name, "node-external-ip"));
      }
      for (const auto& [annotation, value] : node.flannel_addresses) {
        if (const auto address = IpAddress::parse(value)) {
          add("flannel", "Node", node.name, *address,
              "pods on other nodes cannot reach pods on this one",
              fmt::format("kubectl edit node {}   # metadata.annotations {}: its new address; then "
                          "restart k3s on it",
                          node.name, annotation));
        }
      }
    }
  }

  void tailscale_paths() {
    for (const auto& observed : fleet_.snapshot.tailscale) {
      if (!observed.state) continue;
      for (const auto& peer : observed.state->peers) {
        if (const auto address = peer.underlay_address()) {
          add("tailscale_path", "Path", fmt::format("{} → {}", observed.target, peer.name),
              *address, "the path falls back to another way, perhaps to a relay",
              "# let the mesh find a path outside of it: open its UDP port (41641) between the "
              "sites, and keep the "
              "overlay's interface out of its candidates");
        }
      }
    }
  }

  // The controller's own connections, which are not those of DRBD.
  void satellites(const linstor::State& storage) {
    for (const auto& node : storage.nodes) {
      for (const auto& interface : node.interfaces) {
        const auto address = IpAddress::parse(interface.address);
        if (!interface.active || !address) continue;
        add("replication", "StorageNode", node.name, *address,
            "the controller loses its satellite: it goes OFFLINE and is evicted after an hour",
            fmt::format("linstor node interface list {0}   # then, with an address that the "
                        "controller reaches: linstor node interface create {0} NAME NEW-ADDRESS; "
                        "linstor node interface modify {0} NAME --active",
                        shell_word(node.name)));
      }
    }
  }

  void replication() {
    const auto* storage = state_of(fleet_.snapshot.linstor);
    if (storage == nullptr) return;
    satellites(*storage);
    const Replication replication = replication_of(*storage);
    if (replication.unknown.empty()) judgement_.dependencies_known.insert("replication");
    for (const std::string& unknown : replication.unknown)
      judgement_.dependents_unknown.push_back("LINSTOR " + unknown);
    // Resources of one pair over one address are one thing to move.
    std::set<std::string> seen;
    for (const ReplicationPair& pair : replication.pairs) {
      for (const ReplicationPath& path : pair.paths) {
        for (const ReplicationEnd* end : {&path.a, &path.b}) {
          const auto address = end->ip();
          if (!address ||
              !seen.insert(pair.node_a + " " + pair.node_b + " " + address->text()).second)
            continue;
          add("replication", "ReplicationPath", fmt::format("{} → {}", pair.node_a, pair.node_b),
              *address, "replicas on these nodes lose each other",
              fmt::format(
                  "linstor node interface list {0}   # then: linstor node interface create {0} "
                  "NAME NEW-ADDRESS; linstor node-connection path create {1} {2} PATH INTERFACE "
                  "INTERFACE, which moves this pair alone",
                  shell_word(end->node), shell_word(pair.node_a), shell_word(pair.node_b)));
        }
      }
    }
  }

  void etcd_peers() {
    std::set<std::string> seen;
    bool any_read = false;
    bool any_list = false;  // one is enough: every member lists all of them
    bool any_name = false;
    for (const auto& observed : fleet_.snapshot.etcd) {
      if (!observed.state) continue;
      any_read = true;
      if (!observed.state->members) continue;
      any_list = true;
      for (const auto& member : *observed.state->members) {
        for (const std::string& peer_url : member.peer_urls) {
          const auto url = parse_url(peer_url);
          const auto address = url ? url->address() : std::nullopt;
          if (!seen.insert(member.name + peer_url).second) continue;
          if (!address) {
            any_name = true;
            judgement_.dependents_unknown.push_back(
                fmt::format("where the peer URL of etcd member {} leads", member.name));
          } else {
            add("etcd_peer", "EtcdMember", member.name, *address,
                "the member loses its peers: the quorum shrinks",
                fmt::format("etcdctl member list -w table   # then, one member at a time: etcdctl "
                            "member update {:x} --peer-urls=NEW-URL",
                            member.id));
          }
        }
      }
    }
    if (any_list && !any_name) judgement_.dependencies_known.insert("etcd_peer");
    if (any_read && !any_list) {
      judgement_.dependents_unknown.emplace_back("etcd's peer URLs: no member gives its list");
    }
  }

  void entries() {
    for (const IpAddress& address : fleet_.config.expect.entry_addresses) {
      add("entry", "Address", address.text(), address, "public names that point here are dead",
          "# change the DNS records, then expect.entry_addresses");
    }
    const auto* names = state_of(fleet_.snapshot.dns);
    if (names == nullptr) return;
    for (const auto& [host, answer] : names->hosts) {
      if (!answer) continue;
      for (const IpAddress& address : answer->addresses) {
        add("entry", "Host", host, address, "the public name is dead", "# change its DNS record");
      }
    }
  }

  template <class State>
  void unknown_of(std::string_view source, const std::vector<Observed<State>>& targets) {
    for (const auto& observed : targets) {
      if (observed.state) continue;
      judgement_.dependents_unknown.push_back(observed.target.empty()
                                                  ? std::string(source)
                                                  : fmt::format("{} {}", source, observed.target));
    }
  }

 private:
  const Fleet& fleet_;
  Judgement& judgement_;
  std::set<std::string> seen_;
};

// There is a source that knows, and every target of it was read.
template <class State>
bool all_known(const std::vector<Observed<State>>& targets) {
  return !targets.empty() && std::all_of(targets.begin(), targets.end(), [](const auto& target) {
    return target.state != nullptr;
  });
}

// A host that DNS was asked for in vain may point anywhere.
bool all_names_known(const Snapshot& snapshot) {
  return all_known(snapshot.dns) &&
         std::ranges::all_of(snapshot.dns, [](const Observed<dns::State>& target) {
           return std::ranges::all_of(target.state->hosts,
                                      [](const auto& host) { return host.second.has_value(); });
         });
}

std::set<std::string, std::less<>> known_dependencies(const Fleet& fleet) {
  std::set<std::string, std::less<>> known;
  if (const auto* cluster = fleet.cluster()) {
    if (fleet.endpoints.known() && cluster->endpoint_slices.known() &&
        cluster->middlewares.known() && cluster->validating_webhooks.known() &&
        cluster->mutating_webhooks.known() &&
        (fleet.config.traefik.empty() || fleet.traefik() != nullptr)) {
      known.insert("endpoint");
    }
    if (cluster->deployments.known() && cluster->stateful_sets.known() &&
        cluster->daemon_sets.known() && cluster->cron_jobs.known() &&
        cluster->config_maps.known()) {
      known.insert("proxy");
    }
    if (cluster->nodes.known()) known.insert({"flannel", "node_address"});
  }
  const auto& snapshot = fleet.snapshot;
  if (all_known(snapshot.tailscale)) known.insert("tailscale_path");
  if (fleet.config.dns.empty() ? !fleet.config.expect.entry_addresses.empty()
                               : all_names_known(snapshot)) {
    known.insert("entry");
  }
  return known;
}

}  // namespace

void list_dependents(const Fleet& fleet, Judgement& judgement) {
  Lister lister(fleet, judgement);
  lister.endpoints();
  lister.asked();
  lister.probe_proxies();
  if (const auto* cluster = fleet.cluster()) {
    lister.proxies(*cluster);
    lister.nodes(*cluster);
    for (const auto& [kind, error] : cluster->blind) {
      judgement.dependents_unknown.push_back("Kubernetes " + kind);
    }
    if (!cluster->config_maps.known() && !cluster->blind.contains("configmaps")) {
      judgement.dependents_unknown.emplace_back("Kubernetes configmaps (switched off)");
    }
  }
  lister.tailscale_paths();
  lister.replication();
  lister.etcd_peers();
  lister.entries();
  judgement.dependencies_known.merge(known_dependencies(fleet));
  lister.unknown_of("Kubernetes", fleet.snapshot.kubernetes);
  lister.unknown_of("Traefik", fleet.snapshot.traefik);
  lister.unknown_of("tailscale", fleet.snapshot.tailscale);
  lister.unknown_of("etcd", fleet.snapshot.etcd);
  lister.unknown_of("LINSTOR", fleet.snapshot.linstor);
  lister.unknown_of("DNS", fleet.snapshot.dns);
}

}  // namespace shortcircuit
