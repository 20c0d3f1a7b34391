#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "checks/check.h"
#include "checks/cure.h"
#include "fleet/etcd_cluster.h"

namespace shortcircuit {
namespace {

// Some member saw another leader since the poll before this one: who has none now may have been
// asked in the middle of that.
bool election_just_now(const EtcdCluster& cluster) {
  return std::any_of(cluster.members.begin(), cluster.members.end(), [](const EtcdMember& member) {
    if (member.state == nullptr || member.observed->earlier.empty()) return false;
    const auto& before = member.observed->earlier.back().state->leader_changes;
    return before && member.state->leader_changes && *member.state->leader_changes > *before;
  });
}

Verdict judge_quorum_margin_zero(const Fleet& fleet) {
  if (fleet.snapshot.etcd.empty()) return not_applicable();
  const EtcdCluster cluster = etcd_cluster_of(fleet.snapshot);
  Verdict verdict;
  if (!cluster.split.empty()) {
    verdict.unknown.push_back("etcd: its members are not one cluster: " + cluster.split);
    return verdict;
  }
  const std::size_t failing = cluster.down + cluster.disagreeing;
  const std::size_t at_best = cluster.voters - failing;  // if all unknown ones are fine
  const bool transient = cluster.down == 0 && election_just_now(cluster);
  if (failing > 0 && at_best == cluster.quorum && cluster.agreeing > 0 && !transient) {
    auto missing = cluster.names(EtcdStanding::down);
    for (const auto& name : cluster.names(EtcdStanding::disagrees)) missing.push_back(name);
    const auto& first =
        *std::find_if(cluster.members.begin(), cluster.members.end(),
                      [&](const EtcdMember& member) { return member.name == missing.front(); });
    Finding finding;
    finding.severity = Severity::warning;
    finding.reason = "member_down";
    finding.kind = "EtcdCluster";
    finding.object = "etcd";
    finding.message = fmt::format(
        "etcd has no margin left: {} of {} voters answer and agree, {} are needed; missing: {} "
        "({}). "
        "The next failure stops every write.",
        cluster.agreeing, cluster.voters, cluster.quorum, enumerate(missing), first.why);
    finding.cure =
        fmt::format("{}   # on {}; then: etcdctl endpoint health --cluster",
                    on_node(missing.front(), "systemctl status etcd k3s"), enumerate(missing));
    verdict.findings.push_back(std::move(finding));
    return verdict;
  }
  // Known to be fine: enough agree even if every unknown one were down, or nothing fails.
  if (cluster.agreeing > cluster.quorum) return verdict;
  verdict.unknown = cluster.unknown_members();
  const auto strangers =
      std::count_if(cluster.members.begin(), cluster.members.end(),
                    [](const EtcdMember& member) { return !member.configured && !member.learner; });
  if (strangers > 0) {
    verdict.unknown.push_back(fmt::format("etcd: {} of {} voters are not in the configuration",
                                          strangers, cluster.voters));
  }
  if (cluster.agreeing > 0 && at_best < cluster.quorum) {
    for (const auto& name : cluster.names(EtcdStanding::down)) {
      verdict.unknown.push_back("etcd member " + name +
                                ": out of reach, while others have a quorum");
    }
  } else if (cluster.agreeing == 0 && cluster.disagreeing == 0) {
    for (const auto& name : cluster.names(EtcdStanding::down)) {
      verdict.unknown.push_back("etcd member " + name + ": out of reach");
    }
  } else if (transient && failing > 0) {
    verdict.unknown.emplace_back("etcd: a leader was elected just now");
  }
  return verdict;
}

}  // namespace

const CheckDefinition quorum_margin_zero_check{
    .name = "quorum_margin_zero",
    .layer = Layer::etcd,
    .question = "May one more etcd member fail without losing the quorum?",
    .reasons = {{"member_down",
                 "A member does not answer, or answers and does not agree, and no further one may "
                 "fail. A healthy cluster of one or two members is no finding."}},
    .judge = judge_quorum_margin_zero};

}  // namespace shortcircuit
