#include <fmt/format.h>

#include "checks/check.h"
#include "checks/unknown.h"
#include "fleet/etcd_cluster.h"

namespace shortcircuit {
namespace {

// The vendor's rules: an election timeout of at least 10 round trips, a heartbeat interval of 0.5
// to 1.5 of them. The measured value errs to the low side only, so nothing is ever said about
// "low", and the heartbeat is complained of only beyond the vendor's own range.
constexpr double round_trips_per_election_timeout = 10;
constexpr double round_trips_per_heartbeat_at_most = 2;
constexpr double slow_fsync_seconds = 0.01;

std::string milliseconds(double duration) { return fmt::format("{:.0f} ms", duration * 1000); }

// Disk or network? Both make elections; only one of them is mended by a larger timeout.
std::string other_suspect(const EtcdCluster& cluster, const std::string& from) {
  for (const auto& member : cluster.members) {
    if (member.name != from || member.state == nullptr) continue;
    const auto& fsync = member.state->wal_fsync;
    if (!fsync || fsync->count <= 0) return "";
    const double mean = fsync->sum_seconds / fsync->count;
    return mean > slow_fsync_seconds
               ? fmt::format(" Its disk is slow as well: {:.1f} ms for a sync of the log.",
                             mean * 1000)
               : fmt::format(" It is the network: a sync of its log takes {:.1f} ms.", mean * 1000);
  }
  return "";
}

Verdict judge_round_trip_over_budget(const Fleet& fleet) {
  const auto& timings = fleet.config.etcd_timings;
  if (fleet.snapshot.etcd.empty() || (!timings.election_timeout && !timings.heartbeat_interval)) {
    return not_applicable();
  }
  const EtcdCluster cluster = etcd_cluster_of(fleet.snapshot);
  Verdict verdict;
  bool any_known = false;
  for (const auto& member : fleet.snapshot.etcd) {
    if (!member.state) continue;
    any_known = true;
    need_part(member, "metrics", "etcd member " + member.target, verdict.unknown);
  }
  if (!any_known) verdict.unknown.emplace_back("etcd: no member could be read");

  for (const auto& path : cluster.round_trips) {
    const double rtt = path.mean_seconds;
    Finding finding;
    finding.kind = "EtcdPath";
    finding.object = path.from + " → " + path.to;
    // Without nine minutes of history there is only the mean since the member's start, which may
    // speak of a path that it has left long ago.
    const std::string measured =
        path.windowed ? fmt::format("The round trip from {} to {} takes {} on average", path.from,
                                    path.to, milliseconds(rtt))
                      : fmt::format(
                            "The round trip from {0} to {1} has taken {2} on average since {0} "
                            "started",
                            path.from, path.to, milliseconds(rtt));
    if (timings.election_timeout &&
        rtt * round_trips_per_election_timeout > seconds(*timings.election_timeout)) {
      const double timeout = seconds(*timings.election_timeout);
      finding.severity = Severity::warning;
      finding.reason = "election_timeout";
      finding.message = fmt::format(
          "{}: the election timeout of {} is {:.1f} of them, ten are advised.{}", measured,
          milliseconds(timeout), timeout / rtt, other_suspect(cluster, path.from));
      finding.cure = fmt::format(
          "# set --election-timeout={:.0f} and --heartbeat-interval={:.0f} (ms) on every member, "
          "or "
          "mend "
          "the path (a tunnel inside a tunnel?); then etcd.election_timeout here",
          rtt * 1000 * round_trips_per_election_timeout * 1.2, rtt * 1000 * 1.2);
    } else if (timings.heartbeat_interval &&
               rtt > round_trips_per_heartbeat_at_most * seconds(*timings.heartbeat_interval)) {
      finding.severity = Severity::info;
      finding.reason = "heartbeat";
      finding.message = fmt::format("{}, more than twice the heartbeat interval of {}.{}", measured,
                                    milliseconds(seconds(*timings.heartbeat_interval)),
                                    other_suspect(cluster, path.from));
      finding.cure = fmt::format(
          "# set --heartbeat-interval={:.0f} (ms) on every member; then etcd.heartbeat_interval "
          "here",
          rtt * 1000);
    } else {
      continue;
    }
    verdict.findings.push_back(std::move(finding));
  }
  return verdict;
}

}  // namespace

const CheckDefinition round_trip_over_budget_check{
    .name = "round_trip_over_budget",
    .layer = Layer::etcd,
    .question =
        "Do the configured heartbeat and election timeout fit the round trips between the etcd "
        "members?",
    .reasons = {{"election_timeout", "Ten mean round trips last longer than the election timeout."},
                {"heartbeat", "The mean round trip is longer than two heartbeat intervals."}},
    .judge = judge_round_trip_over_budget};

}  // namespace shortcircuit
