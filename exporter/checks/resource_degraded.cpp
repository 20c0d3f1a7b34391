#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/text.h"
#include "checks/check.h"
#include "checks/cure.h"
#include "checks/storage_support.h"

namespace shortcircuit {
namespace {

using linstor::Resource;
using linstor::State;

// From the worst on.
enum class Damage { failed, inconsistent, outdated, not_created, disconnected };
constexpr std::string_view damage_names[] = {"failed", "inconsistent", "outdated", "not_created",
                                             "disconnected"};

struct Fault {
  Damage damage;
  std::string node;
  std::string peer;
  std::string detail;
};

// What is wrong with one replica by itself.
void judge_disks(const Resource& replica, std::vector<Fault>& faults) {
  if (replica.diskless()) return;  // has no disk by intent
  for (const auto& volume : replica.volumes) {
    if (!volume.disk_state) continue;
    const std::string& disk = *volume.disk_state;
    if (disk == "Failed" || disk == "Diskless") {  // Diskless here: DRBD let go of a broken disk
      faults.push_back({Damage::failed, replica.node, "", "its disk is " + disk});
    } else if (disk == "Inconsistent") {
      faults.push_back(
          {Damage::inconsistent, replica.node, "",
           volume.synchronized_percent
               ? fmt::format("it synchronizes, {:.0f} % done", *volume.synchronized_percent)
               : std::string("it is Inconsistent and does not synchronize")});
    } else if (disk == "Outdated") {
      faults.push_back({Damage::outdated, replica.node, "", "it is Outdated"});
    }
  }
}

class ResourceJudge {
 public:
  ResourceJudge(const State& state, const State* before) : state_(state) {
    for (const auto& replica : *state.resources) replicas_[{replica.name, replica.node}] = &replica;
    if (before == nullptr || !before->resources) return;
    has_before_ = true;
    for (const auto& replica : *before->resources) {
      if (!replica.has_state && satellite_is_online(*before, replica.node)) {
        was_not_created_.insert({{replica.name, replica.node}, true});
      }
    }
  }

  [[nodiscard]] std::vector<Fault> faults(const std::vector<const Resource*>& replicas) const {
    std::vector<Fault> found;
    for (const Resource* replica : replicas) {
      if (not_created(*replica)) {
        // A new one takes a moment: where there was an earlier look, it must have said so too.
        if (!has_before_ || was_not_created_.contains({replica->name, replica->node})) {
          found.push_back({Damage::not_created, replica->node, "",
                           "it has no state: its creation failed or hangs"});
        }
        continue;
      }
      judge_disks(*replica, found);
      judge_connections(*replica, found);
    }
    std::stable_sort(found.begin(), found.end(), [](const Fault& left, const Fault& right) {
      return left.damage < right.damage;
    });
    return found;
  }

 private:
  [[nodiscard]] bool not_created(const Resource& replica) const {
    return !replica.has_state && satellite_is_online(state_, replica.node);
  }

  void judge_connections(const Resource& replica, std::vector<Fault>& faults) const {
    for (const auto& [peer, connection] : replica.connections) {
      const auto other = replicas_.find({replica.name, peer});
      if (other == replicas_.end() || other->second->leaving()) continue;  // lingers
      if (not_created(*other->second)) continue;  // nobody is there to answer
      if (connection.connected || connection.message == "Connected") continue;
      faults.push_back({Damage::disconnected, replica.node, peer,
                        fmt::format("its connection to {} is {}", peer, connection.message)});
    }
  }

  const State& state_;
  std::map<std::pair<std::string, std::string>, const Resource*> replicas_;
  std::map<std::pair<std::string, std::string>, bool> was_not_created_;
  bool has_before_ = false;
};

bool any_copy_is_good(const std::vector<const Resource*>& replicas) {
  return std::any_of(replicas.begin(), replicas.end(), [](const Resource* replica) {
    return !replica->diskless() && !replica->volumes.empty() &&
           std::all_of(replica->volumes.begin(), replica->volumes.end(),
                       [](const auto& volume) { return volume.disk_state == "UpToDate"; });
  });
}

std::string cure_of(const Fault& fault, const std::string& resource) {
  const std::string status = on_node(fault.node, "drbdadm status " + shell_word(resource));
  switch (fault.damage) {
    case Damage::failed:
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
  }
  return "";
}

Verdict judge(const Fleet& fleet) {
  Verdict verdict;
  const State* state = linstor_state(fleet, verdict);
  if (state == nullptr) return verdict;
  const auto& target = fleet.snapshot.linstor.front();
  if (!state->resources) {
    verdict.unknown.emplace_back("LINSTOR resources: not read");
    return verdict;
  }
  std::map<std::string, std::vector<const Resource*>> by_name;
  for (const auto& replica : *state->resources) {
    if (!replica.leaving()) by_name[replica.name].push_back(&replica);
  }
  const ResourceJudge judge_one(
      *state, target.earlier.empty() ? nullptr : target.earlier.back().state.get());
  for (const auto& [name, replicas] : by_name) {
    const auto faults = judge_one.faults(replicas);
    const bool nobody_tells = std::none_of(replicas.begin(), replicas.end(),
                                           [](const auto* replica) { return replica->has_state; });
    if (faults.empty()) {
      if (nobody_tells)
        verdict.unknown.push_back("LINSTOR resource " + name + ": no satellite tells its state");
      continue;
    }
    const Fault& worst = faults.front();
    const bool good = any_copy_is_good(replicas);
    Finding finding;
    finding.severity =
        worst.damage == Damage::failed || !good ? Severity::critical : Severity::warning;
    finding.reason = damage_names[static_cast<std::size_t>(worst.damage)];
    finding.kind = "Resource";
    finding.object = name;
    finding.message = fmt::format(
        "Resource {} is degraded on {}: {}{}.{}", name, worst.node, worst.detail,
        faults.size() > 1 ? fmt::format(" (and {} more)", count_of(faults.size() - 1, "fault"))
                          : "",
        good ? "" : " No replica is known to be UpToDate.");
    finding.cure = cure_of(worst, name);
    verdict.findings.push_back(std::move(finding));
  }
  return verdict;
}

}  // namespace

const CheckDefinition resource_degraded_check{
    .name = "resource_degraded",
    .layer = Layer::storage,
    .question = "Is every replica of every resource up to date and connected to its peers?",
    .reasons = {{"failed", "A replica lost its disk."},
                {"inconsistent", "A replica is not complete: it synchronizes, or should."},
                {"outdated", "A replica has old data."},
                {"not_created", "A replica has no state although its satellite is online."},
                {"disconnected", "A replica has no connection to a peer."}},
    .judge = judge};

}  // namespace shortcircuit
