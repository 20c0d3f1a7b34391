#include "sources/linstor/source.h"

#include <algorithm>

#include "base/text.h"
#include "sources/linstor/parse.h"
#include "support/catch.h"
#include "support/replayed.h"
#include "support/scripted_http.h"

using namespace shortcircuit;
using namespace shortcircuit::linstor;
using shortcircuit::testing::poll_with;
using shortcircuit::testing::replayed_poll;
using shortcircuit::testing::ScriptedHttp;

namespace {

const std::string base = "http://controller:3370/v1";

Config controller() {
  Config config;
  config.endpoint.url = "http://controller:3370";
  return config;
}

ScriptedHttp small_cluster() {
  ScriptedHttp http;
  http.ok(base + "/nodes", R"([{"name":"n1","type":"SATELLITE","connection_status":"ONLINE",
      "props":{"PrefNic":"lan","Aux/topology/site":"here"},"resource_layers":["STORAGE"],
      "unsupported_layers":{"DRBD":["no module"]},"net_interfaces":[{"name":"default","address":"10.0.0.1","is_active":true}]}])");
  http.ok(base + "/controller/version", R"({"version":"1.33.3"})");
  http.ok(base + "/view/resources", R"([{"name":"r1","node_name":"n1","state":{"in_use":false},
      "layer_object":{"type":"DRBD","drbd":{"drbd_resource_definition":{"secret":"planted-secret"},
      "connections":{"n2":{"connected":false,"message":"Connecting"}}}},
      "volumes":[{"volume_number":0,"storage_pool_name":"p","provider_kind":"LVM","state":{"disk_state":"Inconsistent",
      "replication_states":{"n2":{"replication_state":"SyncTarget","done_percentage":12.5}}}}]}])");
  http.ok(base + "/view/storage-pools?cached=true", R"([
      {"storage_pool_name":"p","node_name":"n1","provider_kind":"LVM","free_capacity":10,"total_capacity":100},
      {"storage_pool_name":"d","node_name":"n1","provider_kind":"DISKLESS","free_capacity":9223372036854775807,"total_capacity":9223372036854775807},
      {"storage_pool_name":"q","node_name":"n1","provider_kind":"LVM"}])");
  http.ok(
      base + "/resource-definitions",
      R"([{"name":"r1","resource_group_name":"g","flags":["DELETE"],"layer_data":[{"type":"DRBD","data":{"secret":"planted-secret"}},{"type":"STORAGE"}],"props":{"DrbdOptions/Resource/quorum":"majority","DrbdOptions/Net/shared-secret":"planted-secret"}}])");
  http.ok(
      base + "/resource-groups",
      R"([{"name":"g","props":{"PrefNic":"san"},"select_filter":{"place_count":2,"layer_stack":["DRBD","STORAGE"]}}])");
  http.ok(base + "/node-connections", "[]");
  http.ok(base + "/error-reports?limit=10000", R"([{"error_time":2000},{"error_time":1000}])");
  http.ok(
      base + "/resource-definitions/r1/resource-connections",
      R"([{"node_a":"n1","node_b":"n2","props":{"Paths/b/n1":"lan","Paths/b/n2":"san","Paths/a/n1":"x","Other":"y"}},
              {"node_a":"n1","node_b":"n3"}])");
  return http;
}

}  // namespace

