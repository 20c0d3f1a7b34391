#include "fleet/etcd_cluster.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "base/text.h"
#include "fleet/etcd_split.h"

namespace shortcircuit {
namespace {

using etcd::MemberInfo;
using etcd::State;

struct Judged {
  EtcdStanding standing;
  std::string why;
};

// A full database makes every member unhealthy while the quorum is whole.
bool explained_by_alarm(const State& state, bool alarm_listed) {
  if (to_lower(state.health_reason).starts_with("alarm")) return true;
  if (!state.health_reason.empty()) return false;
  // Before 3.5 no reason is given.
  return alarm_listed;
}

bool database_is_full(const State& state) {
  return state.database_bytes && state.database_quota_bytes &&
         *state.database_bytes >= 0.9 * *state.database_quota_bytes;
}

bool was_unhealthy_before(const Observed<State>& member) {
  return !member.earlier.empty() && member.earlier.back().state->healthy == false;
}

Judged standing_of_answer(const Observed<State>& member, bool alarm_listed) {
  const State& state = *member.state;
  const std::string reason = to_lower(state.health_reason);
  if (state.healthy == false && !explained_by_alarm(state, alarm_listed)) {
    if (reason.contains("leader changed") && !was_unhealthy_before(member)) {
      return {EtcdStanding::agrees, ""};  // an election has just ended
    }
    if (reason.starts_with("range error") && !was_unhealthy_before(member)) {
      return {EtcdStanding::unknown, state.health_reason};  // one slow read; the next poll tells
    }
    if (reason.empty() && !state.alarms && database_is_full(state)) {
      return {EtcdStanding::unknown, "unhealthy without a reason, with a full database"};
    }
    return {EtcdStanding::disagrees, reason.empty() ? "unhealthy" : state.health_reason};
  }
  if (state.has_leader == false) return {EtcdStanding::disagrees, "it knows no leader"};
  if (!state.has_leader && state.healthy != true) {
    return {EtcdStanding::unknown, "its answers do not say whether it has a leader"};
  }
  return {EtcdStanding::agrees, ""};
}

Judged standing_of(const Observed<State>& member, bool alarm_listed) {
  const TargetHealth& health = member.health;
  if (health.up && member.state) return standing_of_answer(member, alarm_listed);
  if (!health.last_error) return {EtcdStanding::unknown, "not asked yet"};
  const Failure failure = health.last_error->failure;
  const std::string why = std::string(name_of(failure)) + ": " + health.last_error->message;
  // Nothing listens there: a definite answer. No answer in time is one only when it repeats.
  if (failure == Failure::connect) return {EtcdStanding::down, why};
  if (failure == Failure::timeout && (health.consecutive_failures >= 2 || !health.last_success)) {
    return {EtcdStanding::down, why};
  }
  return {EtcdStanding::unknown, why};
}

// K3s calls its member `<node>-<8 hexadecimal digits>`.
bool same_name(const std::string& configured, const std::string& listed) {
  if (configured == listed) return true;
  constexpr std::size_t suffix = 9;
  if (listed.size() != configured.size() + suffix || !listed.starts_with(configured)) return false;
  const std::string_view rest = std::string_view(listed).substr(configured.size());
  return rest[0] == '-' && etcd::parse_hexadecimal(rest.substr(1)).has_value();
}

// The list of a member that agrees and was read just now, else of any: without a quorum nobody can
// change it.
const std::vector<MemberInfo>* member_list(const std::vector<EtcdMember>& members) {
  const auto rank = [](const EtcdMember& member) {
    return std::pair(member.standing != EtcdStanding::agrees, member.state->members_are_old);
  };
  const EtcdMember* best = nullptr;
  for (const auto& member : members) {
    if (member.state == nullptr || !member.state->members) continue;
    if (best == nullptr || rank(member) < rank(*best)) best = &member;
  }
  return best == nullptr ? nullptr : &*best->state->members;
}

// Gives every configured member its entry in the list; what is left over on both sides is paired
// in order only where it must belong together (one of each).
void join_with_list(EtcdCluster& cluster, const std::vector<MemberInfo>& list) {
  std::vector<const MemberInfo*> open;
  for (const auto& info : list) open.push_back(&info);
  std::vector<EtcdMember*> unmatched;
  const auto adopt = [&](EtcdMember& member, auto matches) {
    const auto found = std::find_if(open.begin(), open.end(), matches);
    if (found == open.end()) return false;
    member.id = (*found)->id;
    member.learner = (*found)->is_learner;
    open.erase(found);
    return true;
  };
  for (auto& member : cluster.members) {
    if (!member.id || !adopt(member, [&](const auto* info) { return info->id == *member.id; })) {
      unmatched.push_back(&member);
    }
  }
  std::erase_if(unmatched, [&](EtcdMember* member) {
    return adopt(*member, [&](const auto* info) { return same_name(member->name, info->name); });
  });
  if (unmatched.size() == 1 && open.size() == 1) {
    adopt(*unmatched.front(), [](const auto*) { return true; });
    unmatched.clear();
  }
  // Configured, but no member (any more), as far as the list says.
  for (EtcdMember* member : unmatched) {
    if (open.empty()) member->learner = true;  // has no vote
  }
  // Members that nobody configured take the places of the unmatched ones that may be them.
  for (std::size_t i = unmatched.size(); i < open.size(); ++i) {
    cluster.members.push_back(
        {.name = open[i]->name.empty() ? etcd::hexadecimal(open[i]->id) : open[i]->name,
         .id = open[i]->id,
         .why = "not configured",
         .learner = open[i]->is_learner});
  }
}

// Without a list (metrics only), a member that is down long enough has lost its id here. If it is
// the only one, the one peer id that nobody else has is its own.
void give_last_id(EtcdCluster& cluster) {
  std::set<std::uint64_t> strangers;
  EtcdMember* nameless = nullptr;
  for (auto& member : cluster.members) {
    if (!member.id) {
      if (nameless != nullptr) return;
      nameless = &member;
    }
    if (member.state == nullptr) continue;
    for (const auto& [peer, ignored] : member.state->round_trips) strangers.insert(peer);
  }
  for (const auto& member : cluster.members) {
    if (member.id) strangers.erase(*member.id);
  }
  if (nameless != nullptr && strangers.size() == 1) nameless->id = *strangers.begin();
}

void count(EtcdCluster& cluster) {
  for (const auto& member : cluster.members) {
    if (member.learner) continue;
    ++cluster.voters;
    switch (member.standing) {
      case EtcdStanding::agrees: ++cluster.agreeing; break;
      case EtcdStanding::disagrees: ++cluster.disagreeing; break;
      case EtcdStanding::down: ++cluster.down; break;
      case EtcdStanding::unknown: ++cluster.unknown; break;
    }
  }
  cluster.quorum = cluster.voters / 2 + 1;
  // A member that agrees has read through a quorum: fewer agreeing members than that means that the
  // exporter does not reach the others, and not that they are gone.
  const bool contradicts = cluster.agreeing > 0 && cluster.agreeing < cluster.quorum;
  if (cluster.unknown == 0 && cluster.any_answers() && !contradicts && cluster.split.empty()) {
    cluster.margin = static_cast<int>(cluster.agreeing) - static_cast<int>(cluster.quorum);
  }
}

bool same_process(const State& before, const State& after) {
  if (!before.started || !after.started) return true;
  return std::chrono::abs(*after.started - *before.started) < 2s;
}

}  // namespace

std::string EtcdCluster::name_of(std::uint64_t id) const {
  for (const auto& member : members) {
    if (member.id == id) return member.name;
  }
  return etcd::hexadecimal(id);
}

std::vector<std::string> EtcdCluster::names(EtcdStanding standing) const {
  std::vector<std::string> found;
  for (const auto& member : members) {
    if (member.configured && !member.learner && member.standing == standing) {
      found.push_back(member.name);
    }
  }
  return found;
}

std::vector<std::string> EtcdCluster::unknown_members() const {
  std::vector<std::string> found;
  for (const auto& member : members) {
    if (member.configured && !member.learner && member.standing == EtcdStanding::unknown) {
      found.push_back("etcd member " + member.name + ": " + member.why);
    }
  }
  return found;
}

bool EtcdCluster::quorum_proven() const {
  return agreeing >= quorum || std::any_of(members.begin(), members.end(), [](const auto& member) {
           return !member.learner && member.standing == EtcdStanding::agrees &&
                  member.state != nullptr && member.state->healthy == true;
         });
}

EtcdCluster etcd_cluster_of(const Snapshot& snapshot) {
  EtcdCluster cluster;
  bool alarm_listed = false;
  for (const auto& target : snapshot.etcd) {
    const State* state = target.state.get();
    alarm_listed = alarm_listed || (state != nullptr && state->alarms && !state->alarms->empty());
  }
  for (const auto& target : snapshot.etcd) {
    EtcdMember member{.name = target.target,
                      .configured = true,
                      .state = target.state.get(),
                      .observed = &target};
    auto [standing, why] = standing_of(target, alarm_listed);
    member.standing = standing;
    member.why = std::move(why);
    if (member.state != nullptr) {
      member.id = member.state->id;
      member.learner = member.state->is_learner.value_or(false);
    }
    cluster.members.push_back(std::move(member));
  }
  cluster.split = etcd_split(cluster.members);
  const auto* list = member_list(cluster.members);
  cluster.listed = list != nullptr;
  if (list != nullptr) {
    join_with_list(cluster, *list);
  } else {
    give_last_id(cluster);
  }
  count(cluster);

  for (const auto& member : cluster.members) {
    if (member.state == nullptr || member.standing == EtcdStanding::down) continue;
    for (const auto& [peer, ignored] : member.state->round_trips) {
      const auto known = std::find_if(cluster.members.begin(), cluster.members.end(),
                                      [&](const auto& other) { return other.id == peer; });
      const bool found = known != cluster.members.end();
      // A histogram stays after its peer has gone; it says nothing about now.
      if (cluster.listed && !found) continue;
      if (found && known->standing == EtcdStanding::down) continue;
      auto round_trip = etcd_round_trip(*member.observed, peer);
      if (!round_trip) continue;
      round_trip->to = cluster.name_of(peer);
      cluster.round_trips.push_back(std::move(*round_trip));
    }
  }
  return cluster;
}

std::optional<EtcdRoundTrip> etcd_round_trip(const Observed<State>& member, std::uint64_t peer) {
  constexpr auto nearly_whole_window = std::chrono::minutes(9);
  if (!member.state) return std::nullopt;
  const auto now = member.state->round_trips.find(peer);
  if (now == member.state->round_trips.end()) return std::nullopt;
  double sum = now->second.sum_seconds;
  double samples = now->second.count;
  bool windowed = false;
  for (const auto& old : member.earlier) {  // oldest first
    if (member.observed_at - old.time < nearly_whole_window) break;
    const auto before = old.state->round_trips.find(peer);
    if (before == old.state->round_trips.end() || before->second.count > samples ||
        !same_process(*old.state, *member.state)) {
      continue;
    }
    sum -= before->second.sum_seconds;
    samples -= before->second.count;
    windowed = true;
    break;
  }
  if (!(samples > 0) || !std::isfinite(sum) || sum < 0) return std::nullopt;
  return EtcdRoundTrip{.from = member.target,
                       .to = "",
                       .mean_seconds = sum / samples,
                       .samples = samples,
                       .windowed = windowed};
}

std::optional<double> etcd_leader_changes_lately(const Observed<State>& member) {
  constexpr auto window = std::chrono::minutes(10);
  if (!member.state) return std::nullopt;
  double changes = 0;
  const State* before = nullptr;
  const auto step = [&](const State& state) {
    if (!state.leader_changes) return;
    if (before != nullptr && same_process(*before, state)) {
      changes += std::max(0.0, *state.leader_changes - *before->leader_changes);
    }
    before = &state;
  };
  if (member.earlier.empty()) return std::nullopt;
  // Who is asked seldom has only one look from before: then what there was in ten minutes of that.
  const auto& newest = member.earlier.back();
  const double share =
      std::min(1.0, std::chrono::duration<double>(window) / (member.observed_at - newest.time));
  for (const auto& old : member.earlier) {
    if (member.observed_at - old.time <= window || &old == &newest) step(*old.state);
  }
  step(*member.state);
  if (before == nullptr) return std::nullopt;
  return changes * share;
}

}  // namespace shortcircuit
