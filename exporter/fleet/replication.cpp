#include "fleet/replication.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>
#include <set>

#include "base/text.h"

namespace shortcircuit {
namespace {

using linstor::ConnectionPath;
using linstor::NetInterface;
using linstor::Node;
using linstor::PairConnection;
using linstor::Resource;

using NodePair = std::pair<std::string, std::string>;

NodePair ordered(const std::string& one, const std::string& other) {
  return one < other ? NodePair{one, other} : NodePair{other, one};
}

const NetInterface* find_interface(const Node& node, const std::string& name) {
  // LINSTOR's names of interfaces are case-insensitive, like all its names.
  const auto found =
      std::find_if(node.interfaces.begin(), node.interfaces.end(),
                   [&](const auto& item) { return to_lower(item.name) == to_lower(name); });
  return found == node.interfaces.end() ? nullptr : &*found;
}

// Everything of a state that the rule looks up, by name.
class Rule {
 public:
  explicit Rule(const linstor::State& state) {
    for (const auto& node : state.nodes) nodes_[node.name] = &node;
    for (const auto& pool : *state.storage_pools)
      pools_[{pool.node, pool.name}] = pool.preferred_nic;
    for (const auto& group : *state.groups) groups_[group.name] = group.preferred_nic;
    for (const auto& definition : *state.definitions) definitions_[definition.name] = &definition;
    for (const auto& pair : *state.node_connections) {
      node_connections_[ordered(pair.node_a, pair.node_b)] = &pair;
    }
    for (const auto& pair : *state.resource_connections) {
      resource_connections_[{pair.resource, ordered(pair.node_a, pair.node_b)}] = &pair;
    }
  }

  [[nodiscard]] std::vector<ReplicationPath> paths(
      const Resource& one, const Resource& other,
      std::vector<MissingPathInterface>& missing) const {
    const NodePair nodes = ordered(one.node, other.node);
    const Resource& a = one.node == nodes.first ? one : other;
    const Resource& b = one.node == nodes.first ? other : one;
    const auto of_resource = resource_connections_.find({one.name, nodes});
    const auto of_nodes = node_connections_.find(nodes);
    std::vector<ReplicationPath> found;
    if (of_resource != resource_connections_.end()) {
      found = explicit_paths(*of_resource->second, a.node, b.node, one.name, missing);
    } else if (of_nodes != node_connections_.end()) {
      found = explicit_paths(*of_nodes->second, a.node, b.node, "", missing);
    }
    if (found.empty()) found.push_back({preferred_end(a), preferred_end(b)});
    return found;
  }

 private:
  [[nodiscard]] std::vector<ReplicationPath> explicit_paths(
      const PairConnection& connection, const std::string& a, const std::string& b,
      const std::string& resource, std::vector<MissingPathInterface>& missing) const {
    std::vector<ReplicationPath> found;
    for (const auto& path : connection.paths) {
      const auto end_a = path_end(path, a, b, resource, missing);
      const auto end_b = path_end(path, b, a, resource, missing);
      if (end_a && end_b) found.push_back({*end_a, *end_b});
    }
    return found;
  }

  [[nodiscard]] std::optional<ReplicationEnd> path_end(
      const ConnectionPath& path, const std::string& name, const std::string& peer,
      const std::string& resource, std::vector<MissingPathInterface>& missing) const {
    const auto wanted = path.interfaces.find(name);
    const auto node = nodes_.find(name);
    if (wanted == path.interfaces.end() || node == nodes_.end()) return std::nullopt;
    if (const auto* interface = find_interface(*node->second, wanted->second)) {
      return ReplicationEnd{name, interface->name, interface->address, ""};
    }
    missing.push_back(
        {name, wanted->second,
         resource.empty()
             ? fmt::format("path {} of the node connection with {}", path.name, peer)
             : fmt::format("path {} of the connection of {} with {}", path.name, resource, peer)});
    return std::nullopt;
  }

