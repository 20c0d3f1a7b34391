// What is wrong with one replicated resource: with each replica by itself, between them, and for
// the node that uses it. Pure functions of one LINSTOR state and the one before it.
#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "sources/linstor/state.h"

namespace shortcircuit {

// From the worst on.
enum class Damage {
  no_copy,
  failed,
  no_quorum,
  inconsistent,
  outdated,
  not_created,
  disconnected,
  too_few_replicas
};

struct Fault {
  Damage damage;
  std::string node;  // "": of the resource as a whole
  std::string detail;
};

class ResourceJudge {
 public:
  // Both outlive it. `before` may be null: what is new then counts at once.
  ResourceJudge(const linstor::State& state, const linstor::State* before);

  // Of the replicas of one resource that are not leaving; the worst first.
  [[nodiscard]] std::vector<Fault> faults(
      const std::vector<const linstor::Resource*>& replicas) const;
  // A copy that is whole lies on a node to which this replica is connected.
  [[nodiscard]] bool good_copy_in_reach(const linstor::Resource& replica) const;

 private:
  [[nodiscard]] const linstor::Resource* find(const std::string& resource,
                                              const std::string& node) const;
  [[nodiscard]] bool not_created(const linstor::Resource& replica) const;
  [[nodiscard]] bool lacks_drbd(const linstor::Resource& replica) const;
  [[nodiscard]] bool has_quorum(const linstor::Resource& replica) const;
  void judge_connections(const linstor::Resource& replica, std::vector<Fault>& faults) const;
  void judge_use(const linstor::Resource& replica, std::vector<Fault>& faults) const;

  const linstor::State& state_;
  bool has_before_ = false;
  std::map<std::pair<std::string, std::string>, const linstor::Resource*> replicas_;
  std::set<std::pair<std::string, std::string>> was_not_created_;
  std::set<std::string> keep_quorum_;           // writes need a majority
  std::map<std::string, std::string> too_few_;  // resource → in words
};

// Every volume of it is UpToDate.
bool is_good_copy(const linstor::Resource& replica);

}  // namespace shortcircuit
