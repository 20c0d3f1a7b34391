// What the checks of LINSTOR share: the words for what could not be read, and a pair of nodes with
// its cure. Pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "checks/check.h"
#include "fleet/replication.h"
#include "fleet/snapshot.h"

namespace shortcircuit {

// LINSTOR's state; null when the verdict is made: nobody reads it, or it cannot be read.
const linstor::State* linstor_state(const Fleet& fleet, Verdict& verdict);

// The items of a part that may not have been read: then none.
template <class T>
const std::vector<T>& items_of(const std::optional<std::vector<T>>& part) {
  static const std::vector<T> none;
  return part ? *part : none;
}

// A satellite that is neither online nor expected to be (evicted, being removed) is reported by
// satellite_offline; what it cannot say is not reported again.
bool satellite_is_online(const linstor::State& state, const std::string& node);

// The controller has just started: no satellite is connected yet and nothing has a state.
bool controller_just_started(const linstor::State& state);

// Resources that a pair of nodes replicates, and one way that stands for all.
struct JudgedPair {
  std::vector<std::string> resources;
  ReplicationRoute route;
  bool follows_missing_interface =
      false;  // an end is there because its preferred interface is gone
};
// By `a → b`, a < b: pairs that `route_of` finds retired or in a tunnel.
std::vector<std::pair<std::string, JudgedPair>> judged_pairs(const Replication& replication,
                                                             const Networks& networks,
                                                             bool retired);
// The two nodes of `a → b`; null: the controller does not list it.
std::pair<const linstor::Node*, const linstor::Node*> nodes_of(const linstor::State& state,
                                                               const std::string& object);

// The satellite runs in a pod's network of its own: DRBD there can bind the pod's address alone.
bool in_pod_network(const linstor::Node& node, const Networks& networks);
// An interface of each, both on one wire: in one network, in no tunnel and not retired. Where
// nobody named the network it is the same /24 or /64. Nothing: no two of them are known to meet.
std::optional<std::pair<std::string, std::string>> lan_interfaces(const linstor::Node& one,
                                                                  const linstor::Node& other,
                                                                  const Networks& networks);
// An interface of each that reaches the other from another site: in one tunnel, or public, and not
// retired. Nothing: there is no such pair.
std::optional<std::pair<std::string, std::string>> wan_interfaces(const linstor::Node& one,
                                                                  const linstor::Node& other,
                                                                  const Networks& networks);

// Paths beat PrefNic and move this pair alone. PrefNic speaks for a whole node: one that is given a
// LAN by it cannot connect with other sites any more.
std::string path_command(const linstor::Node& one, const linstor::Node& other,
                         std::string_view name, const std::string& interface_of_one,
                         const std::string& interface_of_other);

}  // namespace shortcircuit
