#include <fmt/format.h>

#include <algorithm>

#include "checks/check.h"
#include "checks/unknown.h"
#include "fleet/etcd_cluster.h"

namespace shortcircuit {
namespace {

// A rolling restart of three members makes two at most; stalls make more.
constexpr double too_many_changes = 3;

Verdict judge_leader_flapping(const Fleet& fleet) {
  if (fleet.snapshot.etcd.empty()) return not_applicable();
  Verdict verdict;
  double most = 0;
  std::string witness;
  double send_failures = 0;
  bool any_known = false;
  bool any_counts = false;
  std::vector<std::string> unread;
  for (const auto& member : fleet.snapshot.etcd) {
    any_known = any_known || member.state != nullptr;
    any_counts = any_counts || (member.state && member.state->leader_changes);
    if (member.state) need_part(member, "metrics", "etcd member " + member.target, unread);
    // Members are asked one after the other and count the same elections: the maximum counts.
    const double changes = etcd_leader_changes_lately(member).value_or(0);
    if (changes > most) {
      most = changes;
      witness = member.target;
    }
    if (member.state && member.state->heartbeat_send_failures && !member.earlier.empty()) {
      const auto before = member.earlier.front().state->heartbeat_send_failures;
      if (before) send_failures += std::max(0.0, *member.state->heartbeat_send_failures - *before);
    }
  }
  if (!any_known) {
    verdict.unknown.emplace_back("etcd: no member could be read");
    return verdict;
  }
  // They count the same elections: one that counts is enough.
  if (!any_counts) verdict.unknown = std::move(unread);
  if (most < too_many_changes) return verdict;
  Finding finding;
  finding.severity = Severity::warning;
  finding.reason = "leader_changes";
  finding.kind = "EtcdCluster";
  finding.object = "etcd";
  finding.message = fmt::format(
      "The etcd leader changed {:.0f} times within ten minutes (as {} counts). Constant delay does "
      "not "
      "do that, stalls do{}.",
      most, witness,
      send_failures > 0
          ? fmt::format("; {:.0f} heartbeats went out late, so the leader's own disk or "
                        "CPU is a suspect",
                        send_failures)
          : "");
  finding.cure =
      "etcdctl endpoint status --cluster -w table   # look for stalls of a second or more: disk "
      "(etcd_disk_wal_fsync_duration_seconds), CPU "
      "steal, a "
      "tunnel that drops packets; then raise election-timeout to at least 10 round trips on every "
      "member";
  verdict.findings.push_back(std::move(finding));
  return verdict;
}

}  // namespace

const CheckDefinition leader_flapping_check{
    .name = "leader_flapping",
    .layer = Layer::etcd,
    .question = "Does the etcd leader stay?",
    .reasons = {{"leader_changes",
                 "One member counted three or more leader changes within ten minutes; restarts do "
                 "not count, and members that disagree for a moment are no change."}},
    .judge = judge_leader_flapping};

}  // namespace shortcircuit
