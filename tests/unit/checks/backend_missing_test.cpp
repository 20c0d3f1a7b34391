#include "support/catch.h"
#include "support/snapshots.h"

using namespace shortcircuit;
using namespace shortcircuit::testing;

namespace {
constexpr auto backend_check = "backend_missing";
using Findings = std::vector<std::string>;
}  // namespace

TEST_CASE("a route to a Service with ready pods, by the port's name or number") {
  World world = World::with_route();
  CHECK(world.findings().empty());
  auto& backend = *world.cluster->ingresses.items[0].rules.front().paths.front().backend;
  backend.port_name.clear();
  backend.port_number = 8080;
  CHECK(world.findings().empty());
  CHECK(world.cause("shop.example") == "ok");
}

TEST_CASE("each plain fault behind a route") {
  World world = World::with_route();
  world.drop_router("shop");
  SECTION("no Service") {
    world.cluster->services.items.erase_if(
        [](const auto& service) { return service.name.name == "web"; });
    CHECK(world.findings() == Findings{"backend_missing/service_absent Service shop/web"});
    CHECK(world.cause("shop.example") == "backend/service_absent");
  }
  SECTION("no such port") {
    world.cluster->ingresses.items[0].rules.front().paths.front().backend->port_name = "grpc";
    CHECK(world.findings() == Findings{"backend_missing/service_port_absent Service shop/web"});
    CHECK(world.cause("shop.example") == "backend/service_port_absent");
  }
  SECTION("no ready pod") {
    for (auto& endpoint : world.slice("shop/web").endpoints) endpoint.ready = false;
    CHECK(world.findings() == Findings{"backend_missing/no_ready_endpoints Service shop/web"});
    CHECK(world.cause("shop.example") == "backend/no_ready_endpoints");
  }
  SECTION("hand-kept endpoints that were emptied") {
    world.service("shop/web").selector.clear();
    world.cluster->endpoint_slices.items.erase_if(
        [](const auto& slice) { return slice.service == "web"; });
    CHECK(world.findings() == Findings{"backend_missing/no_ready_endpoints Service shop/web"});
  }
}

TEST_CASE("Services that no route leads to are nobody's business") {
  World world = World::with_route();
  world.with_pods("batch/worker", 0);
  world.hand_kept("batch/empty", {});
  CHECK(world.findings().empty());
}

TEST_CASE("one unready pod among ready ones is fine") {
  World world = World::with_route();
  world.slice("shop/web").endpoints.front().ready = false;
  CHECK(world.findings().empty());
}

TEST_CASE("TraefikServices, nested and in circles") {
  World world = World::healthy();
  world.with_pods("shop/web", 1);
  auto& rule = world.ingress_route("shop/front", "Host(`shop.example`)", "outer").rules.front();
  rule.services.front() = {.name = "outer", .kind = "TraefikService"};
  world.cluster->traefik_services.items.push_back(
      {.name = {"shop", "outer"}, .services = {{.name = "inner", .kind = "TraefikService"}}});
  SECTION("a leg that is not there") {
    CHECK(world.findings(backend_check) == Findings{"service_absent shop/inner"});
    CHECK(world.cause("shop.example") == "backend/service_absent");
  }
  SECTION("a leg whose Service is not there") {
    world.cluster->traefik_services.items.push_back(
        {.name = {"shop", "inner"},
         .services = {{.name = "web", .port = "http"},
                      {.name = "gone", .port = "http"},
                      {.name = "outer", .kind = "TraefikService"}}});
    CHECK(world.findings(backend_check) == Findings{"service_absent shop/gone"});
  }
  SECTION("a leg whose port is not there, of a TraefikService that no route uses") {
    world.cluster->ingress_routes.items.clear();
    world.cluster->traefik_services.items = {
        {.name = {"shop", "spare"}, .services = {{.name = "web", .port = "9"}}}};
    CHECK(world.findings() == Findings{"backend_missing/service_port_absent Service shop/web"});
  }
  SECTION("the first is not there") {
    world.cluster->traefik_services.items.clear();
    CHECK(world.findings(backend_check) == Findings{"service_absent shop/outer"});
  }
  SECTION("of another provider") {
    world.cluster->traefik_services.items.clear();
    rule.services.front() = {.name = "api@internal", .kind = "TraefikService"};
    world.serve();
    world.router("shop").service = "api@internal";
    CHECK(world.findings() == Findings{});
    CHECK(world.cause("shop.example") == "ok");
  }
}

TEST_CASE("TraefikServices of the old API group are judged only where Traefik reads them") {
  World world = World::with_route();
  world.cluster->traefik_services.items = {
      {.name = {"shop", "canary"},
       .old_group = true,
       .services = {{.name = "web-v1", .port = "http"},
                    {.name = "gone", .kind = "TraefikService"}}}};
  CHECK(world.findings().empty());
  const Findings both{"backend_missing/service_absent Service shop/web-v1",
                      "backend_missing/service_absent TraefikService shop/gone"};
  SECTION("Traefik 2 does") {
    world.proxy->version = "2.11.2";
    CHECK(world.findings() == both);
  }
  SECTION("one of the new group is judged") {
    world.cluster->traefik_services.items[0].old_group = false;
    CHECK(world.findings() == both);
  }
  SECTION("a left-over one is no leg") {
    world.cluster->traefik_services.items[0].services.clear();
    world.cluster->traefik_services.items.push_back(
        {.name = {"shop", "split"}, .services = {{.name = "canary", .kind = "TraefikService"}}});
    CHECK(world.findings() ==
          Findings{"backend_missing/service_absent TraefikService shop/canary"});
    world.proxy->version = "2.11.2";
    CHECK(world.findings().empty());
  }
}

