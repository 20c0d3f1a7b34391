#include <fmt/format.h>

#include <set>

#include "base/text.h"
#include "checks/check.h"
#include "checks/cure.h"
#include "checks/unknown.h"
#include "fleet/etcd_cluster.h"

namespace shortcircuit {
namespace {

Finding finding_of(const std::string& type, const std::string& kind, const std::string& object) {
  const bool corrupt = type == "corrupt";
  Finding finding;
  finding.severity = Severity::critical;
  finding.reason = type;
  finding.kind = kind;
  finding.object = object;
  const std::string who = kind == "EtcdMember" ? "member " + object : "a member";
  finding.message =
      corrupt
          ? fmt::format("etcd has a CORRUPT alarm of {}: its data differ from the others'.", who)
          : fmt::format("etcd has a NOSPACE alarm of {}: the whole cluster refuses writes.", who);
  finding.cure =
      corrupt
          ? fmt::format(
                "etcdctl member list -w table   # remove {} and add it anew with an empty data "
                "directory: "
                "etcdctl member remove, member add; then: etcdctl alarm disarm",
                kind == "EtcdMember" ? object : "the member that etcdctl alarm list names")
          : etcd_compact_command() +  // fails when it was done before; defragmenting takes long
                " ; etcdctl --command-timeout=120s defrag --cluster && etcdctl alarm disarm   # "
                "or raise "
                "--quota-backend-bytes first";
  return finding;
}

Verdict judge_alarm_active(const Fleet& fleet) {
  if (fleet.snapshot.etcd.empty()) return not_applicable();
  const EtcdCluster cluster = etcd_cluster_of(fleet.snapshot);
  Verdict verdict;
  std::set<std::pair<std::string, std::string>> active;  // type, member
  std::set<std::string> said_by_health;                  // "ALARM NOSPACE"
  bool any_list = false;
  bool any_state = false;
  std::vector<std::string> unread;
  for (const auto& member : fleet.snapshot.etcd) {
    if (!member.state) continue;
    any_state = true;
    const auto& state = *member.state;
    if (state.alarms) {
      any_list = true;
      for (const auto& alarm : *state.alarms) {
        const std::string type = to_lower(alarm.type);
        if (type != "nospace" && type != "corrupt") continue;
        active.emplace(type, alarm.member_id == 0 ? "" : cluster.name_of(alarm.member_id));
      }
    }
    const std::string reason = to_lower(state.health_reason);
    for (const std::string type : {"nospace", "corrupt"}) {
      if (reason.starts_with("alarm") && reason.contains(type)) said_by_health.insert(type);
    }
    // A gateway that is there and did not answer: noted by the poll. One that is absent (K3s)
    // leaves alarms unknown, and that is no fault.
    need_part(member, "alarms", "etcd member " + member.target, unread);
  }
  for (const auto& [type, name] : active) {
    verdict.findings.push_back(finding_of(type, name.empty() ? "EtcdCluster" : "EtcdMember",
                                          name.empty() ? "etcd" : name));
    said_by_health.erase(type);
  }
  for (const auto& type : said_by_health)
    verdict.findings.push_back(finding_of(type, "EtcdCluster", "etcd"));
  // Every member tells the alarms of all: one list is enough.
  if (!any_list && verdict.findings.empty()) verdict.unknown = unread;
  if (!any_state) verdict.unknown.emplace_back("etcd: no member could be read");
  return verdict;
}

}  // namespace

const CheckDefinition alarm_active_check{
    .name = "alarm_active",
    .layer = Layer::etcd,
    .question = "Has an etcd member raised an alarm?",
    .reasons = {{"nospace",
                 "The database reached its quota: writes are refused until the alarm is disarmed."},
                {"corrupt", "The member's data differ from the others'."}},
    .judge = judge_alarm_active};

}  // namespace shortcircuit
