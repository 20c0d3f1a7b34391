// Traefik itself, whatever addresses names point at.
#include "checks/way_in.h"

#include "support/catch.h"
#include "support/entries.h"

using namespace shortcircuit;
using namespace shortcircuit::testing;

namespace {

constexpr auto dead_service = "backend_missing/no_ready_endpoints Service edge/traefik";

// Nobody said where public names point, and Traefik's API is not read.
World unaddressed() {
  World world = World::with_route();
  world.config.expect.entry_addresses.clear();
  world.config.traefik.clear();
  world.snapshot.traefik.clear();
  return world;
}

void let_traefik_die(World& world) {
  for (auto& endpoint : world.slice("edge/traefik").endpoints) endpoint.ready = false;
}

}  // namespace

TEST_CASE("Traefik without a ready pod takes every route down, without any entry address") {
  World world = unaddressed();
  CHECK(world.findings().empty());
  CHECK(world.cause("shop.example") == "ok");
  let_traefik_die(world);
  SECTION("no address, or one of a router in front") {
    if (GENERATE(false, true)) world.config.expect.entry_addresses = {ip("203.0.113.7")};
    CHECK(world.findings("backend_missing") ==
          std::vector<std::string>{"no_ready_endpoints edge/traefik"});
    CHECK(world.cause("shop.example") == "backend/no_ready_endpoints");
    CHECK(world.judge().findings.back().hosts == std::vector<std::string>{"shop.example/"});
  }
  SECTION("its API was read before and is not now") {
    world.config.traefik.emplace_back();
    down(world.snapshot.traefik);
    CHECK(world.findings() == std::vector<std::string>{dead_service});
    CHECK(world.cause("shop.example") == "backend/no_ready_endpoints");
  }
  SECTION("its Service is no load balancer: a tunnel brings the requests") {
    world.service("edge/traefik").type = "ClusterIP";
    world.service("edge/traefik").load_balancer_addresses.clear();
    CHECK(world.findings() == std::vector<std::string>{dead_service});
  }
  SECTION("innocent: a second Traefik is alive") {
    auto& second = world.with_pods("edge/traefik-internal", 1);
    second.type = "LoadBalancer";
    second.ports = {{.name = "web", .port = 80}};
    CHECK(world.findings().empty());
    CHECK(world.cause("shop.example") == "ok");
  }
  SECTION("innocent: a Service beside it that only shows its API has no pod either") {
    for (auto& endpoint : world.slice("edge/traefik").endpoints) endpoint.ready = true;
    world.with_pods("edge/traefik-api", 0).ports = {{.name = "api", .port = 8080}};
    CHECK(world.findings().empty());
    CHECK(world.cause("shop.example") == "ok");
  }
  SECTION("innocent: it takes a node's port by itself") {
    traefik_takes(world, {80, 443});
    CHECK(world.findings().empty());
    CHECK(world.cause("shop.example") == "ok");
  }
  SECTION("innocent: there is no route") {
    world.cluster->ingresses.items.clear();
    CHECK(world.findings().empty());
    CHECK(world.layer(Layer::backend) == LayerStatus::ok);
  }
  SECTION("unknown: its API answers, so it may run elsewhere; or pods cannot be read") {
    if (GENERATE(true, false)) {
      world.config.traefik.emplace_back();
      world.snapshot.traefik.push_back({.state = world.proxy});
    } else {
      world.cluster->pods = {};
    }
    CHECK(world.findings().empty());
    CHECK(world.cause("shop.example") == "unknown");
    CHECK(world.layer(Layer::backend) == LayerStatus::unknown);
  }
}

TEST_CASE("where nothing leads to Traefik nobody knows whether it is there") {
  World world = unaddressed();
  world.cluster->services.items.erase_if(
      [](const auto& service) { return service.name.name == "traefik"; });
  SECTION("unknown") {
    CHECK(world.findings().empty());
    CHECK(world.cause("shop.example") == "unknown");
    CHECK(world.layer(Layer::backend) == LayerStatus::unknown);
    CHECK(overall_of(world.judge()) == Overall::in_part);
  }
  SECTION("innocent: its API answers: it runs outside the cluster") {
    world.config.traefik.emplace_back();
    world.snapshot.traefik.push_back({.state = world.proxy});
    CHECK(world.findings().empty());
    CHECK(world.cause("shop.example") == "ok");
  }
  SECTION("innocent: a pod of it is ready") {
    traefik_takes(world, {});
    CHECK(world.cause("shop.example") == "ok");
  }
}
