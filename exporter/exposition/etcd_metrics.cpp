#include "exposition/etcd_metrics.h"

#include <array>
#include <set>

#include "base/time.h"
#include "fleet/etcd_cluster.h"

namespace shortcircuit {
namespace {

enum Index {
  members,
  quorum_margin,
  round_trip,
  budget_ratio,
  election_timeout,
  heartbeat_interval
};

const std::array<MetricDefinition, 6> definitions{{
    {"shortcircuit_etcd_members",
     MetricKind::gauge,
     "Voting members, as the members list them; as configured where none does.",
     {}},
    {"shortcircuit_etcd_quorum_margin",
     MetricKind::gauge,
     "How many more voting members may fail before the quorum is lost; negative when it is. Absent "
     "while a member is unknown.",
     {}},
    {"shortcircuit_etcd_peer_round_trip_seconds",
     MetricKind::gauge,
     "Mean round trip from the member to its peer over the last ten minutes; since the member's "
     "start until then.",
     {"member", "peer"}},
    {"shortcircuit_etcd_round_trip_budget_ratio",
     MetricKind::gauge,
     "Share of the round trip budget (a tenth of the election timeout) that the mean round trip "
     "uses; over 1 is too slow.",
     {"member", "peer"}},
    {"shortcircuit_etcd_election_timeout_seconds",
     MetricKind::gauge,
     "Election timeout, as configured here.",
     {}},
    {"shortcircuit_etcd_heartbeat_interval_seconds",
     MetricKind::gauge,
     "Heartbeat interval, as configured here.",
     {}},
}};

}  // namespace

void describe_etcd(const Fleet& fleet, MetricSet& metrics) {
  if (fleet.config.etcd.empty()) return;
  // etcd's documentation on tuning: the election timeout should be ten round trips or more.
  constexpr double round_trips_in_an_election = 10;
  const EtcdTimings& timings = fleet.config.etcd_timings;
  if (timings.election_timeout)
    metrics.add(definitions[election_timeout], seconds(*timings.election_timeout));
  if (timings.heartbeat_interval)
    metrics.add(definitions[heartbeat_interval], seconds(*timings.heartbeat_interval));
  const EtcdCluster cluster = etcd_cluster_of(fleet.snapshot);
  if (cluster.any_answers()) metrics.add(definitions[members], static_cast<double>(cluster.voters));
  if (cluster.margin) metrics.add(definitions[quorum_margin], *cluster.margin);
  std::set<std::pair<std::string, std::string>> seen;  // two listed members may have one name
  for (const EtcdRoundTrip& trip : cluster.round_trips) {
    if (!seen.emplace(trip.from, trip.to).second) continue;
    metrics.add(definitions[round_trip], {trip.from, trip.to}, trip.mean_seconds);
    if (timings.election_timeout) {
      metrics.add(
          definitions[budget_ratio], {trip.from, trip.to},
          trip.mean_seconds * round_trips_in_an_election / seconds(*timings.election_timeout));
    }
  }
}

std::span<const MetricDefinition> etcd_metric_definitions() { return definitions; }

}  // namespace shortcircuit
