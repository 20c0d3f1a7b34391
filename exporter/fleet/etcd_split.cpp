#include "fleet/etcd_split.h"

#include <fmt/format.h>

#include <algorithm>

namespace shortcircuit {
namespace {

bool answers(const EtcdMember& member) {
  return member.state != nullptr && member.observed != nullptr && member.observed->health.up;
}

const etcd::State* look_before(const EtcdMember& member) {
  const auto& earlier = member.observed->earlier;
  return earlier.empty() ? nullptr : earlier.back().state.get();
}

bool led(const etcd::State* before) { return before == nullptr || before->is_leader == true; }

// It was read and does not hold the other.
bool list_lacks(const etcd::State* state, const EtcdMember& other) {
  if (state == nullptr) return true;
  return state->members && !state->members_are_old && !state->members->empty() &&
         std::ranges::none_of(*state->members, [&](const etcd::MemberInfo& info) {
           return info.id == *other.state->id;
         });
}

}  // namespace

std::string etcd_split(const std::vector<EtcdMember>& members) {
  for (const EtcdMember& one : members) {
    if (!answers(one) || one.standing != EtcdStanding::agrees) continue;
    for (const EtcdMember& other : members) {
      if (&one == &other || !answers(other)) continue;
      const bool both_lead = other.standing == EtcdStanding::agrees &&
                             one.state->is_leader == true && other.state->is_leader == true;
      if (both_lead && led(look_before(one)) && led(look_before(other))) {
        return fmt::format("{} and {} both lead", one.name, other.name);
      }
      const bool may_vote = other.state->id && other.state->is_learner != true;
      if (may_vote && list_lacks(one.state, other) && list_lacks(look_before(one), other)) {
        return fmt::format("{} agrees with its members, of which {}, which answers, is none",
                           one.name, other.name);
      }
    }
  }
  return "";
}

}  // namespace shortcircuit
