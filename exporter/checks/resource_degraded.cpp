#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/text.h"
#include "checks/check.h"
#include "checks/cure.h"
#include "checks/resource_faults.h"
#include "checks/storage_support.h"

namespace shortcircuit {
namespace {

using linstor::Resource;
using linstor::State;

constexpr std::string_view damage_names[] = {"no_copy",      "failed",          "no_quorum",
                                             "inconsistent", "outdated",        "not_created",
                                             "disconnected", "too_few_replicas"};

bool is_critical(const Fault& fault) {
  return fault.damage == Damage::no_copy || fault.damage == Damage::failed ||
         fault.damage == Damage::no_quorum;
}

std::string cure_of(const Fault& fault, const std::string& resource, bool good_copy_in_reach) {
  const std::string status = on_node(fault.node, "drbdadm status " + shell_word(resource));
  switch (fault.damage) {
    case Damage::no_copy:
    case Damage::no_quorum:
      return fmt::format(
          "{}   # bring the nodes back to which it is not connected, or the network to them; a "
          "StandAlone side wants: drbdadm connect {}",
          status, resource);
    case Damage::failed:
      if (!good_copy_in_reach) {
        return fmt::format(
            "{}   # it may hold the newest data, and is connected to no UpToDate replica: delete "
            "none. Mend its disk and attach it again (drbdadm attach {}), or first copy what can "
            "be read of it to another disk",
            status, resource);
      }
      return fmt::format(
          "linstor resource list   # replace the disk of {0}, then: linstor resource delete {0} "
          "{1}; "
          "linstor resource create {0} {1}",
          fault.node, resource);
    case Damage::inconsistent:
      return status + "   # it synchronizes; mend it only if that stands still";
    case Damage::outdated:
    case Damage::disconnected:
      return fmt::format(
          "{}   # a StandAlone side wants: drbdadm connect {}; after a split brain with "
          "--discard-my-data on the side to lose",
          status, resource);
    case Damage::not_created:
      return fmt::format(
          "linstor error-reports list --nodes {}   # mend the cause, then: linstor node reconnect "
          "{}",
          shell_word(fault.node), fault.node);
    case Damage::too_few_replicas:
      return fmt::format("linstor resource create --auto-place +1 {}", shell_word(resource));
  }
  return "";
}

std::string message_of(const std::string& name, const std::vector<Fault>& faults, bool good) {
  const Fault& worst = faults.front();
  return fmt::format(
      "Resource {} is degraded{}: {}{}.{}", name, worst.node.empty() ? "" : " on " + worst.node,
      worst.detail,
      faults.size() > 1 ? fmt::format(" (and {} more)", count_of(faults.size() - 1, "fault")) : "",
      good ? "" : " No replica is known to be UpToDate.");
}

// An answer that could not be had is replaced by the one before: that one twice is one look. Null
// when there was no other look and none is expected.
const State* reading_before(const Observed<State>& target) {
  static const State nothing_was_wrong{.resources = std::vector<Resource>{}};
  bool same = target.state->resources_are_old;
  for (auto look = target.earlier.rbegin(); look != target.earlier.rend(); ++look) {
    if (!same) return look->state.get();
    same = look->state->resources_are_old;
  }
  return target.state->resources_are_old ? &nothing_was_wrong : nullptr;
}

Verdict judge_resource_degraded(const Fleet& fleet) {
  Verdict verdict;
  const State* state = linstor_state(fleet, verdict);
  if (state == nullptr) return verdict;
  const auto& target = fleet.snapshot.linstor.front();
  if (!state->resources) {
    verdict.unknown.emplace_back("LINSTOR resources: not read");
    return verdict;
  }
  // These say how many replicas there should be, and whether writes need a majority of them.
  if (!state->definitions) verdict.unknown.emplace_back("LINSTOR resource definitions: not read");
  if (!state->groups) verdict.unknown.emplace_back("LINSTOR resource groups: not read");
  std::map<std::string, std::vector<const Resource*>> by_name;
  for (const auto& replica : *state->resources) {
    if (!replica.leaving()) by_name[replica.name].push_back(&replica);
  }
  const ResourceJudge judge_one(*state, reading_before(target));
  for (const auto& [name, replicas] : by_name) {
    const auto faults = judge_one.faults(replicas);
    const bool nobody_tells = std::none_of(replicas.begin(), replicas.end(),
                                           [](const auto* replica) { return replica->has_state; });
    const bool disks_unjudged =
        nobody_tells && (faults.empty() || faults.front().damage == Damage::too_few_replicas);
    if (disks_unjudged)
      verdict.unknown.push_back("LINSTOR resource " + name + ": no satellite tells its state");
    if (faults.empty()) continue;
    const Fault& worst = faults.front();
    const bool good = std::ranges::any_of(
        replicas, [](const Resource* replica) { return is_good_copy(*replica); });
    const bool in_reach = std::ranges::any_of(replicas, [&](const Resource* replica) {
      return replica->node == worst.node && judge_one.good_copy_in_reach(*replica);
    });
    Finding finding;
    finding.severity =
        is_critical(worst) || (!good && !disks_unjudged) ? Severity::critical : Severity::warning;
    finding.reason = damage_names[static_cast<std::size_t>(worst.damage)];
    finding.kind = "Resource";
    finding.object = name;
    finding.message = message_of(name, faults, good || disks_unjudged);
    finding.cure = cure_of(worst, name, in_reach);
    verdict.findings.push_back(std::move(finding));
  }
  return verdict;
}

}  // namespace

const CheckDefinition resource_degraded_check{
    .name = "resource_degraded",
    .layer = Layer::storage,
    .question =
        "Is every replica of every resource up to date and connected to its peers, and are "
        "there as many as ordered?",
    .reasons = {{"no_copy", "The node that uses it is diskless and reaches no copy."},
                {"failed", "A replica lost its disk."},
                {"no_quorum", "The node that uses it reaches no majority: writes stand still."},
                {"inconsistent", "A replica is not complete: it synchronizes, or should."},
                {"outdated", "A replica has old data."},
                {"not_created", "A replica has no state although its satellite is online."},
                {"disconnected", "A replica has no connection to a peer."},
                {"too_few_replicas",
                 "It has fewer replicas with a disk than its resource group's place count."}},
    .judge = judge_resource_degraded};

}  // namespace shortcircuit