TEST_CASE("linstor: everything of a small cluster") {
  ScriptedHttp http = small_cluster();
  Source source(controller());
  std::vector<Error> notes;
  const auto state = poll_with(source, http, &notes);
  REQUIRE(state);
  CHECK(notes.empty());
  const Node& node = state->nodes.at(0);
  CHECK(node.preferred_nic == "lan");
  CHECK(node.aux.at("topology/site") == "here");
  CHECK_FALSE(node.drbd_supported);
  CHECK(node.drbd_unsupported_reason == "no module");
  const Resource& resource = state->resources->at(0);
  CHECK((resource.is_drbd && resource.has_state && resource.in_use == false));
  CHECK(resource.connections.at("n2").message == "Connecting");
  CHECK(resource.volumes.at(0).disk_state == "Inconsistent");
  CHECK(resource.volumes.at(0).synchronized_percent == 12.5);
  const auto& definition = state->definitions->at(0);
  CHECK(definition.layers == std::vector<std::string>{"DRBD", "STORAGE"});
  CHECK(definition.flags == std::vector<std::string>{"DELETE"});
  CHECK(definition.quorum == "majority");
  CHECK(state->groups->at(0).place_count == 2);
  CHECK(state->groups->at(0).layers == std::vector<std::string>{"DRBD", "STORAGE"});
  CHECK(node.interfaces.at(0).active);
  const auto& pools = *state->storage_pools;
  CHECK(pools[0].free_bytes == 10240.0);
  CHECK(pools[0].total_bytes == 102400.0);
  CHECK_FALSE(pools[1].free_bytes.has_value());
  CHECK_FALSE(pools[2].total_bytes.has_value());
  CHECK(state->definitions->at(0).group == "g");
  CHECK(state->groups->at(0).preferred_nic == "san");
  CHECK(state->error_reports == 2);
  CHECK(state->newest_error_report == Time(std::chrono::milliseconds(2000)));
  REQUIRE(state->resource_connections->size() == 1);
  const auto& paths = state->resource_connections->at(0).paths;
  REQUIRE(paths.size() == 2);
  CHECK(paths[0].name == "a");
  CHECK(paths[1].interfaces.at("n2") == "san");
  for (const auto& request : http.asked) {
    CHECK(request.method == Method::get);
    CHECK(request.headers == std::vector<std::pair<std::string, std::string>>{{"Accept", "*/*"}});
    CHECK_FALSE(request.url.contains("controller/properties"));
  }
}

TEST_CASE("linstor: every recording can be read") {
  for (const std::string name :
       {"healthy", "degraded", "node-offline", "node-evicted", "node-never-reachable",
        "drbd-module-missing", "fresh", "storage-pool-error", "resource-create-failed",
        "prefnic-and-path-levels", "controller-just-started", "error-reports-present"}) {
    INFO(name);
    Source source(controller());
    const auto state = replayed_poll(source, "linstor-" + std::string(name), "linstor");
    REQUIRE(state);
    CHECK(state->resources.has_value());
    CHECK(state->connections_unknown.empty());
  }
}

TEST_CASE("linstor: only the nodes are essential, a part is remembered for two polls") {
  ScriptedHttp http = small_cluster();
  Source source(controller());
  REQUIRE(poll_with(source, http));
  // A satellite hangs: 500 without text.
  http.status(base + "/view/resources", 500, R"([{"ret_code":-4611686018427386906}])");
  for (int poll = 1; poll <= 2; ++poll) {
    std::vector<Error> notes;
    const auto state = poll_with(source, http, &notes);
    REQUIRE(state);
    CHECK(state->resources.has_value());
    REQUIRE(notes.size() == 1);
    CHECK(notes[0].failure == Failure::status);
  }
  CHECK_FALSE(poll_with(source, http)->resources.has_value());
  http = small_cluster();
  CHECK(poll_with(source, http)->resources.has_value());
  http.fails(base + "/nodes", Failure::timeout);
  const auto failed = poll_with(source, http);
  REQUIRE_FALSE(failed);
  CHECK(failed.error().failure == Failure::timeout);
}

TEST_CASE("linstor: not logged in is 400 here, and is auth") {
  for (const std::string message :
       {"Login required but no 'Authorization' header given.", "Sign-in failed"}) {
    ScriptedHttp http;
    http.status(base + "/nodes", 400,
                R"([{"ret_code":-4611686018427377903,"message":")" + message + "\"}]");
    Source source(controller());
    const auto state = poll_with(source, http);
    REQUIRE_FALSE(state);
    CHECK(state.error().failure == Failure::auth);
  }
  ScriptedHttp http;
  http.status(base + "/nodes", 400, "[]");
  Source source(controller());
  CHECK(poll_with(source, http).error().failure == Failure::status);
}

TEST_CASE("linstor: connections that could not be read are unknown by definition") {
  ScriptedHttp http = small_cluster();
  http.fails(base + "/resource-definitions/r1/resource-connections", Failure::timeout);
  Source source(controller());
  const auto state = poll_with(source, http);
  REQUIRE(state);
  CHECK(state->connections_unknown == std::vector<std::string>{"r1"});
  CHECK(state->resource_connections->empty());
}

