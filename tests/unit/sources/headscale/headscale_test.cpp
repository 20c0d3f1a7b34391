#include <set>

#include "sources/headscale/parse.h"
#include "sources/headscale/source.h"
#include "support/catch.h"
#include "support/replayed.h"
#include "support/scripted_http.h"

using namespace shortcircuit;
using namespace shortcircuit::headscale;
using shortcircuit::testing::replayed_poll;

namespace {

struct Polled {
  Result<State> state;
  std::vector<Error> notes;
};

Polled poll(std::map<std::string, Result<HttpResponse>> answers) {
  shortcircuit::testing::ScriptedHttp http;
  http.answers = std::move(answers);
  Config config;
  config.endpoint.url = "https://hs/";
  Source source(config);
  std::vector<Error> notes;
  auto state = shortcircuit::testing::poll_with(source, http, &notes);
  for (const HttpRequest& request : http.asked) CHECK(request.method == Method::get);
  return {std::move(state), std::move(notes)};
}

HttpResponse ok(std::string body) { return {.status = 200, .body = std::move(body)}; }

}  // namespace

TEST_CASE("headscale: nodes, keys and health of a recording") {
  Source source(Config{});
  const auto state = replayed_poll(source, "mesh-one-stopped-one-expired", "headscale");
  REQUIRE(state);
  REQUIRE(state->nodes.size() == 5);
  const Node& expired = state->nodes[4];
  CHECK(expired.given_name == "hnd-fwd-gpu-01");
  CHECK((expired.online && expired.online_known));  // an expired node still says so
  CHECK(expired.expiry.has_value());
  CHECK_FALSE(state->nodes[0].expiry);
  CHECK(state->nodes[0].addresses.size() == 2);
  CHECK(state->nodes[0].user == "kub0");
  CHECK(state->healthy == true);
  REQUIRE(state->api_keys.size() == 1);
  CHECK(state->api_keys[0].expiration.has_value());
  CHECK(state->pre_auth_keys.size() == 1);

  const auto down = replayed_poll(source, "mesh-headscale-down", "headscale");
  REQUIRE_FALSE(down);
  CHECK(down.error().failure == Failure::connect);
}

TEST_CASE("headscale: a server before 0.23 has machines and routes of their own") {
  const auto polled = poll(
      {{"https://hs/api/v1/machine",
        ok(R"({"machines":[{"id":"7","name":"h","givenName":"h-x","namespace":{"name":"u"},)"
           R"("ipAddresses":["100.64.0.1"],"expiry":"0001-01-01T00:00:00Z","online":false,)"
           R"("forcedTags":["tag:a"],"validTags":["tag:b"],"invalidTags":["tag:c"]}]})")},
       {"https://hs/api/v1/routes",
        ok(R"({"routes":[{"id":"1","machine":{"id":"7"},"prefix":"10.0.0.0/8","advertised":true,)"
           R"("enabled":true},{"id":"2","machine":{"id":"7"},"prefix":"10.1.0.0/16","enabled":false}]})")},
       {"https://hs/health", ok(R"({"status":"pass"})")},
       {"https://hs/api/v1/apikey", ok(R"({"apiKeys":[]})")},
       {"https://hs/api/v1/preauthkey", ok(R"({"preAuthKeys":[]})")}});
  REQUIRE(polled.state);
  CHECK(polled.notes.empty());
  REQUIRE(polled.state->nodes.size() == 1);
  const Node& node = polled.state->nodes[0];
  CHECK((node.given_name == "h-x" && node.user == "u" && !node.online && !node.expiry));
  CHECK(node.tags == std::vector<std::string>{"tag:a", "tag:b"});
  CHECK(node.approved_routes == std::vector<std::string>{"10.0.0.0/8"});
  CHECK(node.available_routes == std::vector<std::string>{"10.0.0.0/8", "10.1.0.0/16"});
}

TEST_CASE("headscale: a wrong key is auth, a missing part is a note") {
  const HttpResponse refused{.status = 401, .body = "Unauthorized"};
  CHECK(poll({{"https://hs/api/v1/node", refused}}).state.error().failure == Failure::auth);
  CHECK(poll({}).state.error().failure == Failure::status);
  CHECK(poll({{"https://hs/api/v1/node", ok("Unauthorized")}}).state.error().failure ==
        Failure::syntax);
  const auto wrong = poll({{"https://hs/api/v1/node", ok(R"({"nodes":[{"online":"yes"}]})")}});
  CHECK(wrong.state.error().failure == Failure::schema);
  CHECK(wrong.state.error().message == "node: nodes[0].online: want true or false, got string");
  CHECK(poll({{"https://hs/api/v1/node", ok("{}")}}).state.error().failure == Failure::schema);
  const auto partly =
      poll({{"https://hs/api/v1/node", ok(R"({"nodes":[]})")},
            {"https://hs/health", HttpResponse{.status = 500, .body = R"({"status":"fail"})"}},
            {"https://hs/api/v1/apikey", refused}});
  REQUIRE(partly.state);
  CHECK(partly.state->healthy == false);
  CHECK(partly.notes.size() == 2);
}

