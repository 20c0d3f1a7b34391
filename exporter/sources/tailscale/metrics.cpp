#include <algorithm>

#include "sources/tailscale/source.h"

namespace shortcircuit::tailscale {
namespace {

enum Metric : std::size_t {
  direct_path_ratio,
  peers,
  peer_path,
  peer_transmit,
  peer_receive,
  path_bytes,
  running,
  key_expiry,
  path_mtu,
};

const std::array<MetricDefinition, 9> definitions{{
    {"shortcircuit_tailscale_direct_path_ratio",
     MetricKind::gauge,
     "Share of active peers reached directly, 0 to 1; absent with no active peer.",
     {"from"}},
    {"shortcircuit_tailscale_peers",
     MetricKind::gauge,
     "Peers by the class of the path to them.",
     {"from", "path"}},
    {"shortcircuit_tailscale_peer_path",
     MetricKind::gauge,
     "1 for the class of the path that is in use, 0 for the others.",
     {"from", "peer", "path"}},
    {"shortcircuit_tailscale_peer_transmit_bytes_total",
     MetricKind::counter,
     "Bytes sent to the peer.",
     {"from", "peer"}},
    {"shortcircuit_tailscale_peer_receive_bytes_total",
     MetricKind::counter,
     "Bytes received from the peer.",
     {"from", "peer"}},
    {"shortcircuit_tailscale_path_bytes_total",
     MetricKind::counter,
     "Bytes of all peers by direction (in, out) and path, as tailscaled counts them.",
     {"from", "direction", "path"}},
    {"shortcircuit_tailscale_running",
     MetricKind::gauge,
     "1 when tailscaled's backend state is Running, else 0.",
     {"from"}},
    {"shortcircuit_tailscale_key_expiry_timestamp_seconds",
     MetricKind::gauge,
     "When the node's own key expires; absent when never.",
     {"from"}},
    {"shortcircuit_path_mtu_bytes",
     MetricKind::gauge,
     "Largest packet that passed from `from` to `peer` without fragments; where full tunnel "
     "packets "
     "pass it is their size, a lower bound.",
     {"from", "peer"}},
}};

void describe_peers(const std::string& from, const State& state, MetricSet& metrics) {
  std::array<std::size_t, path_class_names.size()> counts{};
  for (const Peer& peer : state.peers) {
    const auto path = static_cast<std::size_t>(peer.path_class());
    ++counts[path];
    for (std::size_t i = 0; i < path_class_names.size(); ++i) {
      metrics.add(definitions[peer_path], {from, peer.name, std::string(path_class_names[i])},
                  i == path ? 1 : 0);
    }
    metrics.add(definitions[peer_transmit], {from, peer.name},
                static_cast<double>(peer.transmitted_bytes));
    metrics.add(definitions[peer_receive], {from, peer.name},
                static_cast<double>(peer.received_bytes));
  }
  for (std::size_t i = 0; i < counts.size(); ++i) {
    metrics.add(definitions[peers], {from, std::string(path_class_names[i])},
                static_cast<double>(counts[i]));
  }
  const auto count = [&](PathClass path) { return counts[static_cast<std::size_t>(path)]; };
  const std::size_t direct = count(PathClass::direct);
  const std::size_t active = direct + count(PathClass::derp) + count(PathClass::peer_relay);
  if (active > 0) {
    metrics.add(definitions[direct_path_ratio], {from},
                static_cast<double>(direct) / static_cast<double>(active));
  }
}

}  // namespace

void describe(const std::vector<Observed<State>>& targets, MetricSet& metrics) {
  for (const Observed<State>& target : targets) {
    if (!target.state) continue;
    const State& state = *target.state;
    const std::string& from = target.target;
    describe_peers(from, state, metrics);
    for (const auto& [key, bytes] : state.path_bytes) {
      metrics.add(definitions[path_bytes], {from, key.first, key.second}, bytes);
    }
    metrics.add(definitions[running], {from}, state.backend_state == "Running" ? 1 : 0);
    if (state.self_key_expiry) {
      metrics.add(definitions[key_expiry], {from}, unix_seconds(*state.self_key_expiry));
    }
    for (const PathMtu& path : state.path_mtus) {
      if (path.mtu_bytes) metrics.add(definitions[path_mtu], {from, path.peer}, *path.mtu_bytes);
    }
  }
}

std::span<const MetricDefinition> metric_definitions() { return definitions; }

}  // namespace shortcircuit::tailscale