TEST_CASE("linstor: many definitions are asked for in turns") {
  ScriptedHttp http = small_cluster();
  std::string definitions = "[";
  for (int i = 0; i < 100; ++i) {
    const std::string name = "r" + std::to_string(1000 + i);
    definitions += (i == 0 ? "" : ",") + std::string(R"({"name":")") + name + "\"}";
    http.ok(base + "/resource-definitions/" + name + "/resource-connections", "[]");
  }
  http.ok(base + "/resource-definitions", definitions + "]");
  Source source(controller());
  const auto asked = [&] {
    return std::count_if(http.asked.begin(), http.asked.end(), [](const auto& request) {
      return request.url.ends_with("/resource-connections");
    });
  };
  CHECK(poll_with(source, http)->connections_unknown.empty());
  CHECK(asked() == 100);
  http.asked.clear();
  CHECK(poll_with(source, http)->connections_unknown.empty());
  CHECK(asked() == 32);
}

TEST_CASE("linstor: answers of the wrong shape") {
  CHECK(parse_nodes("{}").error().failure == Failure::schema);
  CHECK(parse_nodes(R"([{"type":"SATELLITE"}])").error().failure == Failure::schema);
  CHECK(parse_resources("[{}]").error().failure == Failure::schema);
  CHECK(parse_storage_pools(R"([{"storage_pool_name":"p","node_name":"n","free_capacity":"x"}])")
            .error()
            .failure == Failure::schema);
  CHECK(parse_error_reports("<html>").error().failure == Failure::syntax);
  // Found by fuzzing: a time far beyond any clock counts as a report without a time.
  const auto reports = parse_error_reports(R"([{"error_time":17952530685999999}])");
  REQUIRE(reports);
  CHECK((reports->count == 1 && !reports->newest));
}

TEST_CASE("linstor: DRBD's secret never reaches a recording") {
  ScriptedHttp http = small_cluster();
  Source source(controller());
  REQUIRE(poll_with(source, http));
  for (const auto& request : http.asked) {
    const auto kept = reduce_for_recording(request.answer, http.answers.at(request.url)->body);
    INFO(request.answer);
    REQUIRE(kept);
    CHECK_FALSE(kept->contains("planted-secret"));
  }
  const auto definitions = reduce_for_recording(
      "resource-definitions", http.answers.at(base + "/resource-definitions")->body);
  CHECK(definitions->contains("DrbdOptions/Resource/quorum"));
  const auto connections = reduce_for_recording(
      "resource-connections-r1",
      R"([{"node_a":"a","node_b":"b","props":{"Paths/p/a":"lan","DrbdOptions/Net/shared-secret":"planted-secret"}}])");
  REQUIRE(connections);
  CHECK(connections->contains("Paths/p/a"));
  CHECK_FALSE(connections->contains("planted-secret"));
  for (const auto* answer : {"view-resources", "resource-definitions"}) {
    const auto body = read_file(std::string(SHORTCIRCUIT_RECORDINGS) + "/linstor-healthy/linstor/" +
                                answer + ".json");
    REQUIRE(body);
    CHECK_FALSE(reduce_for_recording(answer, *body)->contains("drbd-shared-secret"));
  }
  CHECK_FALSE(reduce_for_recording("controller-properties", "{}").has_value());
}

TEST_CASE("linstor: what was read before an outage does not come back after it") {
  ScriptedHttp http = small_cluster();
  Source source(controller());
  REQUIRE(poll_with(source, http));
  const auto nodes = http.answers.at(base + "/nodes");
  const auto outage = [&](int polls) {
    http.status(base + "/nodes", 503);
    for (int poll = 0; poll < polls; ++poll) CHECK_FALSE(poll_with(source, http));
    http.answers[base + "/nodes"] = nodes;
    http.status(base + "/view/resources", 500);
    http.status(base + "/resource-definitions/r1/resource-connections", 500);
    return poll_with(source, http);
  };
  SECTION("a missed poll is bridged") {
    const auto state = outage(1);
    REQUIRE(state);
    CHECK(state->resources.has_value());
    CHECK(state->connections_unknown.empty());
  }
  SECTION("an outage is not") {
    const auto state = outage(8);
    REQUIRE(state);
    CHECK_FALSE(state->resources.has_value());
    CHECK(state->storage_pools.has_value());  // read anew
    CHECK(state->connections_unknown == std::vector<std::string>{"r1"});
  }
}
