#include "sources/etcd/source.h"

#include "base/text.h"
#include "support/catch.h"
#include "support/replayed.h"
#include "support/scripted_http.h"

using namespace shortcircuit;
using namespace shortcircuit::etcd;
using shortcircuit::testing::poll_with;
using shortcircuit::testing::replayed_poll;
using shortcircuit::testing::ScriptedHttp;

namespace {

constexpr const char* metrics_body =
    "etcd_server_id{server_id=\"a0\"} 1\n"
    "etcd_server_has_leader 1\n"
    "etcd_server_is_leader 0\n"
    "etcd_server_leader_changes_seen_total 2\n"
    "etcd_server_quota_backend_bytes 0\n"
    "etcd_network_peer_round_trip_time_seconds_sum{To=\"b1\"} 1.5\n"
    "etcd_network_peer_round_trip_time_seconds_count{To=\"b1\"} 3\n"
    "etcd_request_duration_seconds_sum{operation=\"get\"} 1\n"
    "apiserver_request_total{secret=\"x\"} 1\n";

Config member() {
  Config config;
  config.target = "one";
  config.endpoint.url = "https://one:2379/";
  return config;
}

Config metrics_only(const std::string& url) {
  Config config;
  config.target = "one";
  config.metrics_url = url;
  return config;
}

}  // namespace

TEST_CASE("etcd: every recorded member of a healthy cluster is read whole") {
  for (const std::string recording : {"etcd-healthy", "etcd-healthy-3.4"}) {
    for (const std::string name : {"toa-fwd-gpu-01", "lax-fwd-gpu-01", "aus-fwd-gpu-01"}) {
      INFO(recording << " " << name);
      Config config = member();
      config.target = name;
      Source source(config);
      const auto state = replayed_poll(source, recording, "etcd", name);
      REQUIRE(state);
      CHECK(state->healthy == true);
      CHECK(state->has_leader == true);
      CHECK(state->id.has_value());
      CHECK(state->leader_id == 4380498556909456199U);
      CHECK(state->is_leader == (state->id == state->leader_id));
      CHECK(state->leader_changes == 1.0);
      CHECK(state->database_quota_bytes == 2147483648.0);
      REQUIRE(state->members);
      CHECK(state->members->size() == 3);
      REQUIRE(state->alarms);
      CHECK(state->alarms->empty());
      CHECK(state->round_trips.size() == 2);
      CHECK(state->started.has_value());
      // Decimal in JSON, hexadecimal in labels: the same ids.
      for (const auto& [peer, ignored] : state->round_trips) {
        CHECK(std::any_of(state->members->begin(), state->members->end(),
                          [&, id = peer](const auto& info) { return info.id == id; }));
      }
    }
  }
}

TEST_CASE("etcd: the survivor's own word about its leader is not believed") {
  Config config = member();
  config.target = "toa-fwd-gpu-01";
  Source source(config);
  const auto state = replayed_poll(source, "etcd-quorum-lost", "etcd", config.target);
  REQUIRE(state);
  CHECK(state->healthy == false);
  CHECK(state->health_reason == "RAFT NO LEADER");
  CHECK(state->leader_id == state->id);
  CHECK(state->has_leader == false);
  CHECK_FALSE(state->alarms.has_value());
}

TEST_CASE("etcd: a member that gives metrics only is read whole, and nothing complains") {
  Config config = metrics_only("http://10.0.0.1:2381/metrics");
  config.target = "toa-fwd-gpu-01";
  Source source(config);
  const auto state = replayed_poll(source, "etcd-k3s-embedded", "etcd", config.target);
  REQUIRE(state);
  CHECK(state->id == parse_hexadecimal("aa869cb0f2e7ed31"));
  CHECK(state->healthy == true);
  CHECK(state->is_leader == true);
  CHECK(state->version == "3.4.13");
  CHECK(state->database_bytes == 3424256.0);
  CHECK_FALSE(state->alarms.has_value());
  CHECK_FALSE(state->members.has_value());

  ScriptedHttp http;
  http.ok("http://[fd00::1]:2381/metrics", metrics_body);  // no health page on this port
  Source other(metrics_only("http://[fd00::1]:2381/metrics"));
  std::vector<Error> notes;
  const auto read = poll_with(other, http, &notes);
  REQUIRE(read);
  CHECK(notes.empty());
  CHECK(http.asked.size() == 2);
  CHECK(http.was_asked("http://[fd00::1]:2381/health"));
  CHECK_FALSE(read->healthy.has_value());
  CHECK(read->has_leader == true);
  CHECK_FALSE(read->database_quota_bytes.has_value());  // 0: the default, which nobody tells
  CHECK(read->round_trips.at(0xb1).sum_seconds == 1.5);
}

