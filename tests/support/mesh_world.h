// A small fleet that a test puts together from values, to run one check of the mesh on it.
#pragma once

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "checks/check.h"
#include "support/pasteable.h"
#include "support/snapshots.h"

namespace shortcircuit::testing {

inline const Time now_time = *parse_rfc3339("2030-01-01T12:00:00Z");

inline tailscale::Peer peer(const std::string& name, const std::string& address,
                            const std::string& endpoint) {
  return {.name = name,
          .addresses = {ip(address)},
          .online = true,
          .active = true,
          .current_endpoint = endpoint,
          .derp_region = "par"};
}

inline tailscale::State running(const std::string& address, std::vector<tailscale::Peer> peers) {
  tailscale::State state;
  state.backend_state = "Running";
  state.self_online = true;
  state.self_addresses = {ip(address)};
  state.peers = std::move(peers);
  std::sort(state.peers.begin(), state.peers.end(),
            [](const auto& a, const auto& b) { return a.name < b.name; });
  return state;
}

// A fleet that a test puts together; `judge` runs one check on it.
struct MeshWorld {
  Config config;
  Snapshot snapshot;

  MeshWorld() {
    snapshot.time = now_time;
    config.networks = {
        {.name = "wire", .cidrs = {*Prefix::parse("10.9.0.0/16")}, .kind = NetworkKind::overlay},
        {.name = "old",
         .cidrs = {*Prefix::parse("10.8.0.0/16")},
         .kind = NetworkKind::overlay,
         .retired = true},
        {.name = "lan", .cidrs = {*Prefix::parse("192.168.0.0/16")}, .kind = NetworkKind::lan}};
  }

  Observed<tailscale::State>& view(const std::string& name, std::optional<tailscale::State> state) {
    config.tailscale.push_back({CommonConfig{.target = name}, "", false});
    Observed<tailscale::State> seen{.target = name};
    seen.health.interval = 15s;
    seen.observed_at = now_time;
    if (state) {
      seen.state = std::make_shared<const tailscale::State>(*state);
    } else {
      seen.health.last_error = Error{Failure::connect, "refused"};
    }
    snapshot.tailscale.push_back(std::move(seen));
    return snapshot.tailscale.back();
  }

  void control(std::optional<headscale::State> state,
               const std::string& url = "https://hs.example.org") {
    headscale::Config settings;
    settings.endpoint.url = url;
    config.headscale.push_back(settings);
    Observed<headscale::State> seen;
    if (state) {
      seen.state = std::make_shared<const headscale::State>(*state);
    } else {
      seen.health.last_error = Error{Failure::auth, "no"};
    }
    snapshot.headscale.push_back(std::move(seen));
  }

  void cluster(std::vector<kubernetes::Node> nodes) {
    config.kubernetes.emplace_back();
    kubernetes::State state;
    state.nodes.status = kubernetes::Listed<kubernetes::Node>::Status::listed;
    for (kubernetes::Node& node : nodes) state.nodes.items.push_back(std::move(node));
    Observed<kubernetes::State> seen;
    seen.state = std::make_shared<const kubernetes::State>(std::move(state));
    snapshot.kubernetes.push_back(std::move(seen));
  }

  [[nodiscard]] Verdict judge(const CheckDefinition& check) const {
    return with_pasteable_cures(check.judge(Fleet(config, snapshot)));
  }
  // `reason object` of every finding, in the check's order.
  [[nodiscard]] std::vector<std::string> findings(const CheckDefinition& check) const {
    std::vector<std::string> texts;
    for (const Finding& finding : judge(check).findings)
      texts.push_back(finding.reason + " " + finding.object);
    return texts;
  }
};

using Texts = std::vector<std::string>;

inline headscale::Node node(const std::string& name, const std::string& address, bool online) {
  return {.id = name, .given_name = name, .addresses = {ip(address)}, .online = online};
}

}  // namespace shortcircuit::testing