  [[nodiscard]] std::string preference(const Resource& replica) const {
    if (!replica.volumes.empty()) {
      const auto pool = pools_.find({replica.node, replica.volumes.front().storage_pool});
      if (pool != pools_.end() && !pool->second.empty()) return pool->second;
    }
    if (!replica.preferred_nic.empty()) return replica.preferred_nic;
    const auto definition = definitions_.find(replica.name);
    if (definition != definitions_.end()) {
      if (!definition->second->preferred_nic.empty()) return definition->second->preferred_nic;
      const auto group = groups_.find(definition->second->group);
      if (group != groups_.end() && !group->second.empty()) return group->second;
    }
    const auto node = nodes_.find(replica.node);
    return node == nodes_.end() ? "" : node->second->preferred_nic;
  }

  [[nodiscard]] ReplicationEnd preferred_end(const Resource& replica) const {
    ReplicationEnd end{
        .node = replica.node, .interface = "", .address = "", .missing_preference = ""};
    const auto node = nodes_.find(replica.node);
    if (node == nodes_.end()) return end;
    const std::string wanted = preference(replica);
    const NetInterface* interface =
        wanted.empty() ? nullptr : find_interface(*node->second, wanted);
    if (interface == nullptr) {
      end.missing_preference = wanted;
      interface = find_interface(*node->second, "default");
    }
    if (interface == nullptr && !node->second->interfaces.empty()) {
      interface = &node->second->interfaces.front();
    }
    if (interface != nullptr) {
      end.interface = interface->name;
      end.address = interface->address;
    }
    return end;
  }

