#include "checks/address_owners.h"

namespace shortcircuit {

using kubernetes::Node;

AddressOwners::AddressOwners(const Fleet& fleet) : fleet_(fleet) {
  for (const Node& node : fleet.cluster()->nodes.items) {
    for (const auto* list : {&node.internal_addresses, &node.external_addresses}) {
      for (const IpAddress& address : *list) {
        nodes_.try_emplace(address, &node);
        networks_of_nodes_.insert(fleet.networks.of(address).name);
      }
    }
    by_name_[node.name] = &node;
  }
  if (const auto* control = fleet.headscale()) add_peers(*control);
}

void AddressOwners::add_peers(const headscale::State& control) {
  const Mesh mesh(fleet_);
  for (const auto& peer : control.nodes) {
    for (const IpAddress& address : peer.addresses)
      own_tailnets_.insert(fleet_.networks.of(address).name);
    if (peer.away(fleet_.snapshot.time)) {
      add_away(peer, mesh);
      continue;
    }
    peers_.insert(peer.addresses.begin(), peer.addresses.end());
    const auto named = by_name_.contains(peer.given_name) ? by_name_.find(peer.given_name)
                                                          : by_name_.find(peer.host_name);
    if (named == by_name_.end()) continue;
    for (const IpAddress& address : peer.addresses) nodes_.try_emplace(address, named->second);
  }
}

// The address is still the node's where the peer's own finding says what is wrong; else, as with
// the old entry of a machine that registered anew, nobody's.
void AddressOwners::add_away(const headscale::Node& peer, const Mesh& mesh) {
  const Node* node =
      mesh.registered_anew(peer) ? nullptr : mesh.cluster_node(peer.given_name, peer.addresses);
  for (const IpAddress& address : peer.addresses) {
    away_[address] = peer.given_name;
    if (node != nullptr) nodes_.try_emplace(address, node);
  }
}

const Node* AddressOwners::node_of(const IpAddress& address) const {
  const auto found = nodes_.find(address);
  return found == nodes_.end() ? nullptr : found->second;
}

std::string AddressOwners::away(const IpAddress& address) const {
  const auto found = away_.find(address);
  return found == away_.end() ? "" : found->second;
}

bool AddressOwners::leads_nowhere(const IpAddress& address) const {
  const Network& network = fleet_.networks.of(address);
  if (network.retired) return true;
  switch (network.kind) {
    case NetworkKind::pods:
    case NetworkKind::services:
    case NetworkKind::loopback: return true;
    case NetworkKind::tailnet:
      // A peer may be a node by another name, unless Kubernetes uses the tailnet's addresses.
      return own_tailnets_.contains(network.name) &&
             (!peers_.contains(address) || networks_of_nodes_.contains(network.name));
    default: return false;
  }
}

}  // namespace shortcircuit
