// Entries of World::healthy(): the nodes on which public requests arrive.
#pragma once

#include "support/snapshots.h"

namespace shortcircuit::testing {

// The load balancer leaves the node.
inline void uncover(World& world, const std::string& node) {
  world.cluster->pods.items.erase_if([&](const auto& pod) { return pod.node_name == node; });
  auto& addresses = world.service("edge/traefik").load_balancer_addresses;
  for (const auto& item : world.cluster->nodes.items) {
    if (item.name == node) std::erase(addresses, item.internal_addresses.front().text());
  }
}

inline kubernetes::Node& alpha(World& world) { return world.cluster->nodes.items[0]; }

// Traefik takes ports of alpha itself, without a load balancer.
inline void traefik_takes(World& world, std::vector<int> ports) {
  world.cluster->pods.items.push_back({.name = {"edge", "traefik-x1"},
                                       .labels = {{"app.kubernetes.io/name", "traefik"}},
                                       .node_name = "alpha",
                                       .phase = "Running",
                                       .ready = true,
                                       .host_ports = std::move(ports)});
}

}  // namespace shortcircuit::testing
