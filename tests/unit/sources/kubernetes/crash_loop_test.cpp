// How a pod's containers tell of a crash loop, at each of the moments that one is made of.
#include <fmt/format.h>

#include "base/json.h"
#include "sources/kubernetes/parse_workloads.h"
#include "support/catch.h"

using namespace shortcircuit;
using namespace shortcircuit::kubernetes;

namespace {

Pod pod_with(const std::string& container) {
  Pod pod;
  const auto read = read_json(
      fmt::format(R"({{"metadata":{{"name":"operator-0"}},"status":{{"containerStatuses":[{}]}}}})",
                  container),
      [&](JsonView object) { pod = parse_pod(object); });
  REQUIRE(read);
  return pod;
}

struct Run {
  std::string ready = "false";
  int restarts = 17;
  int exit_code = 1;
  std::string last_start = "2026-11-24T15:28:00Z";
  std::string last_end = "2026-11-24T15:28:20Z";
};

// It runs at the moment, and the run before ended as told.
Pod running(const Run& run) {
  return pod_with(fmt::format(
      R"({{"ready":{},"restartCount":{},"state":{{"running":{{"startedAt":"2026-11-24T15:29:50Z"}}}},
          "lastState":{{"terminated":{{"exitCode":{},"startedAt":"{}","finishedAt":"{}"}}}}}})",
      run.ready, run.restarts, run.exit_code, run.last_start, run.last_end));
}

}  // namespace

TEST_CASE("kubernetes: a crash loop is one at each of its moments") {
  CHECK(pod_with(R"({"state":{"waiting":{"reason":"CrashLoopBackOff"}}})").waiting_reason ==
        "CrashLoopBackOff");
  CHECK(pod_with(R"({"state":{"terminated":{"exitCode":1}},
                     "lastState":{"terminated":{"exitCode":1}}})")
            .waiting_reason == "CrashLoopBackOff");
  CHECK(running({}).restarted_after_crash == parse_rfc3339("2026-11-24T15:29:50Z"));
  // It did not even begin.
  CHECK(running({.last_start = "0001-01-01T00:00:00Z"}).restarted_after_crash);
}

TEST_CASE("kubernetes: a container that runs and is not in a crash loop") {
  CHECK_FALSE(running({.ready = "true"}).restarted_after_crash);
  CHECK_FALSE(running({.restarts = 1}).restarted_after_crash);  // once is no loop
  CHECK_FALSE(running({.exit_code = 0}).restarted_after_crash);
  // It ran for days before its node went down.
  CHECK_FALSE(
      running({.exit_code = 255, .last_start = "2026-11-20T00:00:00Z"}).restarted_after_crash);
  CHECK_FALSE(pod_with(R"({"ready":false,"restartCount":0,
                           "state":{"running":{"startedAt":"2026-11-24T15:29:50Z"}}})")
                  .restarted_after_crash);
}
