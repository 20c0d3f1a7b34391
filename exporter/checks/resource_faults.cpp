#include "checks/resource_faults.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "checks/storage_support.h"

namespace shortcircuit {
namespace {

using linstor::Resource;
using linstor::State;

bool is_connected(const linstor::Connection& connection) {
  return connection.connected || connection.message == "Connected";
}

bool any_disk_is(const Resource& replica, std::initializer_list<std::string_view> words) {
  return std::ranges::any_of(replica.volumes, [&](const auto& volume) {
    return volume.disk_state && std::ranges::find(words, *volume.disk_state) != words.end();
  });
}

// What is wrong with one replica by itself.
void judge_disks(const Resource& replica, std::vector<Fault>& faults) {
  if (replica.diskless()) return;  // has no disk by intent
  for (const auto& volume : replica.volumes) {
    if (!volume.disk_state) continue;
    const std::string& disk = *volume.disk_state;
    if (disk == "Failed" || disk == "Diskless") {  // Diskless here: DRBD let go of a broken disk
      faults.push_back({Damage::failed, replica.node, "its disk is " + disk});
    } else if (disk == "Inconsistent") {
      faults.push_back(
          {Damage::inconsistent, replica.node,
           volume.synchronized_percent
               ? fmt::format("it synchronizes, {:.0f} % done", *volume.synchronized_percent)
               : std::string("it is Inconsistent and does not synchronize")});
    } else if (disk == "Outdated") {
      faults.push_back({Damage::outdated, replica.node, "it is Outdated"});
    }
  }
}

// Will there be a disk? An inactive replica has one, of another node's perhaps; a node that is
// offline brings its own back.
bool counts_as_replica(const State& state, const Resource& replica) {
  const auto* node = find_node(state, replica.node);
  if (node == nullptr || node->has_flag("EVICTED")) return false;
  const bool gets_a_disk =
      replica.has_flag("DISK_ADD_REQUESTED") || replica.has_flag("DISK_ADDING");
  return (!replica.diskless() || gets_a_disk) && !replica.has_flag("DELETE") &&
         !replica.has_flag("DRBD_DELETE") && !replica.has_flag("EVICTED");
}

bool node_is_being_removed(const State& state, const Resource& replica) {
  const auto* node = find_node(state, replica.node);
  return node != nullptr && node->has_flag("DELETE") && !node->has_flag("EVICTED");
}

// Resources with fewer replicas than their group wants, in words. LINSTOR's own group counts for
// what is placed automatically; what lies in it is as often placed by hand, one by one.
std::map<std::string, std::string> short_of_replicas(const State& state) {
  std::map<std::string, std::int64_t> wanted;
  for (const auto& group : items_of(state.groups)) {
    if (group.place_count && to_lower(group.name) != "dfltrscgrp")
      wanted[group.name] = *group.place_count;
  }
  std::map<std::string, std::vector<const Resource*>> replicas;
  for (const auto& replica : items_of(state.resources)) {
    if (replica.is_drbd) replicas[replica.name].push_back(&replica);
  }
  std::map<std::string, std::string> found;
  for (const auto& definition : items_of(state.definitions)) {
    const auto count = wanted.find(definition.group);
    const auto placed = replicas.find(definition.name);
    // A definition without any replica keeps snapshots, or is still to be placed.
    if (count == wanted.end() || placed == replicas.end() ||
        std::ranges::find(definition.flags, "DELETE") != definition.flags.end() ||
        std::ranges::any_of(
            placed->second,
            [&](const auto* replica) { return node_is_being_removed(state, *replica); }) ||
        std::ranges::all_of(placed->second,
                            [](const auto* replica) { return replica->has_flag("DELETE"); }))
      continue;
    const auto there = std::ranges::count_if(
        placed->second, [&](const auto* replica) { return counts_as_replica(state, *replica); });
    if (there >= count->second) continue;
    found[definition.name] = fmt::format(
        "it has {} with a disk, and its resource group {} wants {}",
        count_of(static_cast<std::size_t>(there), "replica"), definition.group, count->second);
  }
  return found;
}

}  // namespace

bool is_good_copy(const Resource& replica) {
  return !replica.diskless() && !replica.volumes.empty() &&
         std::ranges::all_of(replica.volumes,
                             [](const auto& volume) { return volume.disk_state == "UpToDate"; });
}

ResourceJudge::ResourceJudge(const State& state, const State* before)
    : state_(state), too_few_(short_of_replicas(state)) {
  for (const auto& replica : items_of(state.resources))
    replicas_[{replica.name, replica.node}] = &replica;
  for (const auto& definition : items_of(state.definitions)) {
    if (definition.quorum == "majority" || definition.quorum == "all")
      keep_quorum_.insert(definition.name);
  }
  if (before == nullptr || !before->resources) return;
  has_before_ = true;
  for (const auto& replica : *before->resources) {
    if (!replica.has_state && satellite_is_online(*before, replica.node))
      was_not_created_.insert({replica.name, replica.node});
  }
  if (!before->definitions || !before->groups) return;
  // A new resource gets its replicas one after the other.
  const auto was_short = short_of_replicas(*before);
  std::erase_if(too_few_, [&](const auto& entry) { return !was_short.contains(entry.first); });
}

std::vector<Fault> ResourceJudge::faults(const std::vector<const Resource*>& replicas) const {
  std::vector<Fault> found;
  for (const Resource* replica : replicas) {
    if (not_created(*replica)) {
      // A new one takes a moment: where there was an earlier look, it must have said so too.
      if (lacks_drbd(*replica)) continue;
      if (!has_before_ || was_not_created_.contains({replica->name, replica->node})) {
        found.push_back(
            {Damage::not_created, replica->node, "it has no state: its creation failed or hangs"});
      }
      continue;
    }
    judge_disks(*replica, found);
    judge_connections(*replica, found);
    judge_use(*replica, found);
  }
  const auto too_few = too_few_.find(replicas.front()->name);
  if (too_few != too_few_.end()) found.push_back({Damage::too_few_replicas, "", too_few->second});
  std::ranges::stable_sort(found, {}, &Fault::damage);
  return found;
}

const Resource* ResourceJudge::find(const std::string& resource, const std::string& node) const {
  const auto found = replicas_.find({resource, node});
  return found == replicas_.end() || found->second->leaving() ? nullptr : found->second;
}

bool ResourceJudge::not_created(const Resource& replica) const {
  return !replica.has_state && satellite_is_online(state_, replica.node);
}

// satellite_offline says so, once for all replicas of the node.
bool ResourceJudge::lacks_drbd(const Resource& replica) const {
  const auto* node = find_node(state_, replica.node);
  return replica.is_drbd && node != nullptr && !node->drbd_supported;
}

void ResourceJudge::judge_connections(const Resource& replica, std::vector<Fault>& faults) const {
  for (const auto& [peer, connection] : replica.connections) {
    const Resource* other = find(replica.name, peer);
    if (other == nullptr) continue;     // lingers
    if (not_created(*other)) continue;  // nobody is there to answer
    if (is_connected(connection)) continue;
    faults.push_back({Damage::disconnected, replica.node,
                      fmt::format("its connection to {} is {}", peer, connection.message)});
  }
}

bool ResourceJudge::good_copy_in_reach(const Resource& replica) const {
  return std::ranges::any_of(replica.connections, [&](const auto& entry) {
    const Resource* other = find(replica.name, entry.first);
    return is_connected(entry.second) && other != nullptr && is_good_copy(*other);
  });
}

// DRBD's rule: more than half of the replicas with a disk; with exactly half of them, more than
// half of the diskless ones as well. A peer that was never there has no voice yet. Without
// connections nothing is known: true.
bool ResourceJudge::has_quorum(const Resource& replica) const {
  int voters = 1;
  int present = 1;
  int diskless = 0;
  int diskless_present = 0;
  for (const auto& [peer, connection] : replica.connections) {
    const Resource* other = find(replica.name, peer);
    if (other == nullptr || (not_created(*other) && !lacks_drbd(*other))) continue;
    const int there = is_connected(connection) ? 1 : 0;
    (other->diskless() ? diskless : voters) += 1;
    (other->diskless() ? diskless_present : present) += there;
  }
  return 2 * present > voters || (2 * present == voters && 2 * diskless_present > diskless);
}

// Does the node that uses the resource have its data, and may it write?
void ResourceJudge::judge_use(const Resource& replica, std::vector<Fault>& faults) const {
  if (replica.in_use != true || replica.connections.empty()) return;
  bool copy = true;
  bool quorum = true;
  if (replica.diskless()) {
    copy = quorum = false;
    for (const auto& [peer, connection] : replica.connections) {
      const Resource* other = find(replica.name, peer);
      if (other == nullptr || !is_connected(connection) || other->diskless() ||
          any_disk_is(*other, {"Failed", "Diskless", "Inconsistent", "Outdated"}))
        continue;
      copy = true;
      quorum = quorum || has_quorum(*other);  // a diskless node has the quorum of those it reaches
    }
  } else if (!any_disk_is(replica, {"Failed", "Diskless"})) {
    quorum = has_quorum(replica);
  }
  if (!copy) {
    faults.push_back({Damage::no_copy, replica.node,
                      "it is used there, and that node is connected to no copy that is UpToDate"});
  } else if (!quorum && keep_quorum_.contains(replica.name)) {
    faults.push_back({Damage::no_quorum, replica.node,
                      "it is used there without a majority of its replicas: writes stand still"});
  }
}

}  // namespace shortcircuit
