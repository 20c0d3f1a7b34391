#include <fmt/format.h>

#include "base/text.h"
#include "checks/check.h"
#include "checks/cure.h"
#include "checks/unknown.h"

namespace shortcircuit {
namespace {

constexpr double warning_ratio = 0.80;
constexpr double critical_ratio = 0.95;

// Where etcdctl reaches this very member: defragmenting another would not help it. "": not known.
std::string client_url_of(const etcd::State& state) {
  for (const auto& member : state.members.value_or(std::vector<etcd::MemberInfo>{})) {
    if (state.id == member.id && !member.client_urls.empty()) return member.client_urls.front();
  }
  return "";
}

Verdict judge_database_near_quota(const Fleet& fleet) {
  if (fleet.snapshot.etcd.empty()) return not_applicable();
  Verdict verdict;
  for (const auto& member : fleet.snapshot.etcd) {
    if (!member.state) {
      verdict.unknown.push_back("etcd member " + member.target + ": not read");
      continue;
    }
    const auto& size = member.state->database_bytes;
    const auto& quota = member.state->database_quota_bytes;
    // Before 3.4 the quota is not said; a member without a page of metrics does not say it either.
    if (!size || !quota) {
      need_part(member, "metrics", "etcd member " + member.target, verdict.unknown);
      continue;
    }
    const double ratio = *size / *quota;
    if (ratio < warning_ratio) continue;
    Finding finding;
    finding.severity = ratio >= critical_ratio ? Severity::critical : Severity::warning;
    finding.reason = "quota";
    finding.kind = "EtcdMember";
    finding.object = member.target;
    finding.message = fmt::format(
        "The database of etcd member {} has {:.1f} MB, {:.0f} % of its quota of {:.1f} MB; at the "
        "quota etcd refuses writes.",
        member.target, *size / 1e6, ratio * 100, *quota / 1e6);
    const std::string url = client_url_of(*member.state);
    finding.cure = url.empty()
                       ? fmt::format(
                             "{}   # then, one member at a time: etcdctl --command-timeout=120s "
                             "defrag --endpoints=CLIENT-URL-OF-{}; or raise --quota-backend-bytes",
                             etcd_compact_command(), member.target)
                       : fmt::format(
                             "{} ; etcdctl --command-timeout=120s defrag --endpoints={}   # one "
                             "member at a time; or "
                             "raise --quota-backend-bytes",
                             etcd_compact_command(), shell_word(url));
    verdict.findings.push_back(std::move(finding));
  }
  return verdict;
}

}  // namespace

const CheckDefinition database_near_quota_check{
    .name = "database_near_quota",
    .layer = Layer::etcd,
    .question = "Is there room in every etcd database?",
    .reasons = {{"quota", "The database file has 80 % or more of its quota (critical from 95 %)."}},
    .judge = judge_database_near_quota};

}  // namespace shortcircuit