TEST_CASE("etcd: reads by POST, and only what reads") {
  ScriptedHttp http;
  http.ok("https://one:2379/metrics", metrics_body);
  Source source(member());
  REQUIRE(poll_with(source, http));
  for (const auto& request : http.asked) {
    if (request.method == Method::get) continue;
    const bool alarm = request.url.ends_with("/maintenance/alarm");
    CHECK(request.body == (alarm ? R"({"action":"GET"})" : "{}"));
    CHECK((alarm || request.url.ends_with("/maintenance/status") ||
           request.url.ends_with("/cluster/member/list")));
  }
}

TEST_CASE("etcd: the gateway of 3.3 is found, one that is absent is no failure") {
  ScriptedHttp http;
  http.ok("https://one:2379/metrics", metrics_body);
  http.ok("https://one:2379/v3beta/maintenance/status",
          R"({"header":{"member_id":"160"},"leader":"160"})");
  http.ok("https://one:2379/v3beta/maintenance/alarm", "{}");
  Source source(member());
  std::vector<Error> notes;
  auto state = poll_with(source, http, &notes);
  REQUIRE(state);
  CHECK(notes.empty());
  CHECK(state->leader_id == 160U);
  CHECK(state->alarms.has_value());
  http.asked.clear();
  REQUIRE(poll_with(source, http));
  CHECK_FALSE(http.was_asked("https://one:2379/v3/maintenance/status"));

  ScriptedHttp without;
  without.ok("https://one:2379/metrics", metrics_body);
  Source plain(member());
  state = poll_with(plain, without, &notes);
  REQUIRE(state);
  CHECK(notes.empty());
  CHECK_FALSE(state->alarms.has_value());
  CHECK(without.was_asked("https://one:2379/v3beta/maintenance/status"));
  without.asked.clear();
  REQUIRE(poll_with(plain, without));
  CHECK_FALSE(without.was_asked("https://one:2379/v3beta/maintenance/status"));
}

TEST_CASE("etcd: parts may fail, the whole only when nothing tells of the member") {
  const std::string base = "https://one:2379";
  ScriptedHttp http;
  Source source(member());
  for (const std::string path : {"/metrics", "/health", "/version", "/v3/maintenance/status",
                                 "/v3/cluster/member/list", "/v3/maintenance/alarm"}) {
    http.fails(base + path, Failure::tls);
  }
  auto state = poll_with(source, http);
  REQUIRE_FALSE(state);
  CHECK(state.error().failure == Failure::tls);

  http.status(base + "/health", 503, R"({"health":"false","reason":"RAFT NO LEADER"})");
  std::vector<Error> notes;
  state = poll_with(source, http, &notes);
  REQUIRE(state);
  CHECK(state->healthy == false);
  CHECK(state->has_leader == false);
  CHECK(notes.size() == 5);

  http.fails(base + "/health", Failure::connect);
  http.ok(base + "/metrics", "go_goroutines 7\n");  // some other program
  state = poll_with(source, http);
  REQUIRE_FALSE(state);
  CHECK(state.error().failure == Failure::schema);
}

TEST_CASE("etcd: zeros are left out of JSON: a status without a leader says that there is none") {
  ScriptedHttp http;
  http.ok("https://one:2379/v3/maintenance/status",
          R"({"header":{"member_id":"7"},"dbSize":"4096"})");
  Source source(member());
  const auto state = poll_with(source, http);
  REQUIRE(state);
  CHECK(state->leader_id == 0U);
  CHECK(state->has_leader == false);
  CHECK(state->database_bytes == 4096.0);
}

TEST_CASE("etcd: the last member list serves while nobody can say it") {
  ScriptedHttp http;
  const std::string list = "https://one:2379/v3/cluster/member/list";
  http.ok("https://one:2379/metrics", metrics_body);
  http.ok(
      list,
      R"({"members":[{"ID":"18446744073709551615","name":"one","isLearner":true},{"ID":"2"},{"ID":"2"}]})");
  Source source(member());
  auto state = poll_with(source, http);
  REQUIRE(state);
  REQUIRE(state->members);
  CHECK(state->members->at(0).id == 0xffffffffffffffffU);
  CHECK(state->members->at(0).is_learner);
  CHECK(state->members->at(1).name.empty());
  http.fails(list, Failure::timeout);
  state = poll_with(source, http);
  REQUIRE(state);
  REQUIRE(state->members);
  CHECK(state->members->size() == 2);
}

TEST_CASE("etcd: a recording keeps the member's own families and no others") {
  const auto kept = reduce_for_recording("metrics", metrics_body);
  REQUIRE(kept);
  CHECK(kept->contains("etcd_server_id"));
  CHECK_FALSE(kept->contains("apiserver"));
  CHECK_FALSE(kept->contains("etcd_request"));
  const auto members = reduce_for_recording(
      "members",
      R"({"members":[{"ID":"1","name":"a","peerURLs":["https://user:pw@h:1"],"token":"t"}],"x":1})");
  REQUIRE(members);
  CHECK_FALSE(members->contains("token"));
  CHECK_FALSE(members->contains("user:pw"));
  CHECK_FALSE(reduce_for_recording("nonsense", "{}").has_value());
}
