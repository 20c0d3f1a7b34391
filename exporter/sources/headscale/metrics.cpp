#include <array>

#include "sources/headscale/source.h"

namespace shortcircuit::headscale {
namespace {

enum Metric : std::size_t { node_online, node_last_seen, node_expiry, nodes, api_key_expiry };

const std::array<MetricDefinition, 5> definitions{{
    {"shortcircuit_headscale_node_online",
     MetricKind::gauge,
     "1 when the control server says that the node is connected to it, else 0.",
     {"peer"}},
    {"shortcircuit_headscale_node_last_seen_timestamp_seconds",
     MetricKind::gauge,
     "When the node last connected or disconnected; not updated while it stays online.",
     {"peer"}},
    {"shortcircuit_headscale_node_expiry_timestamp_seconds",
     MetricKind::gauge,
     "When the node's key expires; absent when never.",
     {"peer"}},
    {"shortcircuit_headscale_nodes",
     MetricKind::gauge,
     "Nodes by state: expired (whatever else they are), online, offline.",
     {"state"}},
    {"shortcircuit_headscale_api_key_expiry_timestamp_seconds",
     MetricKind::gauge,
     "When the API key expires, by its public prefix.",
     {"prefix"}},
}};

void describe_state(const State& state, Time now, MetricSet& metrics) {
  double online = 0;
  double offline = 0;
  double expired = 0;
  for (const Node& node : state.nodes) {
    if (node.online_known)
      metrics.add(definitions[node_online], {node.given_name}, node.online ? 1 : 0);
    if (node.last_seen) {
      metrics.add(definitions[node_last_seen], {node.given_name}, unix_seconds(*node.last_seen));
    }
    if (node.expiry) {
      metrics.add(definitions[node_expiry], {node.given_name}, unix_seconds(*node.expiry));
    }
    if (node.expiry && *node.expiry <= now) {
      ++expired;
    } else if (node.online_known) {
      ++(node.online ? online : offline);
    }
  }
  metrics.add(definitions[nodes], {"online"}, online);
  metrics.add(definitions[nodes], {"offline"}, offline);
  metrics.add(definitions[nodes], {"expired"}, expired);
  for (const ApiKey& key : state.api_keys) {
    if (key.expiration) {
      metrics.add(definitions[api_key_expiry], {key.prefix}, unix_seconds(*key.expiration));
    }
  }
}

}  // namespace

void describe(const std::vector<Observed<State>>& targets, MetricSet& metrics) {
  // One control server: names of nodes are unique within it only.
  if (!targets.empty() && targets.front().state) {
    describe_state(*targets.front().state, targets.front().observed_at, metrics);
  }
}

std::span<const MetricDefinition> metric_definitions() { return definitions; }

}  // namespace shortcircuit::headscale
