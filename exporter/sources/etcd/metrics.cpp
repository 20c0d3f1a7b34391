#include "sources/etcd/source.h"

// What one member says by itself. What needs several members (round trips by name, quorum) is in
// exposition/etcd_metrics.

namespace shortcircuit::etcd {
namespace {

const MetricDefinition definitions[] = {
    {"shortcircuit_etcd_member_up",
     MetricKind::gauge,
     "1 when the etcd member answered the last poll, 0 when it could not be reached. Absent when "
     "the exporter itself is at fault (credentials, certificates, an answer it cannot read).",
     {"member"}},
    {"shortcircuit_etcd_has_leader",
     MetricKind::gauge,
     "1 when the member knows a leader. Its health page wins over its own metrics.",
     {"member"}},
    {"shortcircuit_etcd_leader_changes_total",
     MetricKind::counter,
     "Leader changes that the member saw since it started.",
     {"member"}},
    {"shortcircuit_etcd_database_bytes",
     MetricKind::gauge,
     "Size of the member's database file, free pages included.",
     {"member"}},
    {"shortcircuit_etcd_database_quota_bytes",
     MetricKind::gauge,
     "Size at which the member raises NOSPACE and refuses writes.",
     {"member"}},
};
const auto& member_up = definitions[0];
const auto& has_leader = definitions[1];
const auto& leader_changes = definitions[2];
const auto& database_bytes = definitions[3];
const auto& database_quota = definitions[4];

bool out_of_reach(const TargetHealth& health) {
  if (!health.last_error) return false;
  const Failure failure = health.last_error->failure;
  return failure == Failure::connect || failure == Failure::timeout || failure == Failure::resolve;
}

}  // namespace

std::span<const MetricDefinition> metric_definitions() { return definitions; }

void describe(const std::vector<Observed<State>>& targets, MetricSet& metrics) {
  for (const auto& member : targets) {
    if (member.health.up) {
      metrics.add(member_up, {member.target}, 1);
    } else if (out_of_reach(member.health)) {
      metrics.add(member_up, {member.target}, 0);
    }
    if (!member.state) continue;
    const State& state = *member.state;
    if (state.has_leader) metrics.add(has_leader, {member.target}, *state.has_leader ? 1 : 0);
    if (state.leader_changes) metrics.add(leader_changes, {member.target}, *state.leader_changes);
    if (state.database_bytes) metrics.add(database_bytes, {member.target}, *state.database_bytes);
    if (state.database_quota_bytes) {
      metrics.add(database_quota, {member.target}, *state.database_quota_bytes);
    }
  }
}

}  // namespace shortcircuit::etcd
