// The etcd members joined: who answers, who agrees, what that leaves of the quorum, and how long
// the round trips between them take.
//
// No member's own word about the cluster is trusted: with the quorum lost, the survivor still calls
// itself leader in status and metrics. Quorum is counted over members that answer *and* agree.
// Pure values made from one snapshot. Round trips in seconds.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "fleet/snapshot.h"

namespace shortcircuit {

enum class EtcdStanding {
  agrees,     // answers, healthy, knows a leader
  disagrees,  // answers and says that it has no leader or cannot read
  down,       // refused or did not answer in time
  unknown,    // not configured, or the exporter cannot read it (credentials, certificates, one
              // missed poll): says nothing about the member
};

struct EtcdMember {
  std::string name;  // as configured; as listed when it is not configured
  std::optional<std::uint64_t> id;
  EtcdStanding standing = EtcdStanding::unknown;
  std::string why;       // for messages: `connect: …`, `RAFT NO LEADER`; "" when it agrees
  bool learner = false;  // has no vote
  bool configured = false;
  const etcd::State* state = nullptr;               // borrowed from the snapshot; null: unknown
  const Observed<etcd::State>* observed = nullptr;  // null: not configured
};

// From one member towards a peer.
struct EtcdRoundTrip {
  std::string from;
  std::string to;  // the member's name, else its id in hexadecimal
  double mean_seconds = 0;
  double samples = 0;
  bool windowed = false;  // mean over the last ten minutes; else since the member's start
};

struct EtcdCluster {
  std::vector<EtcdMember> members;  // configured ones first, in their order
  bool listed = false;              // a member list was read; else the configured ones are all
  std::size_t voters = 0;
  std::size_t quorum = 0;                                            // voters / 2 + 1
  std::size_t agreeing = 0, disagreeing = 0, down = 0, unknown = 0;  // of the voters
  // How many more voters may fail; negative: the quorum is lost. Nothing while a voter is unknown
  // or nobody answers.
  std::optional<int> margin;
  std::string split;  // what shows that the members are not one cluster (etcd_split.h); else ""
  std::vector<EtcdRoundTrip> round_trips;

  [[nodiscard]] bool any_answers() const { return agreeing + disagreeing > 0; }
  // Of the voters with that standing; configured ones only.
  [[nodiscard]] std::vector<std::string> names(EtcdStanding standing) const;
  // `etcd member NAME: why`, of the configured voters that are unknown.
  [[nodiscard]] std::vector<std::string> unknown_members() const;
  // A voter that answers and reads through the quorum: proof that there is one.
  [[nodiscard]] bool quorum_proven() const;
  // The name that people know a member id by.
  [[nodiscard]] std::string name_of(std::uint64_t id) const;
};

// Of the members that the snapshot has a place for; no members when etcd is not configured.
EtcdCluster etcd_cluster_of(const Snapshot& snapshot);

// The mean of what was added to a histogram since the oldest observation, when that is (nearly) ten
// minutes old and the member has not restarted meanwhile; else the mean since its start. Nothing
// without samples.
std::optional<EtcdRoundTrip> etcd_round_trip(const Observed<etcd::State>& member,
                                             std::uint64_t peer);

// Leader changes that the member saw within the last ten minutes; a restart is none. Where the look
// before is older than that, the share of ten minutes. Nothing without an earlier observation.
std::optional<double> etcd_leader_changes_lately(const Observed<etcd::State>& member);

}  // namespace shortcircuit
