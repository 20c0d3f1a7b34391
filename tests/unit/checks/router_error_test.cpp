// Routes that only Traefik knows the fault of: without a router, or with one that leads nowhere.
#include <functional>

#include "support/catch.h"
#include "support/snapshots.h"

using namespace shortcircuit;
using namespace shortcircuit::testing;

namespace {
constexpr auto router_check = "backend_missing";
using Findings = std::vector<std::string>;

// The cluster as it was when it was asked the time before, and when both were asked.
World changed_meanwhile(const std::function<void(kubernetes::State&)>& before) {
  World world = World::with_route();
  world.drop_router("shop");
  auto earlier = std::make_shared<kubernetes::State>(*world.cluster);
  before(*earlier);
  world.was_before(earlier);
  return world;
}
}  // namespace

TEST_CASE("what Traefik lacks may have been mended after it was asked") {
  World world = changed_meanwhile(GENERATE(
      as<std::function<void(kubernetes::State&)>>{},
      [](kubernetes::State& cluster) {  // its pods became ready
        auto& slices = cluster.endpoint_slices.items;
        for (std::size_t i = 0; i < slices.size(); ++i) {
          for (auto& endpoint : slices[i].endpoints) endpoint.ready = false;
        }
      },
      [](kubernetes::State& cluster) { cluster.ingresses.items[0].rules[0].host = "old"; },
      [](kubernetes::State& cluster) { cluster.services.items.clear(); }));
  CHECK(world.findings(router_check).empty());
  CHECK(world.cause("shop.example") == "unknown");
  CHECK(world.layer(Layer::backend) == LayerStatus::unknown);
  // Asked again a while after that, Traefik has had its time.
  world.snapshot.traefik.front().observed_at = world.snapshot.time + 10s;
  CHECK(world.findings(router_check) == Findings{"router_error shop/front"});
}

TEST_CASE("what was in order before and Traefik lacks all the same is dead") {
  World world = changed_meanwhile([](kubernetes::State&) {});
  CHECK(world.findings(router_check) == Findings{"router_error shop/front"});
  // What is plainly broken now needs no second look.
  for (auto& endpoint : world.slice("shop/web").endpoints) endpoint.ready = false;
  CHECK(world.findings(router_check) == Findings{"no_ready_endpoints shop/web"});
}

TEST_CASE("the other paths of an Ingress whose one router is gone live on") {
  World world = World::with_route();
  world.ingress("shop/front", "other.example", "web");
  CHECK(world.findings() == Findings{"backend_missing/router_error Ingress shop/front"});
  CHECK(world.cause("shop.example") == "ok");
  CHECK(world.cause("other.example") == "backend/router_error");
}

TEST_CASE("Ingresses of a class that this Traefik serves nothing of may be another Traefik's") {
  World world = World::with_route();
  world.cluster->ingress_classes.items = {
      {.name = "here", .controller = "traefik.io/ingress-controller"},
      {.name = "there", .controller = "traefik.io/ingress-controller"}};
  world.cluster->ingresses.items[0].class_name = "here";
  world.with_pods("shop/other", 1);
  world.ingress("shop/inside", "inside.example", "other").class_name = "there";
  world.serve();
  world.drop_router("inside");
  CHECK(world.findings() == Findings{});
  CHECK(world.cause("inside.example") == "unknown");
  CHECK(world.cause("shop.example") == "ok");
  // With a router of the class here, the class is served here.
  world.ingress("shop/inside-too", "too.example", "other").class_name = "there";
  world.serve();
  world.drop_router("inside-inside");
  CHECK(world.findings() == Findings{"backend_missing/router_error Ingress shop/inside"});
}

TEST_CASE("an IngressRoute that reaches into another namespace is told of the flag") {
  World world = World::healthy();
  world.with_pods("shared/web", 1);
  world.ingress_route("shop/front", "Host(`shop.example`)", "web")
      .rules.front()
      .services[0]
      .namespace_name = "shared";
  CHECK(world.findings() == Findings{"backend_missing/router_error IngressRoute shop/front"});
  CHECK(world.judge().findings.front().cure.find("allowcrossnamespace") != std::string::npos);
}

TEST_CASE("what is new, or unknown in part, is not called dead") {
  World world = World::with_route();
  world.drop_router("shop");
  SECTION("a new route") { world.cluster->ingresses.items[0].created = world.snapshot.time - 5s; }
  SECTION("a new Traefik") { world.proxy->started = world.snapshot.time - 5s; }
  SECTION("Traefik is down") { down(world.snapshot.traefik); }
  SECTION("middlewares are unknown") { world.cluster->middlewares = {}; }
  SECTION("slices are unknown") { world.cluster->endpoint_slices = {}; }
  SECTION("services are unknown") { world.cluster->services = {}; }
  CHECK(world.findings(router_check).empty());
  CHECK(world.cause("shop.example") == "unknown");
}

TEST_CASE("what Traefik lost after the cluster was asked may have been taken away") {
  World world = World::with_route();
  auto& traefik = world.snapshot.traefik.front();
  world.snapshot.kubernetes.front().observed_at = world.snapshot.time - 60s;
  traefik.observed_at = world.snapshot.time;
  const auto with_router = std::make_shared<traefik::State>(*world.proxy);
  world.drop_router("shop");
  const auto without = std::make_shared<traefik::State>(*world.proxy);
  traefik.earlier = {{world.snapshot.time - 70s, with_router},
                     {world.snapshot.time - 15s, without}};
  CHECK(world.findings(router_check).empty());
  CHECK(world.cause("shop.example") == "unknown");
  traefik.earlier.front().state = without;  // it was dead when the cluster was asked
  CHECK(world.findings(router_check) == Findings{"router_error shop/front"});
  traefik.earlier.clear();  // nothing to compare with
  CHECK(world.findings(router_check) == Findings{"router_error shop/front"});
}

TEST_CASE("a service of several whose legs are all DOWN") {
  World world = World::healthy();
  world.with_pods("shop/web", 1);
  world.ingress_route("shop/front", "Host(`shop.example`)", "web");
  world.serve();
  const auto leg = [](const std::string& name, std::size_t down) {
    return traefik::Service{.name = name + "@kubernetescrd",
                            .provider = "kubernetescrd",
                            .status = "enabled",
                            .type = "loadbalancer",
                            .server_urls = {"http://10.244.1.1:8080", "http://10.244.1.2:8080"},
                            .servers_down = down};
  };
  auto& services = world.proxy->services;
  services[0].type = "weighted";
  services[0].server_urls.clear();
  services[0].legs = {"leg-a", "leg-b@kubernetescrd"};
  const bool a_up = GENERATE(true, false);
  services.push_back(leg("leg-a", a_up ? 1 : 2));
  services.push_back(leg("leg-b", 2));
  CHECK(world.findings() ==
        (a_up ? Findings{} : Findings{"backend_missing/router_error IngressRoute shop/front"}));
  CHECK(world.cause("shop.example") == (a_up ? "ok" : "backend/router_error"));
  // Of one that is not there nothing is known, and what leads in a circle ends.
  services[0].legs = {"leg-b", "gone"};
  CHECK(world.findings().empty());
  services[0].legs = {services[0].name};
  CHECK(world.findings().empty());
}
