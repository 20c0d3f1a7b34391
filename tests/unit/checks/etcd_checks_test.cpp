#include <algorithm>

#include "checks/check.h"
#include "fleet/etcd_cluster.h"
#include "support/catch.h"
#include "support/pasteable.h"

using namespace shortcircuit;

namespace {

const Time start = *parse_rfc3339("2026-01-01T00:00:00Z");

// A cluster that a test builds member by member.
struct Cluster {
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
  Cluster& three() {
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
    return testing::with_pasteable_cures(check.judge(fleet));
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

void unhealthy(etcd::State& state, const std::string& reason) {
  state.healthy = false;
  state.health_reason = reason;
}

}  // namespace

TEST_CASE("etcd checks: off without etcd, fine with three that agree") {
  Cluster none;
  for (const auto* check : all_checks()) {
    if (check->layer == Layer::etcd) CHECK(none.words(*check) == "off");
  }
  Cluster cluster;
  cluster.three();
  CHECK(cluster.words(quorum_lost_check) == "fine");
  CHECK(cluster.words(quorum_margin_zero_check) == "fine");
  CHECK(etcd_cluster_of(cluster.snapshot).margin == 1);
}

TEST_CASE("etcd checks: one of three is down, two of three") {
  Cluster cluster;
  cluster.three().down(1);
  CHECK(cluster.words(quorum_margin_zero_check) == "member_down etcd");
  CHECK(cluster.words(quorum_lost_check) == "fine");
  CHECK(etcd_cluster_of(cluster.snapshot).margin == 0);
  cluster.down(2);
  unhealthy(*cluster.states[0], "RAFT NO LEADER");
  CHECK(cluster.words(quorum_lost_check) == "no_leader etcd");
  CHECK(cluster.words(quorum_margin_zero_check) == "fine");
  CHECK(etcd_cluster_of(cluster.snapshot).margin == -2);
}

TEST_CASE("etcd checks: one of five is down: a margin is left") {
  Cluster cluster;
  cluster.three();
  cluster.add("m4", 4);
  cluster.add("m5", 5);
  cluster.down(4);
  CHECK(cluster.words(quorum_margin_zero_check) == "fine");
  cluster.down(3, Failure::timeout);
  CHECK(cluster.words(quorum_margin_zero_check) == "member_down etcd");
}

TEST_CASE("etcd checks: clusters of one and of two have no margin by design") {
  Cluster cluster;
  cluster.add("only", 1);
  CHECK(cluster.words(quorum_margin_zero_check) == "fine");
  CHECK(etcd_cluster_of(cluster.snapshot).margin == 0);
  cluster.add("other", 2);
  CHECK(cluster.words(quorum_margin_zero_check) == "fine");
  cluster.down(1);
  unhealthy(*cluster.states[0], "RAFT NO LEADER");
  CHECK(cluster.words(quorum_lost_check) == "no_leader etcd");
}

TEST_CASE("etcd checks: what the exporter cannot reach or read is no evidence") {
  Cluster cluster;
  cluster.three();
  for (std::size_t i = 0; i < 3; ++i) cluster.down(i);
  CHECK(cluster.words(quorum_lost_check) == "unknown");
  CHECK(cluster.words(quorum_margin_zero_check) == "unknown");
  for (const Failure failure :
       {Failure::tls, Failure::auth, Failure::schema, Failure::resolve, Failure::status}) {
    Cluster other;
    other.three();
    other.down(0, failure);
    other.down(1, failure);
    INFO(name_of(failure));
    CHECK(other.words(quorum_margin_zero_check) == "unknown");
    unhealthy(*other.states[2], "RAFT NO LEADER");
    CHECK(other.words(quorum_lost_check) == "unknown");
  }
  // Two refuse the exporter, the third reads through the quorum: it is the exporter that is cut
  // off.
  Cluster cut_off;
  cut_off.three();
  cut_off.down(0);
  cut_off.down(1);
  CHECK(cut_off.words(quorum_lost_check) == "fine");
  CHECK(cut_off.words(quorum_margin_zero_check) == "unknown");
  CHECK_FALSE(etcd_cluster_of(cut_off.snapshot).margin.has_value());
}

TEST_CASE("etcd checks: a single missed poll says nothing") {
  Cluster cluster;
  cluster.three().down(1, Failure::timeout, 1);
  CHECK(cluster.words(quorum_margin_zero_check) == "unknown");
  cluster.down(1, Failure::timeout, 2);
  CHECK(cluster.words(quorum_margin_zero_check) == "member_down etcd");
  Cluster never_seen;
  never_seen.three().down(1, Failure::timeout, 1, false);
  CHECK(never_seen.words(quorum_margin_zero_check) == "member_down etcd");
}

TEST_CASE("etcd checks: unhealthy by an alarm is no loss of quorum") {
  Cluster cluster;
  cluster.three();
  for (auto& state : cluster.states) {
    unhealthy(*state, "ALARM NOSPACE");
    state->alarms->push_back({2, "NOSPACE"});
  }
  CHECK(cluster.words(quorum_lost_check) == "fine");
  CHECK(cluster.words(quorum_margin_zero_check) == "fine");
  CHECK(cluster.words(alarm_active_check) == "nospace m2");
  for (auto& state : cluster.states) state->health_reason.clear();  // as 3.4 says it
  CHECK(cluster.words(quorum_lost_check) == "fine");
  for (auto& state : cluster.states) {
    state->alarms.reset();  // metrics only
    state->health_reason = "ALARM CORRUPT";
  }
  CHECK(cluster.words(alarm_active_check) == "corrupt etcd");
  for (auto& state : cluster.states) state->alarms.emplace();
  for (auto& state : cluster.states) state->health_reason.clear();
  CHECK(cluster.words(quorum_lost_check) == "no_leader etcd");
}

TEST_CASE("etcd checks: alarms of metrics-only members are unknown, and nothing complains") {
  Cluster cluster;
  cluster.three();
  for (auto& state : cluster.states) state->alarms.reset();
  CHECK(cluster.words(alarm_active_check) == "fine");
}

TEST_CASE("etcd checks: a moment of disagreement is no finding") {
  Cluster cluster;
  cluster.three();
  cluster.states[0]->leader_id = 1;
  cluster.states[1]->leader_id = 2;
  cluster.states[2]->raft_term = 9;
  CHECK(cluster.words(quorum_lost_check) == "fine");
  CHECK(cluster.words(quorum_margin_zero_check) == "fine");
  CHECK(cluster.words(leader_flapping_check) == "fine");
  unhealthy(*cluster.states[0], "RANGE ERROR:etcdserver: leader changed");
  CHECK(cluster.words(quorum_margin_zero_check) == "fine");
  // Asked in the middle of an election that the others have finished.
  unhealthy(*cluster.states[0], "RAFT NO LEADER");
  cluster.earlier(1, 15s).leader_changes = 0;
  CHECK(cluster.words(quorum_margin_zero_check) == "unknown");
  cluster.snapshot.etcd[1].earlier.clear();
  CHECK(cluster.words(quorum_margin_zero_check) == "member_down etcd");
}

TEST_CASE("etcd checks: learners have no vote") {
  Cluster cluster;
  cluster.three();
  cluster.add("learner", 4);
  std::vector<etcd::MemberInfo> members;
  for (std::uint64_t id = 1; id <= 4; ++id) {
    members.push_back({id, id == 4 ? "learner" : "m" + std::to_string(id), {}, {}, id == 4});
  }
  cluster.list(0, members);
  cluster.down(3);
  CHECK(cluster.words(quorum_margin_zero_check) == "fine");
  CHECK(etcd_cluster_of(cluster.snapshot).voters == 3);
}

TEST_CASE("etcd checks: members that nobody configured are unknown, none is invented") {
  Cluster cluster;
  cluster.add("m1", 1);
  cluster.list(0, {{1, "m1", {}, {}, false}, {2, "m2", {}, {}, false}, {3, "m3", {}, {}, false}});
  CHECK(cluster.words(quorum_lost_check) == "fine");
  CHECK(cluster.judge(quorum_margin_zero_check).unknown ==
        std::vector<std::string>{"etcd: 2 of 3 voters are not in the configuration"});
  CHECK(cluster.words(quorum_margin_zero_check) == "unknown");
  const auto joined = etcd_cluster_of(cluster.snapshot);
  CHECK(joined.voters == 3);
  CHECK_FALSE(joined.margin.has_value());
  unhealthy(*cluster.states[0], "RAFT NO LEADER");
  CHECK(cluster.words(quorum_lost_check) == "unknown");
}

TEST_CASE("etcd checks: innocent: enough agree whatever the others do; learners; no list") {
  Cluster cluster;
  cluster.three();
  SECTION("three of four agree") {
    cluster.list(0, {{1, "m1", {}, {}, false},
                     {2, "m2", {}, {}, false},
                     {3, "m3", {}, {}, false},
                     {4, "m4", {}, {}, true}});
  }
  SECTION("metrics only: the configured ones are all") {}
  SECTION("one member that is the cluster") {
    cluster.snapshot.etcd.resize(1);
    cluster.list(0, {{1, "m1", {}, {}, false}});
  }
  CHECK(cluster.words(quorum_margin_zero_check) == "fine");
}

TEST_CASE("etcd checks: K3s' member names carry a suffix; a removed member has no vote") {
  Cluster cluster;
  cluster.three();
  for (auto& state : cluster.states) state->id.reset();
  cluster.down(2);
  cluster.list(0, {{11, "m1-0a1b2c3d", {}, {}, false},
                   {12, "m2-00000001", {}, {}, false},
                   {13, "m3-ffffffff", {}, {}, false}});
  auto joined = etcd_cluster_of(cluster.snapshot);
  CHECK(joined.voters == 3);
  CHECK(joined.members.size() == 3);
  CHECK(joined.name_of(13) == "m3");
  CHECK(cluster.words(quorum_margin_zero_check) == "member_down etcd");
  cluster.list(0, {{11, "m1-0a1b2c3d", {}, {}, false}, {12, "m2-00000001", {}, {}, false}});
  joined = etcd_cluster_of(cluster.snapshot);
  CHECK(joined.voters == 2);
  CHECK(cluster.words(quorum_margin_zero_check) == "fine");
}

TEST_CASE("etcd checks: flapping is counted over ten minutes, restarts are none") {
  Cluster cluster;
  cluster.three();
  CHECK(cluster.words(leader_flapping_check) == "fine");
  cluster.earlier(0, 5min).leader_changes = 10;
  cluster.states[0]->leader_changes = 12;
  CHECK(cluster.words(leader_flapping_check) == "fine");
  cluster.states[0]->leader_changes = 13;
  CHECK(cluster.words(leader_flapping_check) == "leader_changes etcd");
  // Fell to 0 and began anew.
  cluster.snapshot.etcd[0].earlier.clear();
  cluster.earlier(0, 5min).leader_changes = 40;
  cluster.states[0]->leader_changes = 1;
  CHECK(cluster.words(leader_flapping_check) == "fine");
  // Restarted without falling: another process.
  auto& before = cluster.earlier(0, 1min);
  before.leader_changes = 0;
  before.started = start - 1h;
  cluster.states[0]->leader_changes = 5;
  CHECK(cluster.words(leader_flapping_check) == "fine");
}

TEST_CASE("etcd checks: round trips against the configured timings") {
  Cluster cluster;
  cluster.three();
  cluster.states[0]->round_trips[2] = {.sum_seconds = 1.0, .count = 10};  // 100 ms
  CHECK(cluster.words(round_trip_over_budget_check) == "off");
  cluster.config.etcd_timings.election_timeout = 1s;
  CHECK(cluster.words(round_trip_over_budget_check) == "fine");
  cluster.config.etcd_timings.election_timeout = 900ms;
  CHECK(cluster.words(round_trip_over_budget_check) == "election_timeout m1 → m2");
  cluster.config.etcd_timings.election_timeout = 5s;
  cluster.config.etcd_timings.heartbeat_interval = 50ms;
  CHECK(cluster.words(round_trip_over_budget_check) == "fine");
  cluster.config.etcd_timings.heartbeat_interval = 40ms;
  CHECK(cluster.words(round_trip_over_budget_check) == "heartbeat m1 → m2");
  CHECK(cluster.judge(round_trip_over_budget_check).findings[0].severity == Severity::info);
  cluster.down(1);  // its histogram is history
  CHECK(cluster.words(round_trip_over_budget_check) == "fine");
}

TEST_CASE("etcd checks: round trips are deltas once there are ten minutes") {
  Cluster cluster;
  cluster.three();
  cluster.states[0]->round_trips[2] = {.sum_seconds = 100, .count = 1000};
  auto& old = cluster.earlier(0, 590s);
  old.round_trips[2] = {.sum_seconds = 80, .count = 960};
  auto trip = etcd_round_trip(cluster.snapshot.etcd[0], 2);
  REQUIRE(trip);
  CHECK(trip->windowed);
  CHECK(trip->mean_seconds == Approx(0.5));
  old.started = start - 1h;  // the counter began anew: since the start, then
  trip = etcd_round_trip(cluster.snapshot.etcd[0], 2);
  CHECK_FALSE(trip->windowed);
  CHECK(trip->mean_seconds == Approx(0.1));
  old.started = start;
  old.round_trips[2] = {.sum_seconds = 100, .count = 1000};  // no probe since
  CHECK_FALSE(etcd_round_trip(cluster.snapshot.etcd[0], 2).has_value());
}

TEST_CASE("etcd checks: a mean since the start is not called one of now") {
  Cluster cluster;
  cluster.three();
  cluster.config.etcd_timings.election_timeout = 900ms;
  cluster.states[0]->round_trips[2] = {.sum_seconds = 120, .count = 1000};
  const auto message = [&] {
    return cluster.judge(round_trip_over_budget_check).findings.at(0).message;
  };
  CHECK(message().contains("has taken 120 ms on average since m1 started"));
  cluster.earlier(0, 590s).round_trips[2] = {.sum_seconds = 100, .count = 900};
  CHECK(message().contains("takes 200 ms on average"));
  CHECK_FALSE(message().contains("since"));
}

TEST_CASE("etcd checks: metrics that did not come are unknown, absent ones are not") {
  Cluster cluster;
  cluster.three();
  cluster.config.etcd_timings.election_timeout = 1s;
  const auto note = [&](std::size_t index, Error error) {
    cluster.states[index]->leader_changes.reset();
    cluster.snapshot.etcd[index].health.notes = {std::move(error)};
  };
  const Error absent{Failure::status, "metrics: HTTP 404", 404};
  const Error late{Failure::timeout, "metrics: no answer in time"};
  for (std::size_t index = 0; index < 3; ++index) note(index, absent);
  CHECK(cluster.words(leader_flapping_check) == "fine");
  CHECK(cluster.words(round_trip_over_budget_check) == "fine");
  CHECK(cluster.words(database_near_quota_check) == "fine");
  note(1, late);
  CHECK(cluster.words(leader_flapping_check) == "unknown");
  CHECK(cluster.words(round_trip_over_budget_check) == "unknown");
  CHECK(cluster.words(database_near_quota_check) == "unknown");
  cluster.states[0]->leader_changes = 1;  // it counts the elections of all
  CHECK(cluster.words(leader_flapping_check) == "fine");
}

TEST_CASE(
    "etcd checks: a seldom asked member has a whole window too, and no longer one of flapping") {
  Cluster cluster;
  cluster.three();
  cluster.states[0]->round_trips[2] = {.sum_seconds = 100, .count = 1000};
  cluster.states[0]->leader_changes = 13;
  auto& old = cluster.earlier(0, 14min);
  old.round_trips[2] = {.sum_seconds = 80, .count = 960};
  old.leader_changes = 0;
  cluster.earlier(0, 7min).leader_changes = 11;
  const auto trip = etcd_round_trip(cluster.snapshot.etcd[0], 2);
  REQUIRE(trip);
  CHECK(trip->windowed);
  CHECK(trip->mean_seconds == Approx(0.5));
  // What happened before the ten minutes is not lately.
  CHECK(etcd_leader_changes_lately(cluster.snapshot.etcd[0]) == 2);
  CHECK(cluster.words(leader_flapping_check) == "fine");
  cluster.snapshot.etcd[0].earlier.pop_back();
  CHECK_FALSE(etcd_leader_changes_lately(cluster.snapshot.etcd[0]));
}

TEST_CASE("etcd checks: the database and its quota") {
  Cluster cluster;
  auto& state = cluster.add("m1", 1);
  state.database_bytes = 79;
  CHECK(cluster.words(database_near_quota_check) == "fine");
  state.database_quota_bytes = 100;
  CHECK(cluster.words(database_near_quota_check) == "fine");
  state.database_bytes = 80;
  CHECK(cluster.words(database_near_quota_check) == "quota m1");
  CHECK(cluster.judge(database_near_quota_check).findings[0].severity == Severity::warning);
  state.database_bytes = 95;
  CHECK(cluster.judge(database_near_quota_check).findings[0].severity == Severity::critical);

  // The cure names the member's own address where the member list says it.
  const auto cure = [&] { return cluster.judge(database_near_quota_check).findings[0].cure; };
  CHECK(
      cure().contains("   # then, one member at a time: etcdctl defrag "
                      "--endpoints=CLIENT-URL-OF-m1;"));
  state.members = {{.id = 2, .name = "m2", .client_urls = {"https://10.0.0.2:2379"}},
                   {.id = 1, .name = "m1", .client_urls = {"https://10.0.0.1:2379"}}};
  CHECK(cure().contains(" && etcdctl defrag --endpoints=https://10.0.0.1:2379   # "));
}
