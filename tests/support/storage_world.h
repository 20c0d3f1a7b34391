// A small healthy LINSTOR that a test puts together, to run one check of the storage on it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "checks/check.h"
#include "support/pasteable.h"

namespace shortcircuit::testing {

inline const Time storage_time = *parse_rfc3339("2026-01-01T00:00:00Z");

inline NetworkSettings network(const std::string& name, const std::string& cidr, NetworkKind kind,
                               const std::string& site = "", bool retired = false) {
  return {.name = name,
          .cidrs = {*Prefix::parse(cidr)},
          .kind = kind,
          .site = site,
          .retired = retired};
}

// Two nodes in the site `hall`, one in `shed`; a resource on the first two, all fine, over the LAN.
struct Storage {
  Config config;
  Snapshot snapshot;
  std::shared_ptr<linstor::State> state = std::make_shared<linstor::State>();

  Storage() {
    config.networks = {network("hall-lan", "10.1.0.0/24", NetworkKind::lan, "hall"),
                       network("shed-lan", "fd01::/64", NetworkKind::lan, "shed"),
                       network("old", "10.9.0.0/16", NetworkKind::overlay, "", true),
                       network("wire", "10.8.0.0/16", NetworkKind::overlay)};
    add_node("n1", "10.1.0.1");
    add_node("n2", "10.1.0.2");
    add_node("n3", "fd01::3");
    state->resources.emplace();
    state->storage_pools.emplace();
    state->definitions.emplace();
    state->groups.emplace();
    state->node_connections.emplace();
    state->resource_connections.emplace();
    add_replica("r", "n1");
    add_replica("r", "n2");
    Observed<linstor::State> observed;
    observed.health.up = true;
    observed.state = state;
    observed.observed_at = storage_time;
    snapshot.linstor.push_back(observed);
    snapshot.time = storage_time;
  }
  void add_node(const std::string& name, const std::string& lan) {
    state->nodes.push_back({.name = name,
                            .type = "SATELLITE",
                            .connection_status = "ONLINE",
                            .preferred_nic = "lan",
                            .interfaces = {{"default", "10.8.0." + name.substr(1)},
                                           {"lan", lan},
                                           {"old", "10.9.0." + name.substr(1)}}});
  }
  void add_replica(const std::string& resource, const std::string& node,
                   std::vector<std::string> flags = {}) {
    linstor::Resource made;
    made.name = resource;
    made.node = node;
    made.is_drbd = true;
    made.has_state = true;
    made.flags = std::move(flags);
    made.volumes.push_back({.number = 0,
                            .storage_pool = "pool",
                            .disk_state = made.diskless() ? "Diskless" : "UpToDate"});
    for (auto& other : *state->resources) {
      if (other.name != resource || (other.diskless() && made.diskless())) continue;
      other.connections[node] = {true, "Connected"};
      made.connections[other.node] = {true, "Connected"};
    }
    state->resources->push_back(std::move(made));
  }
  linstor::Resource& replica(std::size_t index) { return state->resources->at(index); }
  linstor::Node& node(std::size_t index) { return state->nodes.at(index); }
  // A copy of the present, so long ago.
  linstor::State& earlier(Duration ago) {
    auto copy = std::make_shared<linstor::State>(*state);
    snapshot.linstor[0].earlier.push_back({storage_time - ago, copy});
    return *copy;
  }
  Verdict judge(const CheckDefinition& check) {
    const Fleet fleet(config, snapshot);
    return with_pasteable_cures(check.judge(fleet));
  }
  // Of the first finding.
  std::string cure(const CheckDefinition& check) { return judge(check).findings.at(0).cure; }
  std::string words(const CheckDefinition& check) {
    const Verdict verdict = judge(check);
    if (!verdict.applicable) return "off";
    std::string text;
    for (const auto& finding : verdict.findings)
      text += (text.empty() ? "" : ", ") + finding.reason + " " + finding.object;
    if (text.empty()) text = verdict.unknown.empty() ? "fine" : "unknown";
    return text;
  }
};

}  // namespace shortcircuit::testing
