// Copies that Traefik makes of a router for its entry points.
#include <fmt/format.h>

#include "base/text.h"
#include "fleet/routes.h"
#include "support/catch.h"
#include "support/snapshots.h"

using namespace shortcircuit;
using namespace shortcircuit::testing;

namespace {

using Lines = std::vector<std::string>;

void add_router(World& world, const std::string& name, const std::string& rule,
                const std::vector<std::string>& entry_points) {
  world.proxy->routers.push_back({.name = name,
                                  .provider = name.substr(name.rfind('@') + 1),
                                  .rule = rule,
                                  .status = "enabled",
                                  .service = "front",
                                  .entry_points = entry_points});
}

// `object: its routers` of every route, in order.
Lines carried(const World& world) {
  Lines lines;
  for (const Route& route : routes_of(world.snapshot)) {
    Lines names;
    for (const std::size_t router : route.routers)
      names.push_back(std::as_const(*world.proxy).routers[router].name);
    lines.push_back(fmt::format("{}: {}", route.object.text(), join(names, " ")));
  }
  return lines;
}

const std::string front_rule = "Host(`x.example`) && PathPrefix(`/`)";

}  // namespace

TEST_CASE("a route has its router and the copies of it") {
  World world = World::healthy();
  world.ingress("a/front", "x.example", "web");
  SECTION("the plain one keeps the entry points without anything of their own") {
    add_router(world, "a-front-x-example@kubernetes", front_rule, {"web"});
    add_router(world, "websecure-a-front-x-example@kubernetes", front_rule, {"websecure"});
    CHECK(carried(world) ==
          Lines{"a/front: a-front-x-example@kubernetes websecure-a-front-x-example@kubernetes"});
  }
  SECTION("with a hash behind the name") {
    add_router(world, "websecure-a-front-x-example-0123456789abcdef0123@kubernetes", front_rule,
               {"websecure"});
    CHECK(carried(world) ==
          Lines{"a/front: websecure-a-front-x-example-0123456789abcdef0123@kubernetes"});
  }
  SECTION("by name, where the rule is made in another way") {
    const std::string other = "Host(`x.example`) && (Path(`/`) || PathPrefix(`//`))";
    add_router(world, "web-a-front-x-example@kubernetes", other, {"web"});
    add_router(world, "websecure-a-front-x-example@kubernetes", other, {"websecure"});
    CHECK(
        carried(world) ==
        Lines{"a/front: web-a-front-x-example@kubernetes websecure-a-front-x-example@kubernetes"});
  }
  SECTION("by rule, where the name is made in another way") {
    add_router(world, "web-a1b2c3@kubernetes", front_rule, {"web"});
    add_router(world, "websecure-a1b2c3@kubernetes", front_rule, {"websecure"});
    add_router(world, "d4e5f6@kubernetes", front_rule, {"web"});
    CHECK(carried(world) == Lines{"a/front: web-a1b2c3@kubernetes websecure-a1b2c3@kubernetes"});
  }
  SECTION("what only begins so is no copy") {
    add_router(world, "websecure-a-front-x-example@file", front_rule, {"websecure"});
    add_router(world, "web-a-front-x-example-more@kubernetes", "Host(`y.example`)", {"web"});
    add_router(world, "other-a-front-x-example@kubernetes", "Host(`y.example`)", {"web"});
    CHECK(carried(world) == Lines{"a/front: "});
  }
}

TEST_CASE("a namespace that is called like an entry point") {
  World world = World::healthy();
  world.ingress("a/front", "x.example", "web");
  world.ingress("web/a-front", "x.example", "web");
  add_router(world, "a-front-x-example@kubernetes", front_rule, {"web"});
  add_router(world, "web-a-front-x-example@kubernetes", front_rule, {"web"});
  CHECK(carried(world) == Lines{"a/front: a-front-x-example@kubernetes",
                                "web/a-front: web-a-front-x-example@kubernetes"});
}

TEST_CASE("two objects of one rule have the copies of their own") {
  World world = World::healthy();
  world.ingress_route("a/front", "Host(`x.example`)", "web");
  world.ingress_route("b/front", "Host(`x.example`)", "web");
  for (const std::string object : {"a-front", "b-front"}) {
    for (const std::string at : {"web", "websecure"}) {
      add_router(world, at + "-" + object + "-0a72be6dbe5820fbf2de@kubernetescrd",
                 "Host(`x.example`)", {at});
    }
  }
  CHECK(carried(world) == Lines{"a/front: web-a-front-0a72be6dbe5820fbf2de@kubernetescrd "
                                "websecure-a-front-0a72be6dbe5820fbf2de@kubernetescrd",
                                "b/front: web-b-front-0a72be6dbe5820fbf2de@kubernetescrd "
                                "websecure-b-front-0a72be6dbe5820fbf2de@kubernetescrd"});
}

TEST_CASE("nobody borrows a router that another route has") {
  World world = World::healthy();
  world.ingress("a/front", "x.example", "web");
  world.ingress("a/old", "x.example", "web");
  SECTION("by name and rule") {
    add_router(world, "web-a-front-x-example@kubernetes", front_rule, {"web"});
    CHECK(carried(world) == Lines{"a/front: web-a-front-x-example@kubernetes", "a/old: "});
  }
  SECTION("by rule") {
    add_router(world, "a1b2c3@kubernetes", front_rule, {"web"});
    CHECK(carried(world) == Lines{"a/front: a1b2c3@kubernetes", "a/old: "});
  }
  SECTION("by name, whose rule is another's") {
    world.ingress("a/wild", "*.x.example", "web");
    add_router(world, "a-wild-x-example@kubernetes", front_rule, {"web"});
    CHECK(carried(world) == Lines{"a/front: ", "a/old: ", "a/wild: a-wild-x-example@kubernetes"});
  }
}

TEST_CASE("a class that is served by copies alone is served") {
  World world = World::healthy();
  world.with_pods("shop/web", 1);
  world.ingress_route("shop/front", "Host(`x.example`)", "web").class_annotation = "inside";
  for (const std::string at : {"web", "websecure"}) {
    add_router(world, at + "-shop-front-0a72be6dbe5820fbf2de@kubernetescrd", "Host(`x.example`)",
               {at});
  }
  CHECK(carried(world) == Lines{"shop/front: web-shop-front-0a72be6dbe5820fbf2de@kubernetescrd "
                                "websecure-shop-front-0a72be6dbe5820fbf2de@kubernetescrd"});
}
