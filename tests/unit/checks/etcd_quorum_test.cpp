// Who answers, agrees and votes: quorum_lost, quorum_margin_zero, alarm_active.
#include "support/catch.h"
#include "support/etcd_world.h"

using namespace shortcircuit;
using namespace shortcircuit::testing;

TEST_CASE("etcd checks: off without etcd, fine with three that agree") {
  EtcdWorld none;
  for (const auto* check : all_checks()) {
    if (check->layer == Layer::etcd) CHECK(none.words(*check) == "off");
  }
  EtcdWorld cluster;
  cluster.three();
  CHECK(cluster.words(quorum_lost_check) == "fine");
  CHECK(cluster.words(quorum_margin_zero_check) == "fine");
  CHECK(etcd_cluster_of(cluster.snapshot).margin == 1);
}

TEST_CASE("etcd checks: one of three is down, two of three") {
  EtcdWorld cluster;
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
  EtcdWorld cluster;
  cluster.three();
  cluster.add("m4", 4);
  cluster.add("m5", 5);
  cluster.down(4);
  CHECK(cluster.words(quorum_margin_zero_check) == "fine");
  cluster.down(3, Failure::timeout);
  CHECK(cluster.words(quorum_margin_zero_check) == "member_down etcd");
}

TEST_CASE("etcd checks: clusters of one and of two have no margin by design") {
  EtcdWorld cluster;
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
  EtcdWorld cluster;
  cluster.three();
  for (std::size_t i = 0; i < 3; ++i) cluster.down(i);
  CHECK(cluster.words(quorum_lost_check) == "unknown");
  CHECK(cluster.words(quorum_margin_zero_check) == "unknown");
  for (const Failure failure :
       {Failure::tls, Failure::auth, Failure::schema, Failure::resolve, Failure::status}) {
    EtcdWorld other;
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
  EtcdWorld cut_off;
  cut_off.three();
  cut_off.down(0);
  cut_off.down(1);
  CHECK(cut_off.words(quorum_lost_check) == "fine");
  CHECK(cut_off.words(quorum_margin_zero_check) == "unknown");
  CHECK_FALSE(etcd_cluster_of(cut_off.snapshot).margin.has_value());
}

TEST_CASE("etcd checks: a single missed poll says nothing") {
  EtcdWorld cluster;
  cluster.three().down(1, Failure::timeout, 1);
  CHECK(cluster.words(quorum_margin_zero_check) == "unknown");
  cluster.down(1, Failure::timeout, 2);
  CHECK(cluster.words(quorum_margin_zero_check) == "member_down etcd");
  EtcdWorld never_seen;
  never_seen.three().down(1, Failure::timeout, 1, false);
  CHECK(never_seen.words(quorum_margin_zero_check) == "member_down etcd");
}

TEST_CASE("etcd checks: unhealthy by an alarm is no loss of quorum") {
  EtcdWorld cluster;
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
  EtcdWorld cluster;
  cluster.three();
  for (auto& state : cluster.states) state->alarms.reset();
  CHECK(cluster.words(alarm_active_check) == "fine");
}

TEST_CASE("etcd checks: a moment of disagreement is no finding") {
  EtcdWorld cluster;
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
  EtcdWorld cluster;
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
  EtcdWorld cluster;
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

TEST_CASE("etcd checks: innocent: enough agree whatever the others do, learners, no list") {
  EtcdWorld cluster;
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

TEST_CASE("etcd checks: K3s' member names carry a suffix, a removed member has no vote") {
  EtcdWorld cluster;
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

TEST_CASE("etcd checks: members that go on without each other are not one cluster") {
  EtcdWorld cluster;
  cluster.three();
  const std::vector<etcd::MemberInfo> all{
      {1, "m1", {}, {}, false}, {2, "m2", {}, {}, false}, {3, "m3", {}, {}, false}};
  SECTION("one was reset to a cluster of itself") {
    cluster.list(0, {{1, "m1", {}, {}, false}});
    cluster.list(1, all);
    CHECK(cluster.words(quorum_lost_check) == "split etcd");
    CHECK(cluster.words(quorum_margin_zero_check) == "unknown");
    CHECK_FALSE(etcd_cluster_of(cluster.snapshot).margin);
    // The others have no quorum of their own any more.
    unhealthy(*cluster.states[1], "RAFT NO LEADER");
    cluster.down(2);
    CHECK(cluster.words(quorum_lost_check) == "split etcd");
  }
  SECTION("metrics only: two lead, in two looks") {
    for (const std::size_t i : {0U, 1U}) {
      cluster.states[i]->is_leader = true;
      cluster.earlier(i, 15s);
    }
    CHECK(cluster.words(quorum_lost_check) == "split etcd");
  }
  SECTION("innocent: the leader changed between the two being asked") {
    cluster.states[0]->is_leader = true;
    cluster.states[1]->is_leader = true;
    cluster.earlier(0, 15s);
    cluster.earlier(1, 15s).is_leader = false;
    CHECK(cluster.words(quorum_lost_check) == "fine");
  }
  SECTION("innocent: a member that is being added") {
    cluster.list(0, {{1, "m1", {}, {}, false}, {2, "m2", {}, {}, false}});
    cluster.list(1, all);
    cluster.earlier(0, 15s);
    cluster.list(0, all);
    CHECK(cluster.words(quorum_lost_check) == "fine");
  }
  SECTION("innocent: a list of an earlier poll, from before a member was made anew") {
    cluster.list(0, {{1, "m1", {}, {}, false}, {2, "m2", {}, {}, false}, {9, "m3", {}, {}, false}});
    cluster.states[0]->members_are_old = true;
    cluster.list(1, all);
    CHECK(cluster.words(quorum_lost_check) == "fine");
    CHECK(etcd_cluster_of(cluster.snapshot).name_of(3) == "m3");
  }
  SECTION("innocent: a removed member that is down") {
    cluster.list(0, {{1, "m1", {}, {}, false}, {2, "m2", {}, {}, false}});
    cluster.down(2);
    CHECK(cluster.words(quorum_lost_check) == "fine");
  }
}
