#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "checks/check.h"
#include "checks/cure.h"
#include "fleet/etcd_cluster.h"

namespace shortcircuit {
namespace {

// A voter that answers and says that something is wrong with the quorum. Members that the exporter
// cannot reach are no evidence: it may be the exporter that is cut off.
bool says_so(const EtcdMember& member) {
  return !member.learner && member.state != nullptr && member.observed != nullptr &&
         member.observed->health.up && member.standing != EtcdStanding::agrees &&
         (member.state->healthy == false || member.state->has_leader == false);
}

Finding lost(const EtcdCluster& cluster, const EtcdMember& witness) {
  const auto down = cluster.names(EtcdStanding::down);
  const std::string absent = down.empty() ? "Every member answers, and too few know a leader"
                                          : fmt::format("Out of reach: {}", enumerate(down));
  Finding finding;
  finding.severity = Severity::critical;
  finding.reason = "no_leader";
  finding.kind = "EtcdCluster";
  finding.object = "etcd";
  finding.message = fmt::format(
      "etcd has lost its quorum: {} of {} voters answer and agree, {} are needed ({} says: {}). "
      "{}. "
      "The Kubernetes API takes no writes.",
      cluster.agreeing, cluster.voters, cluster.quorum, witness.name, witness.why, absent);
  finding.cure = down.empty()
                     ? "etcdctl endpoint status --cluster -w table   # look at the peer port, "
                       "2380, between the "
                       "members"
                     : fmt::format(
                           "{}   # start it on {} and look at the way to it; if it is gone for "
                           "good, restore from "
                           "a snapshot: etcdutl snapshot restore, or k3s server --cluster-reset",
                           on_node(down.front(), "systemctl status etcd k3s"), enumerate(down));
  return finding;
}

Finding split(const std::string& what) {
  return {.severity = Severity::critical,
          .reason = "split",
          .kind = "EtcdCluster",
          .object = "etcd",
          .message = fmt::format("The etcd members are not one cluster: {}. Each side takes writes "
                                 "that the other never sees.",
                                 what),
          .cure =
              "etcdctl member list -w table   # on each of them: keep the side that is whole; on "
              "the others stop k3s or etcd, move its data directory away and join anew"};
}

Verdict judge_quorum_lost(const Fleet& fleet) {
  if (fleet.snapshot.etcd.empty()) return not_applicable();
  const EtcdCluster cluster = etcd_cluster_of(fleet.snapshot);
  Verdict verdict;
  if (!cluster.split.empty()) {
    verdict.findings.push_back(split(cluster.split));
    return verdict;
  }
  if (cluster.quorum_proven()) return verdict;
  const auto witness = std::find_if(cluster.members.begin(), cluster.members.end(), says_so);
  if (cluster.agreeing + cluster.unknown < cluster.quorum && witness != cluster.members.end()) {
    verdict.findings.push_back(lost(cluster, *witness));
    return verdict;
  }
  // One unknown member that complains cannot outvote the others, nor can it be counted.
  verdict.unknown = cluster.unknown_members();
  for (const auto& name : cluster.names(EtcdStanding::down)) {
    verdict.unknown.push_back("etcd member " + name + ": out of reach");
  }
  if (verdict.unknown.empty()) verdict.unknown.emplace_back("etcd: too few members are configured");
  return verdict;
}

}  // namespace

const CheckDefinition quorum_lost_check{
    .name = "quorum_lost",
    .layer = Layer::etcd,
    .question = "Do enough etcd members answer and agree to make a quorum?",
    .reasons = {{"no_leader",
                 "A member that answers says that it has no leader (or is unhealthy), and fewer "
                 "members than a quorum answer and agree."},
                {"split",
                 "Two members lead at once, or one agrees with members of which another that "
                 "answers is none: they are not one cluster (any more)."}},
    .judge = judge_quorum_lost};

}  // namespace shortcircuit
