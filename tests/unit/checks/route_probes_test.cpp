// Probes of a route's URL: what a visitor gets, whatever the cluster's objects say.
#include "checks/route_probes.h"

#include "support/catch.h"
#include "support/snapshots.h"

using namespace shortcircuit;
using namespace shortcircuit::testing;

namespace {

World probed(probes::Outcome outcome) {
  World world = World::with_route();
  world.config.probes.emplace_back();
  outcome.name = "shop";
  if (outcome.url.empty()) outcome.url = "https://shop.example/";
  world.snapshot.probes.push_back(
      {.target = "shop",
       .state = std::make_shared<probes::State>(probes::State{.outcomes = {std::move(outcome)}})});
  return world;
}

}  // namespace

TEST_CASE("a route whose probe fails is not sound, and nobody knows why") {
  SECTION("503, 404 of a URL that somebody wrote down, no answer") {
    const int which = GENERATE(0, 1, 2);
    const World world = which == 0   ? probed({.http_status = 503})
                        : which == 1 ? probed({.http_status = 404})
                                     : probed({.failure = Failure::connect});
    CHECK(world.findings().empty());
    CHECK(world.cause("shop.example") == "unknown");
    const auto walk = world.judge().routes.front();
    CHECK(walk.links.back().link == "probe");
    const char* const said[] = {"shop: HTTP 503", "shop: HTTP 404", "shop: connect"};
    CHECK(walk.links.back().text == said[which]);
    CHECK(overall_of(world.judge()) == Overall::in_part);
  }
  SECTION("innocent: an answer of something that works, or 404 where the path is the route's own") {
    const int which = GENERATE(0, 1, 2);
    const World world = which == 0   ? probed({.http_status = 200})
                        : which == 1 ? probed({.http_status = 401})
                                     : probed({.http_status = 404, .of_route = true});
    CHECK(world.cause("shop.example") == "ok");
    CHECK(overall_of(world.judge()) == Overall::fine);
  }
  SECTION("innocent: another host, another host that begins alike, one through a proxy") {
    CHECK(probed({.url = "https://other.example/", .http_status = 503}).cause("shop.example") ==
          "ok");
    CHECK(probed({.url = "https://shop.example.org/", .http_status = 503}).cause("shop.example") ==
          "ok");
    CHECK(probed({.url = "http://shop.example/", .proxy = "http://p:1", .http_status = 503})
              .cause("shop.example") == "ok");
  }
  SECTION("innocent: it was not asked") {
    CHECK(probed({.unknown = Error{Failure::timeout, "no time"}}).cause("shop.example") == "ok");
  }
}

TEST_CASE("a probe that fails is explained by its own route or by a finding of its own") {
  World world = probed({.http_status = 503});
  const auto explained = [&] {
    const Fleet fleet(world.config, world.snapshot);
    return explained_probes(fleet, judge(fleet)).contains("shop");
  };
  CHECK_FALSE(explained());
  SECTION("another route that is down explains nothing") {
    world.ingress("shop/dead", "dead.example", "gone");
    world.serve();
    REQUIRE(world.cause("dead.example") == "backend/service_absent");
    CHECK_FALSE(explained());
  }
  SECTION("its own route does") {
    for (auto& endpoint : world.slice("shop/web").endpoints) endpoint.ready = false;
    REQUIRE(world.cause("shop.example") == "backend/no_ready_endpoints");
    CHECK(explained());
  }
  SECTION("a transfer that stalls does") {
    world = probed({.http_status = 200, .stalled = true});
    REQUIRE(world.findings("transfer_stalled").size() == 1);
    CHECK(explained());
  }
}

TEST_CASE("a probe belongs to the route with the longest path that leads to it") {
  World world = probed({.url = "https://shop.example:8443/api/v1", .http_status = 503});
  world.ingress("shop/api", "shop.example", "web").rules.front().paths.front().path = "/api";
  world.serve();
  const Fleet fleet(world.config, world.snapshot);
  const RouteProbes probes(fleet);
  REQUIRE(fleet.routes.size() == 2);
  for (const Route& route : fleet.routes)
    CHECK(probes.of(route).size() == (route.path == "/api" ? 1 : 0));
}