TEST_CASE("a dead route never lacks a cause") {
  World world = World::with_route();
  SECTION("its router is not there and everything it names is") {
    world.drop_router("shop");
    CHECK(world.findings() == Findings{"backend_missing/router_error Ingress shop/front"});
  }
  SECTION("its router is disabled for something else than a middleware") {
    world.router("shop").status = "disabled";
    world.router("shop").errors = {"entryPoint \"websafe\" doesn't exist"};
    CHECK(world.findings() == Findings{"backend_missing/router_error Ingress shop/front"});
    CHECK(world.judge().findings.front().message.find("websafe") != std::string::npos);
  }
  SECTION("its service has no servers") {
    world.proxy->services.back().server_urls.clear();
    CHECK(world.findings() == Findings{"backend_missing/router_error Ingress shop/front"});
  }
  SECTION("Traefik's own health check calls every server DOWN") {
    world.proxy->services.back().servers_down = 1;
    CHECK(world.findings() == Findings{"backend_missing/router_error Ingress shop/front"});
    CHECK(world.judge().findings.front().message.find("DOWN") != std::string::npos);
    CHECK(world.judge().findings.front().cure.starts_with("kubectl -n shop get ingress front "));
  }
  SECTION("its provider is off and it has a class of Traefik") {
    world.cluster->ingress_classes.items = {
        {.name = "web", .controller = "traefik.io/ingress-controller"}};
    world.cluster->ingresses.items[0].class_name = "web";
    world.proxy->providers = {"KubernetesCRD"};
    world.drop_router("shop");
    CHECK(world.findings() == Findings{"backend_missing/router_error Ingress shop/front"});
    CHECK(world.judge().findings.front().cure.find("kubernetesingress") != std::string::npos);
  }
  CHECK(world.cause("shop.example") == "backend/router_error");
}

TEST_CASE("one server of two that Traefik's health check calls DOWN is fine") {
  World world = World::with_route();
  world.proxy->services.back().server_urls.emplace_back("http://100.80.0.3:8080");
  world.proxy->services.back().servers_down = 1;
  CHECK(world.findings().empty());
  CHECK(world.cause("shop.example") == "ok");
}

TEST_CASE("servers DOWN at stale addresses: the address is the cause") {
  World world = World::healthy();
  world.hand_kept("shop/web", {"100.99.1.1"});
  world.ingress("shop/front", "shop.example", "web");
  world.serve();
  world.proxy->services.back().servers_down = 1;
  CHECK(world.findings() == Findings{"endpoint_address_stale/no_such_peer Service shop/web"});
  CHECK(world.cause("shop.example") == "endpoint_address/no_such_peer");
}

TEST_CASE("an ExternalName whose servers are DOWN is no refused one") {
  World world = World::healthy();
  world.external_name("shop/web", "web.example.net");
  world.ingress("shop/front", "shop.example", "web");
  world.serve();
  world.proxy->services.back().servers_down = 1;
  CHECK(world.findings() == Findings{"backend_missing/router_error Ingress shop/front"});
}

TEST_CASE("a port in quotes is a name to Traefik") {
  World world = World::healthy();
  world.with_pods("shop/web", 1);
  auto& service = world.ingress_route("shop/front", "Host(`shop.example`)", "web")
                      .rules.front()
                      .services.front();
  service.port = "8080";
  world.serve();
  CHECK(world.findings().empty());
  service.port_is_text = true;
  world.drop_router("shop");
  CHECK(world.findings() == Findings{"backend_missing/service_port_absent Service shop/web"});
  CHECK(world.judge().findings.front().message.find("port \"8080\"") != std::string::npos);
  service.port = "http";
  world.serve();
  CHECK(world.findings().empty());
}

TEST_CASE("Endpoints stand in for slices that cannot be read, and their absence says nothing") {
  World world = World::with_route();
  world.hand_kept("shop/far", {"100.80.0.2"});
  world.ingress("shop/far", "far.example", "far");
  world.proxy->routers.clear();
  world.proxy->services.clear();
  world.serve();
  world.cluster->endpoints.items = {{.name = {"shop", "web"},
                                     .service = "web",
                                     .endpoints = {{.addresses = {"10.244.1.1"}}},
                                     .ports = {{.name = "http", .port = 8080}}}};
  world.cluster->endpoint_slices = {};
  CHECK(world.findings().empty());
  CHECK(world.layer(Layer::backend) == LayerStatus::unknown);
  CHECK(world.cause("shop.example") == "ok");
  CHECK(world.cause("far.example") == "unknown");
}