TEST_CASE("headscale: a server that does not say who is online is not taken for one that says no") {
  const auto list =
      parse_nodes(R"({"nodes":[{"id":3,"name":"a"},{"id":4,"name":"a","tags":null},{"id":3}]})");
  REQUIRE(list);
  REQUIRE(list->nodes.size() == 2);
  CHECK_FALSE(list->nodes[0].online_known);
  CHECK(list->nodes[0].given_name == "a");
  CHECK(list->nodes[1].given_name == "a@4");
}

TEST_CASE("headscale: nodes without an id are all there, each by its own name") {
  auto list = parse_nodes(
      R"({"nodes":[{"givenName":"a"},{"givenName":"b"},{"givenName":"a"},{"id":7,"givenName":"c"},)"
      R"({"id":"7","givenName":"c"}]})");
  REQUIRE(list);
  REQUIRE(list->nodes.size() == 4);  // the node with an id that is listed twice is one
  std::set<std::string> names;
  for (const Node& node : list->nodes) names.insert(node.given_name);
  CHECK(names.size() == 4);
  // A route that names nobody belongs to nobody.
  REQUIRE(parse_routes(R"({"routes":[{"prefix":"10.0.0.0/8","enabled":true}]})", list->nodes));
  for (const Node& node : list->nodes) CHECK(node.approved_routes.empty());
}

TEST_CASE("headscale: an expiry beyond all times is none, one that is no time is an error") {
  const auto with_expiry = [](const std::string& expiry) {
    return parse_nodes(R"({"nodes":[{"id":"1","givenName":"a","expiry":")" + expiry +
                       R"("},{"id":"2","givenName":"b","expiry":"2027-01-01T00:00:00Z"}]})");
  };
  for (const auto* never : {"2300-01-01T00:00:00Z", "9999-12-31T23:59:59.999999999Z",
                            "0001-01-01T00:00:00Z", "1754-08-30T22:43:41Z"}) {
    INFO(never);
    const auto list = with_expiry(never);
    REQUIRE(list);
    CHECK_FALSE(list->nodes[0].expiry);
    CHECK(list->nodes[1].expiry);
  }
  CHECK(with_expiry("2260-12-31T23:59:59Z")->nodes[0].expiry);
  for (const auto* wrong : {"2300-02-30T00:00:00Z", "2300-01-01", "never"}) {
    INFO(wrong);
    CHECK(with_expiry(wrong).error().failure == Failure::schema);
  }
}

TEST_CASE("headscale: metrics count each node once") {
  Source source(Config{});
  Observed<State> observed;
  observed.state =
      std::make_shared<const State>(*replayed_poll(source, "mesh-peer-offline", "headscale"));
  observed.observed_at = *parse_rfc3339("2026-11-24T15:30:00Z");
  MetricSet metrics;
  describe({observed}, metrics);
  std::map<std::string, double> counts;
  for (const Series& series : metrics.families().at("shortcircuit_headscale_nodes").series) {
    counts[series.label_values[0]] = series.value;
  }
  CHECK(counts == std::map<std::string, double>{{"online", 2}, {"offline", 2}, {"expired", 1}});
  CHECK(
      metrics.families().at("shortcircuit_headscale_node_expiry_timestamp_seconds").series.size() ==
      1);
}

TEST_CASE("headscale: a recording holds no keys but the public prefix of API keys") {
  const auto nodes = reduce_for_recording(
      "node", R"({"nodes":[{"id":"1","givenName":"a","online":true,"nodeKey":"nodekey:s3cret",)"
              R"("preAuthKey":{"key":"s3cret"},"user":{"name":"u","email":"s3cret"}}]})");
  REQUIRE(nodes);
  CHECK(nodes->find("s3cret") == std::string::npos);
  CHECK(parse_nodes(*nodes)->nodes[0].online);
  const auto keys =
      reduce_for_recording("preauthkey", R"({"preAuthKeys":[{"id":"1","key":"s3cret"}]})");
  CHECK(keys->find("s3cret") == std::string::npos);
  CHECK(reduce_for_recording("apikey", R"({"apiKeys":[{"prefix":"abc"}]})")->find("abc") !=
        std::string::npos);
}
