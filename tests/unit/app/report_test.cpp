// What `check` says of a route that it cannot judge.
#include "app/report.h"

#include "support/catch.h"
#include "support/snapshots.h"

using namespace shortcircuit;
using namespace shortcircuit::testing;

namespace {

std::string report_of(const World& world) {
  const Fleet fleet(world.config, world.snapshot);
  return check_report(fleet, judge(fleet), {});
}

bool says(const std::string& report, std::string_view text) {
  return report.find(text) != std::string::npos;
}

}  // namespace

TEST_CASE("the report names what is unknown of a route, and counts such routes") {
  World world = World::with_route();
  CHECK(says(report_of(world), ": nothing found\n"));
  CHECK(says(report_of(world), "shop.example/  ok"));
  world.config.probes.emplace_back();
  world.snapshot.probes.push_back(
      {.target = "shop",
       .state = std::make_shared<probes::State>(probes::State{
           .outcomes = {{.name = "shop", .url = "https://shop.example/", .http_status = 503}}})});
  CHECK(says(report_of(world), "nothing found in what could be read, 1 route not judged\n"));
  CHECK(says(report_of(world), "shop.example/  unknown  probe (shop: HTTP 503)\n"));
}
