// What one etcd member says about itself and its peers. A member that gives metrics only (K3s) is
// a full citizen: what its metrics lack stays empty, which means unknown.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"

namespace shortcircuit::etcd {

struct MemberInfo {
  std::uint64_t id = 0;
  std::string name;
  std::vector<std::string> peer_urls;
  std::vector<std::string> client_urls;
  bool is_learner = false;
};

struct Alarm {
  std::uint64_t member_id = 0;
  std::string type;  // NOSPACE, CORRUPT
};

// Cumulative since the member's start; a difference of two gives a mean over the time between.
struct RoundTrips {
  double sum_seconds = 0;
  double count = 0;
};

struct State {
  static constexpr Duration history{10min};  // Observed::earlier
  std::string name;
  std::optional<std::uint64_t> id;
  std::optional<bool> healthy;  // /health; false comes with 503
  std::string health_reason;
  std::optional<bool> has_leader;
  std::optional<bool> is_leader;
  std::optional<bool> is_learner;          // has no vote
  std::optional<std::uint64_t> leader_id;  // status only; 0: it knows none
  std::optional<std::uint64_t> raft_term;
  std::optional<double> leader_changes;  // since the member's start: falls to 0 with a restart
  std::optional<double> heartbeat_send_failures;
  std::optional<double> database_bytes;
  std::optional<double> database_quota_bytes;
  std::optional<RoundTrips> wal_fsync;
  std::optional<Time> started;  // process_start_time_seconds
  std::string version;
  std::optional<std::vector<MemberInfo>> members;  // member list, as this member sees it
  bool members_are_old = false;                    // read in an earlier poll
  std::optional<std::vector<Alarm>> alarms;
  std::map<std::uint64_t, RoundTrips> round_trips;  // by peer id
};

// `9a2b…` as metric labels write it, without leading zeros.
std::string hexadecimal(std::uint64_t id);
std::optional<std::uint64_t> parse_hexadecimal(std::string_view text);

}  // namespace shortcircuit::etcd
