// Legs of a route that nobody waits for, and legs beside others, where Traefik serves a route
// though some of its Services are empty (allowEmptyServices).
#include "support/catch.h"
#include "support/snapshots.h"

using namespace shortcircuit;
using namespace shortcircuit::testing;

namespace {
using Findings = std::vector<std::string>;

const Finding& only_finding(const Judgement& judgement) {
  REQUIRE(judgement.findings.size() == 1);
  return judgement.findings.front();
}

// shop.example leads to shop/web, whose pods are ready, and to shop/shadow, whose are not.
struct TwoLegs {
  explicit TwoLegs(bool idle) {
    world.with_pods("shop/web", 2);
    world.with_pods("shop/shadow", 0);
    auto& rule = world.ingress_route("shop/front", "Host(`shop.example`)", "web").rules.front();
    rule.services = {{.name = "web", .port = "http"},
                     {.name = "shadow", .port = "http", .idle = idle}};
    world.serve();
  }
  kubernetes::IngressRouteRule& rule() {
    return world.cluster->ingress_routes.items[0].rules.front();
  }
  World world = World::healthy();
};
}  // namespace

TEST_CASE("an idle leg without ready pods takes no live route down") {
  TwoLegs legs(true);
  World& world = legs.world;
  const Judgement judgement = world.judge();
  const Finding& finding = only_finding(judgement);
  CHECK(finding.severity == Severity::info);
  CHECK(finding.object == "shop/shadow");
  CHECK(finding.message ==
        "IngressRoute shop/front leads to Service shop/shadow, none of whose pods is ready; it is "
        "a mirror, a fallback or of weight 0 there, so no request misses it.");
  CHECK(world.layer(Layer::backend) == LayerStatus::ok);
  CHECK(world.cause("shop.example") == "ok");
  SECTION("nor do its stale addresses") {
    world.hand_kept("shop/far", {"100.99.1.1"});
    legs.rule().services[1].name = "far";
    CHECK(world.findings() == Findings{"endpoint_address_stale/no_such_peer Service shop/far"});
    CHECK(world.cause("shop.example") == "ok");
  }
  SECTION("without allowEmptyServices the router is gone") {
    world.drop_router("shop");
    CHECK(only_finding(world.judge()).severity == Severity::critical);
    CHECK(world.cause("shop.example") == "backend/no_ready_endpoints");
  }
  SECTION("or Traefik is not read, and nobody knows") {
    down(world.snapshot.traefik);
    CHECK(only_finding(world.judge()).severity == Severity::critical);
  }
  SECTION("another route waits for it") {
    world.ingress_route("shop/direct", "Host(`direct.example`)", "shadow");
    world.serve();
    CHECK(only_finding(world.judge()).severity == Severity::critical);
    CHECK(world.cause("shop.example") == "ok");
    CHECK(world.cause("direct.example") == "backend/no_ready_endpoints");
  }
  SECTION("the leg that is waited for is empty as well") {
    for (auto& endpoint : world.slice("shop/web").endpoints) endpoint.ready = false;
    CHECK(world.judge().findings.size() == 2);
    CHECK(world.cause("shop.example") == "backend/no_ready_endpoints");
  }
}

TEST_CASE("one live leg without ready pods beside others fails by turns") {
  TwoLegs legs(false);
  World& world = legs.world;
  CHECK(only_finding(world.judge()).severity == Severity::warning);
  CHECK(only_finding(world.judge())
            .message.ends_with("others answer beside it, so requests fail by "
                               "turns."));
  CHECK(world.cause("shop.example") == "backend/no_ready_endpoints");
  SECTION("none answers beside it") {
    for (auto& endpoint : world.slice("shop/web").endpoints) endpoint.ready = false;
    const Judgement judgement = world.judge();
    CHECK(judgement.findings.size() == 2);
    for (const Finding& finding : judgement.findings) CHECK(finding.severity == Severity::critical);
  }
  SECTION("only an idle one does") {
    legs.rule().services[0].idle = true;
    CHECK(only_finding(world.judge()).severity == Severity::critical);
  }
  SECTION("without allowEmptyServices the router is gone") {
    world.drop_router("shop");
    CHECK(only_finding(world.judge()).severity == Severity::critical);
  }
}

TEST_CASE("what an idle leg leads to is idle, whatever TraefikServices lie between") {
  TwoLegs legs(false);
  World& world = legs.world;
  legs.rule().services = {{.name = "outer", .kind = "TraefikService"}};
  world.cluster->traefik_services.items.push_back(
      {.name = {"shop", "outer"},
       .services = {{.name = "web", .port = "http"},
                    {.name = "inner", .kind = "TraefikService", .idle = true}}});
  world.cluster->traefik_services.items.push_back(
      {.name = {"shop", "inner"}, .services = {{.name = "shadow", .port = "http"}}});
  CHECK(only_finding(world.judge()).severity == Severity::info);
  CHECK(world.cause("shop.example") == "ok");
  SECTION("unless another leg leads there too") {
    world.cluster->traefik_services.items[0].services.push_back(
        {.name = "inner", .kind = "TraefikService"});
    CHECK(only_finding(world.judge()).severity == Severity::warning);
    CHECK(world.cause("shop.example") == "backend/no_ready_endpoints");
  }
}
