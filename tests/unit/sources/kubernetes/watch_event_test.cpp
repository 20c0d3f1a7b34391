// What events make of a list: the same as listing again would.
#include "sources/kubernetes/watch_event.h"

#include <random>

#include "base/text.h"
#include "sources/kubernetes/kinds.h"
#include "support/catch.h"
#include "support/kubernetes_list.h"

using namespace shortcircuit;
using namespace shortcircuit::testing;
using namespace shortcircuit::kubernetes;

namespace {

std::string object(const std::string& name, const std::string& version,
                   const std::string& more = "") {
  return R"({"metadata":{"namespace":"shop","name":")" + name + R"(","resourceVersion":")" +
         version + R"("})" + more + "}";
}

std::string event(const std::string& type, const std::string& of) {
  return R"({"type":")" + type + R"(","object":)" + of + "}";
}

std::string body_of(const List& list, const std::string& items, const std::string& version = "10") {
  return list_body(list_kind(list.kind), R"("resourceVersion":")" + version + "\"", items);
}

std::string raw(const std::string& name) {
  auto body = read_file(SHORTCIRCUIT_RECORDINGS "/raw/kubernetes/" + name);
  REQUIRE(body);
  return *body;
}

// Every event of a recorded watch, then apply().
void follow(List& list, const std::string& recording) {
  for (const std::string_view line : split(raw(recording), '\n')) {
    if (!trim(line).empty()) REQUIRE(take_event(list, line));
  }
  list.apply();
}

}  // namespace

TEST_CASE("kubernetes: events change a list in one step") {
  ListOf<Pod> pods("pods", "/api/v1/pods", parse_pod);
  REQUIRE(pods.read(body_of(pods, object("b", "1") + "," + object("a", "2"))));
  CHECK(pods.resource_version == "10");
  pods.apply();
  CHECK(pods.items[0].name.name == "a");
  REQUIRE(take_event(pods, event("ADDED", object("ab", "11"))));
  REQUIRE(
      take_event(pods, event("MODIFIED", object("b", "12", R"(,"status":{"phase":"Failed"})"))));
  REQUIRE(take_event(pods, event("DELETED", object("a", "13"))));
  REQUIRE(take_event(
      pods,
      R"({"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"20","creationTimestamp":null}}})"));
  CHECK(pods.resource_version == "20");
  CHECK(pods.items.size() == 2);
  CHECK(pods.items[0].name.name == "a");
  pods.apply();
  REQUIRE(pods.items.size() == 2);
  CHECK(pods.items[0].name.name == "ab");
  CHECK(pods.items[1].phase == "Failed");
  // Deleted and there again; what was never there.
  REQUIRE(take_event(pods, event("DELETED", object("b", "21"))));
  REQUIRE(take_event(pods, event("ADDED", object("b", "22"))));
  REQUIRE(take_event(pods, event("DELETED", object("unknown", "23"))));
  pods.apply();
  CHECK(pods.items.size() == 2);
}