  std::map<std::string, const Node*> nodes_;
  std::map<NodePair, std::string> pools_;
  std::map<std::string, std::string> groups_;
  std::map<std::string, const linstor::ResourceDefinition*> definitions_;
  std::map<NodePair, const PairConnection*> node_connections_;
  std::map<std::pair<std::string, NodePair>, const PairConnection*> resource_connections_;
};

std::vector<std::string> unread_parts(const linstor::State& state) {
  std::vector<std::string> unread;
  const auto want = [&](bool known, const char* name) {
    if (!known) unread.push_back(fmt::format("LINSTOR {}: not read", name));
  };
  want(state.resources.has_value(), "resources");
  want(state.storage_pools.has_value(), "storage pools");
  want(state.definitions.has_value(), "resource definitions");
  want(state.groups.has_value(), "resource groups");
  want(state.node_connections.has_value(), "node connections");
  want(state.resource_connections.has_value() || !state.definitions.has_value(),
       "resource connections");
  return unread;
}

bool in_tailnet_range(const IpAddress& address) {
  static const auto shared = Prefix::parse("100.64.0.0/10");
  static const auto tailscale_v6 = Prefix::parse("fd7a:115c:a1e0::/48");
  return shared->contains(address) || tailscale_v6->contains(address);
}

}  // namespace

const Node* find_node(const linstor::State& state, const std::string& name) {
  const auto found = std::find_if(state.nodes.begin(), state.nodes.end(),
                                  [&](const Node& node) { return node.name == name; });
  return found == state.nodes.end() ? nullptr : &*found;
}

Replication replication_of(const linstor::State& state) {
  Replication replication;
  replication.unknown = unread_parts(state);
  if (!replication.unknown.empty()) return replication;
  for (const auto& name : state.connections_unknown) {
    replication.unknown.push_back("LINSTOR connections of " + name + ": not read");
  }
  const Rule rule(state);
  std::map<std::string, std::vector<const Resource*>> replicas;
  for (const auto& resource : *state.resources) {
    if (resource.is_drbd && !resource.leaving()) replicas[resource.name].push_back(&resource);
  }
  const std::set<std::string> unreadable(state.connections_unknown.begin(),
                                         state.connections_unknown.end());
  for (auto& [name, list] : replicas) {
    if (unreadable.contains(name)) continue;
    std::sort(list.begin(), list.end(),
              [](const auto* x, const auto* y) { return x->node < y->node; });
    const auto again =  // an answer that lists a replica twice
        std::ranges::unique(list, {}, [](const auto* replica) { return replica->node; });
    list.erase(again.begin(), again.end());
    for (std::size_t i = 0; i < list.size(); ++i) {
      for (std::size_t j = i + 1; j < list.size(); ++j) {
        if (list[i]->diskless() && list[j]->diskless()) continue;
        replication.pairs.push_back(
            {name, list[i]->node, list[j]->node,
             rule.paths(*list[i], *list[j], replication.missing_path_interfaces)});
      }
    }
  }
  return replication;
}

bool is_tunnel(const IpAddress& address, const Network& network) {
  switch (network.kind) {
    case NetworkKind::overlay:
    case NetworkKind::tailnet:
    case NetworkKind::pods: return true;
    // Known only as some node's address, or as shared address space: a tailnet nobody named.
    case NetworkKind::node:
    case NetworkKind::cgnat: return in_tailnet_range(address);
    default: return !network.configured && in_tailnet_range(address);
  }
}

ReplicationRoute route_of(const ReplicationPair& pair, const Networks& networks) {
  ReplicationRoute route;
  bool every_path_in_tunnel = !pair.paths.empty();
  ReplicationRoute tunnel;
  for (const auto& path : pair.paths) {
    bool path_in_tunnel = false;
    for (const auto* end : {&path.a, &path.b}) {
      const auto address = end->ip();
      if (!address) continue;
      const Network& network = networks.of(*address);
      if (network.retired && !route.retired) {
        route = {true, false, network.name, end->address, end->node};
      }
      if (!network.retired && is_tunnel(*address, network)) {
        path_in_tunnel = true;
        if (tunnel.node.empty()) tunnel = {false, true, network.name, end->address, end->node};
      }
    }
    every_path_in_tunnel = every_path_in_tunnel && path_in_tunnel;
  }
  if (route.retired) return route;
  return every_path_in_tunnel ? tunnel : route;
}

bool same_site(const Node& one, const Node& other, const Networks& networks,
               const kubernetes::State* cluster) {
  using Sites = std::set<std::string>;
  const auto by_network = [&](const Node& node) {
    Sites sites;
    for (const auto& interface : node.interfaces) {
      const auto address = IpAddress::parse(interface.address);
      if (address) sites.insert(networks.of(*address).site);
    }
    sites.erase("");
    return sites;
  };
  const auto by_label = [&](const std::vector<std::string_view>& labels) {
    return [labels, cluster](const Node& node) {
      Sites sites;
      if (cluster == nullptr) return sites;
      for (const auto& item : cluster->nodes.items) {
        if (item.name != node.name) continue;
        for (const auto& [label, value] : item.labels) {
          if (std::find(labels.begin(), labels.end(), label) != labels.end()) sites.insert(value);
        }
      }
      sites.erase("");
      return sites;
    };
  };
  const auto by_property = [](std::string_view word) {  // Piraeus copies topology labels there
    return [word](const Node& node) {
      Sites sites;
      for (const auto& [name, value] : node.aux) {
        if (name == word || name.ends_with("/" + std::string(word))) sites.insert(value);
      }
      sites.erase("");
      return sites;
    };
  };
  const std::vector<std::function<Sites(const Node&)>> origins{
      by_network,
      by_label({"topology.kubernetes.io/zone", "failure-domain.beta.kubernetes.io/zone"}),
      by_label({"topology.kubernetes.io/region", "failure-domain.beta.kubernetes.io/region"}),
      by_property("zone"),
      by_property("site"),
  };
  for (const auto& origin : origins) {
    const Sites mine = origin(one);
    const Sites theirs = origin(other);
    if (mine.empty() || theirs.empty()) continue;
    return std::any_of(mine.begin(), mine.end(),
                       [&](const auto& site) { return theirs.contains(site); });
  }
  return false;
}

}  // namespace shortcircuit
