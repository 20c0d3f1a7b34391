// An etcd cluster that a test builds member by member, twenty minutes after its start.
#pragma once

#include "checks/check.h"
#include "fleet/etcd_cluster.h"
#include "support/pasteable.h"

namespace shortcircuit::testing {

inline const Time start = *parse_rfc3339("2026-01-01T00:00:00Z");

struct EtcdWorld {
  Config config;
  Snapshot snapshot;

  etcd::State& add(const std::string& name, std::uint64_t id) {
    states.push_back(std::make_shared<etcd::State>());
    etcd::State& state = *states.back();
    state.name = name;
    state.id = id;
    state.healthy = true;
    state.has_leader = true;
    state.leader_changes = 1;
    state.alarms.emplace();
    state.started = start;
    Observed<etcd::State> observed;
    observed.target = name;
    observed.health.up = true;
    observed.health.polls = 1;
    observed.health.last_success = start;
    observed.state = states.back();
    observed.observed_at = start + 20min;
    snapshot.etcd.push_back(std::move(observed));
    return state;
  }
  EtcdWorld& three() {
    for (std::uint64_t id = 1; id <= 3; ++id) add("m" + std::to_string(id), id);
    return *this;
  }
  void list(std::size_t by, std::vector<etcd::MemberInfo> members) {
    states[by]->members = std::move(members);
  }
  void down(std::size_t index, Failure failure = Failure::connect, int times = 3,
            bool seen = true) {
    auto& health = snapshot.etcd[index].health;
    health.up = false;
    health.consecutive_failures = times;
    health.last_error = Error{failure, "as the test wants it"};
    if (!seen) health.last_success.reset();
    if (times >= 3 || !seen) snapshot.etcd[index].state.reset();
  }
  etcd::State& earlier(std::size_t index, Duration ago) {
    auto state = std::make_shared<etcd::State>(*states[index]);
    auto& observed = snapshot.etcd[index];
    observed.earlier.push_back({observed.observed_at - ago, state});
    return *state;
  }
  Verdict judge(const CheckDefinition& check) {
    snapshot.time = start + 20min;
    const Fleet fleet(config, snapshot);
    return with_pasteable_cures(check.judge(fleet));
  }
  std::string words(const CheckDefinition& check) {
    const Verdict verdict = judge(check);
    if (!verdict.applicable) return "off";
    std::string text;
    for (const auto& finding : verdict.findings) {
      text += (text.empty() ? "" : ", ") + finding.reason + " " + finding.object;
    }
    if (text.empty()) text = verdict.unknown.empty() ? "fine" : "unknown";
    return text;
  }
  std::vector<std::shared_ptr<etcd::State>> states;
};

inline void unhealthy(etcd::State& state, const std::string& reason) {
  state.healthy = false;
  state.health_reason = reason;
}

}  // namespace shortcircuit::testing