TEST_CASE("kubernetes: what is no event ends the following") {
  ListOf<Pod> pods("pods", "/api/v1/pods", parse_pod);
  REQUIRE(pods.read(body_of(pods, object("a", "1"))));
  const auto failure_of = [&](std::string_view line) {
    const auto result = take_event(pods, line);
    REQUIRE_FALSE(result);
    return result.error();
  };
  const std::string too_old = raw("watch-too-old.http");
  const Error expired = failure_of(too_old.substr(too_old.find("\r\n\r\n") + 4));
  CHECK(expired.failure == Failure::status);
  CHECK(expired.http_status == 410);
  CHECK(failure_of(R"({"type":"ERROR","object":{}})").http_status == 500);
  CHECK(failure_of(R"({"type":"ADD)").failure == Failure::syntax);
  CHECK(failure_of(R"({"type":"MOVED","object":{"metadata":{"resourceVersion":"2"}}})").failure ==
        Failure::schema);
  CHECK(failure_of(event("ADDED", R"({"metadata":{"name":"x"}})")).failure == Failure::schema);
  CHECK(failure_of(event("ADDED", R"({"metadata":{"resourceVersion":"2"}})")).failure ==
        Failure::schema);
  CHECK(failure_of(event("ADDED", object("x", "2", R"(,"status":7)"))).failure == Failure::schema);
  CHECK(failure_of("[]").failure == Failure::schema);
  CHECK(pods.resource_version == "10");
}

TEST_CASE("kubernetes: a recorded watch: hand-kept endpoints emptied and filled") {
  ListOf<EndpointSlice> endpoints("endpoints", "/api/v1/endpoints", parse_endpoints);
  follow(endpoints, "watch-endpoints.jsonl");
  REQUIRE(endpoints.items.size() == 1);
  CHECK(endpoints.items[0].service == "feeders");
  CHECK(endpoints.items[0].endpoints.back().addresses.front() == "100.67.0.20");
  CHECK(endpoints.resource_version == "1098");

  // The mirrored slice comes back under another name.
  ListOf<EndpointSlice> slices("endpointslices", "/slices", parse_endpoint_slice);
  follow(slices, "watch-endpointslices.jsonl");
  REQUIRE(slices.items.size() == 1);
  CHECK(slices.items[0].name.name == "feeders-gv8wg");
  CHECK(slices.items[0].service == "feeders");

  ListOf<Middleware> middlewares("middlewares", "/middlewares", parse_middleware);
  follow(middlewares, "watch-middlewares.jsonl");
  REQUIRE(middlewares.items.size() == 1);
}

TEST_CASE("kubernetes: endpoints without subsets and ConfigMaps without proxies are no items") {
  ListOf<EndpointSlice> endpoints("endpoints", "/api/v1/endpoints", parse_endpoints);
  const std::string two =
      R"(,"subsets":[{"addresses":[{"ip":"10.0.0.1"}]},{"addresses":[{"ip":"10.0.0.2"}]}])";
  REQUIRE(endpoints.read(body_of(endpoints, object("a", "1", two))));
  CHECK(endpoints.items.size() == 2);
  REQUIRE(take_event(endpoints, event("MODIFIED", object("a", "2"))));
  endpoints.apply();
  CHECK(endpoints.items.empty());

  ListOf<ConfigMap> maps("configmaps", "/api/v1/configmaps", parse_kept_config_map);
  const std::string proxy = R"(,"data":{"X_PROXY":"http://10.0.0.1:1"})";
  REQUIRE(maps.read(body_of(maps, object("a", "1", proxy) + "," + object("b", "1"))));
  CHECK(maps.items.size() == 1);
  REQUIRE(take_event(maps, event("MODIFIED", object("a", "2"))));
  REQUIRE(take_event(maps, event("MODIFIED", object("b", "3", proxy))));
  maps.apply();
  REQUIRE(maps.items.size() == 1);
  CHECK(maps.items[0].name.name == "b");
}

TEST_CASE("kubernetes: random events give the list that listing gives") {
  std::mt19937 random(1);  // NOLINT: the same run every time
  std::map<std::string, std::string> cluster;
  ListOf<Pod> followed("pods", "/api/v1/pods", parse_pod);
  const auto listed = [&] {
    std::string items;
    for (const auto& [name, body] : cluster) items += (items.empty() ? "" : ",") + body;
    ListOf<Pod> list("pods", "/api/v1/pods", parse_pod);
    REQUIRE(list.read(body_of(list, items)));
    return list;
  };
  for (int step = 0; step < 2000; ++step) {
    const std::string name = "pod-" + std::to_string(random() % 40);
    const std::string version = std::to_string(100 + step);
    const bool present = cluster.contains(name);
    if (present && random() % 3 == 0) {
      REQUIRE(take_event(followed, event("DELETED", object(name, version))));
      cluster.erase(name);
    } else {
      const std::string body = object(name, version, R"(,"status":{"phase":")" + version + R"("})");
      REQUIRE(take_event(followed, event(present ? "MODIFIED" : "ADDED", body)));
      cluster[name] = body;
    }
    if (random() % 10 != 0) continue;
    CHECK(followed.unexplained(listed()).size() <= 40);
    followed.apply();
    CHECK(followed.unexplained(listed()).empty());
    CHECK(followed.items == listed().items);
  }
}

TEST_CASE("kubernetes: a list that differs without an event is told apart from a race") {
  ListOf<Pod> followed("pods", "/api/v1/pods", parse_pod);
  REQUIRE(followed.read(
      body_of(followed, object("a", "1") + "," + object("b", "1") + "," + object("c", "1"))));
  followed.apply();
  ListOf<Pod> listed("pods", "/api/v1/pods", parse_pod);
  REQUIRE(listed.read(body_of(listed, object("a", "1") + "," +
                                          object("b", "9", R"(,"status":{"phase":"Failed"})") +
                                          "," + object("d", "9"))));
  const auto names = followed.unexplained(listed);
  REQUIRE(names.size() == 3);  // b changed, c went, d came
  REQUIRE(take_event(followed, event("DELETED", object("c", "9"))));
  REQUIRE(take_event(followed, event("ADDED", object("d", "9"))));
  CHECK(followed.unexplained(listed) == std::vector<ObjectName>{{"shop", "b"}});
  // Another resourceVersion alone is no difference: a lock changes it every two seconds.
  ListOf<Pod> same("pods", "/api/v1/pods", parse_pod);
  REQUIRE(
      same.read(body_of(same, object("a", "7") + "," + object("b", "7") + "," + object("c", "7"))));
  followed.become(same);
  CHECK(followed.unexplained(same).empty());
}
