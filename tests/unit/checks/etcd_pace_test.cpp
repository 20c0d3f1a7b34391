// What the metrics say: leader_flapping, round_trip_over_budget, database_near_quota.
#include "support/catch.h"
#include "support/etcd_world.h"

using namespace shortcircuit;
using namespace shortcircuit::testing;

TEST_CASE("etcd checks: flapping is counted over ten minutes, restarts are none") {
  EtcdWorld cluster;
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
  EtcdWorld cluster;
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
  EtcdWorld cluster;
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
  EtcdWorld cluster;
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
  EtcdWorld cluster;
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
  EtcdWorld cluster;
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
  CHECK(etcd_leader_changes_lately(cluster.snapshot.etcd[0]) == Approx(13 * 10.0 / 14));
}

TEST_CASE("etcd checks: the database and its quota") {
  EtcdWorld cluster;
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
      cure().contains("   # then, one member at a time: etcdctl --command-timeout=120s defrag "
                      "--endpoints=CLIENT-URL-OF-m1;"));
  state.members = {{.id = 2, .name = "m2", .client_urls = {"https://10.0.0.2:2379"}},
                   {.id = 1, .name = "m1", .client_urls = {"https://10.0.0.1:2379"}}};
  CHECK(cure().contains(
      "; etcdctl --command-timeout=120s defrag --endpoints=https://10.0.0.1:2379   # "));
}

TEST_CASE(
    "leader_flapping: of a member that is asked once an hour, what there was in ten minutes") {
  EtcdWorld cluster;
  cluster.three();
  cluster.earlier(0, 1h).leader_changes = 10;
  cluster.states[0]->leader_changes = 40;
  CHECK(etcd_leader_changes_lately(cluster.snapshot.etcd[0]) == 5);
  CHECK(cluster.words(leader_flapping_check) == "leader_changes etcd");
  cluster.states[0]->leader_changes = 20;
  CHECK(cluster.words(leader_flapping_check) == "fine");
}
