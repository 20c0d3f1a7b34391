// A route that is alive at one entry point and dead at another.
#include "support/catch.h"
#include "support/snapshots.h"

using namespace shortcircuit;
using namespace shortcircuit::testing;

namespace {

using Told = std::vector<std::string>;

// The route of World::with_route() by http at `web` and by https at `websecure`.
World at_two_entry_points() {
  World world = World::with_route();
  world.router("shop").entry_points = {"web"};
  traefik::Router copy = world.router("shop");
  copy.name = "websecure-" + copy.name;
  copy.entry_points = {"websecure"};
  world.proxy->routers.push_back(copy);
  return world;
}

const RouteLink& link_of(const Judgement& judgement, std::string_view name) {
  const auto& links = judgement.routes.front().links;
  const auto found = std::ranges::find(links, name, &RouteLink::link);
  REQUIRE(found != links.end());
  return *found;
}

}  // namespace

TEST_CASE("every copy of a router counts") {
  World world = at_two_entry_points();
  CHECK(world.findings() == Told{});
  CHECK(world.cause("shop.example") == "ok");
  auto& copy = world.router("websecure-");
  copy.status = "disabled";
  SECTION("an entry point's own TLS options do not exist") {
    copy.errors = {"unknown TLS options: strict@file"};
    const Judgement judgement = world.judge();
    CHECK(world.findings() == Told{"backend_missing/router_error Ingress shop/front"});
    CHECK(judgement.findings.front().message ==
          "Traefik refuses Ingress shop/front (shop.example/) at entry point websecure: unknown "
          "TLS options: strict@file.");
    CHECK(world.cause("shop.example") == "backend/router_error");
    CHECK(link_of(judgement, "router").text ==
          "shop-front-shop-example@kubernetes: enabled and "
          "websecure-shop-front-shop-example@kubernetes: disabled");
  }
  SECTION("an entry point's own middleware does not exist") {
    copy.errors = {"middleware \"edge-guard@kubernetescrd\" does not exist"};
    CHECK(world.findings() ==
          Told{"middleware_missing/router_error Middleware edge-guard@kubernetescrd"});
    CHECK(world.cause("shop.example") == "middleware/router_error");
    CHECK(link_of(world.judge(), "middleware").text == "edge-guard@kubernetescrd");
  }
  SECTION("which another route names as well") {
    copy.errors = {"middleware \"edge-guard@kubernetescrd\" does not exist"};
    world.with_pods("shop/other", 1);
    world.ingress("shop/other", "other.example", "other").traefik_annotations = {
        {"traefik.ingress.kubernetes.io/router.middlewares", "edge-guard@kubernetescrd"}};
    CHECK(world.findings() == Told{"middleware_missing/object_absent Middleware edge/guard"});
    CHECK(world.cause("shop.example") == "middleware/object_absent");
    CHECK(world.cause("other.example") == "middleware/object_absent");
  }
  SECTION("right after Traefik's start nobody knows") {
    copy.errors = {"middleware \"edge-guard@kubernetescrd\" does not exist"};
    world.proxy->started = world.snapshot.time - 5s;
    CHECK(world.findings() == Told{});
    CHECK(world.cause("shop.example") == "unknown");
  }
}

TEST_CASE("the copy of another route's router that is disabled is not this one's") {
  World world = World::with_route();
  world.with_pods("shop/other", 1);
  world.ingress("shop/other", "other.example", "other");
  world.proxy->routers.clear();
  world.proxy->services.clear();
  world.serve();
  auto& other = world.router("other");
  other.entry_points = {"websecure"};
  other.name = "websecure-" + other.name;
  other.status = "disabled";
  other.errors = {"unknown TLS options: strict@file"};
  CHECK(world.findings() == Told{"backend_missing/router_error Ingress shop/other"});
  CHECK(world.cause("shop.example") == "ok");
  CHECK(world.cause("other.example") == "backend/router_error");
}
