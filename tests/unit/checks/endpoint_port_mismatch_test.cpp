#include "support/catch.h"
#include "support/snapshots.h"

using namespace shortcircuit;
using namespace shortcircuit::testing;

namespace {
constexpr auto port_check = "endpoint_port_mismatch";
using Findings = std::vector<std::string>;

World with_route() {
  World world = World::healthy();
  world.hand_kept("shop/web", {"100.80.0.2"});
  world.ingress("shop/front", "shop.example", "web");
  world.serve();
  return world;
}
}  // namespace

TEST_CASE("ports with one name on both sides, or none, are fine") {
  World world = with_route();
  CHECK(world.findings().empty());
  world.service("shop/web").ports = {{.port = 8080}};
  world.slice("shop/web").ports = {{.port = 9999}};  // Traefik takes the endpoints' number
  auto& backend = *world.cluster->ingresses.items[0].rules.front().paths.front().backend;
  backend = {.service = "web", .port_number = 8080};
  CHECK(world.findings(port_check).empty());
}

TEST_CASE("each mismatch, with the router gone or without servers") {
  World world = with_route();
  if (GENERATE(true, false)) {
    world.drop_router("shop");
  } else {
    world.proxy->services.back().server_urls.clear();
  }
  auto& port = world.slice("shop/web").ports.front();
  SECTION("the endpoints' port has no name") {
    port.name.clear();
    CHECK(world.findings() == Findings{"endpoint_port_mismatch/port_unnamed Service shop/web"});
    CHECK(world.cause("shop.example") == "endpoint_port/port_unnamed");
  }
  SECTION("another name") {
    port.name = "web";
    CHECK(world.findings() ==
          Findings{"endpoint_port_mismatch/port_name_unknown Service shop/web"});
  }
  SECTION("a name on the endpoints' side only") {
    world.service("shop/web").ports.front().name.clear();
    *world.cluster->ingresses.items[0].rules.front().paths.front().backend = {.service = "web",
                                                                              .port_number = 8080};
    CHECK(world.findings() ==
          Findings{"endpoint_port_mismatch/port_name_unknown Service shop/web"});
  }
  SECTION("by number it is no way out") {
    port.name = "web";
    *world.cluster->ingresses.items[0].rules.front().paths.front().backend = {.service = "web",
                                                                              .port_number = 8080};
    CHECK(world.findings() ==
          Findings{"endpoint_port_mismatch/port_name_unknown Service shop/web"});
  }
  SECTION("no number, or no port at all") {
    if (GENERATE(true, false)) {
      port.port.reset();
    } else {
      world.slice("shop/web").ports.clear();
    }
    CHECK(world.findings() ==
          Findings{"endpoint_port_mismatch/port_number_unknown Service shop/web"});
  }
}

TEST_CASE("a Service that no route uses is judged too, as a warning") {
  World world = World::healthy();
  world.hand_kept("shop/web", {"100.80.0.2"});
  world.slice("shop/web").ports.front().name.clear();
  CHECK(world.findings() == Findings{"endpoint_port_mismatch/port_unnamed Service shop/web"});
  CHECK(world.judge().findings.front().severity == Severity::warning);
}

TEST_CASE(
    "innocent: a selector, the API server's own Service, other ports, no endpoints, no ports") {
  World world = with_route();
  world.with_pods("shop/app", 1);
  world.slice("shop/app").ports = {{.name = "other", .port = 1}};
  world.hand_kept("default/kubernetes", {"192.168.7.1"});
  world.slice("default/kubernetes").ports = {{.port = 6443}};
  world.service("shop/web").ports.push_back({.name = "metrics", .port = 9090});  // no route uses it
  world.slice("shop/web").ports.push_back({.name = "extra", .port = 1});
  world.hand_kept("shop/empty", {});
  world.hand_kept("shop/portless", {"100.80.0.3"}).ports.clear();
  CHECK(world.findings().empty());
}

TEST_CASE("a route that uses a good port of the Service is not taken down by the other") {
  World world = with_route();
  world.service("shop/web").ports.push_back({.name = "admin", .port = 9090});
  world.ingress("shop/admin", "admin.example", "web")
      .rules.front()
      .paths.front()
      .backend->port_name = "admin";
  CHECK(world.findings(port_check) == Findings{"port_name_unknown shop/web"});
  CHECK(world.cause("shop.example") == "ok");
  CHECK(world.cause("admin.example") == "endpoint_port/port_name_unknown");
}

TEST_CASE("some addresses behind a port without a name") {
  World world = with_route();
  auto more = world.slice("shop/web");
  more.name.name = "web-hand-made";
  more.endpoints = {{.addresses = {"100.80.0.3"}}};
  more.ports.front().name.clear();
  world.cluster->endpoint_slices.items.push_back(more);
  CHECK(world.findings() == Findings{"endpoint_port_mismatch/port_unnamed Service shop/web"});
  const Judgement judgement = world.judge();
  CHECK(judgement.findings.front().severity == Severity::warning);
  CHECK(judgement.findings.front().message.find("100.80.0.3") != std::string::npos);
  CHECK(world.cause("shop.example") == "ok");  // Traefik skips that slice, the other answers
  world.slice("shop/web").ports.front().name.clear();
  CHECK(world.cause("shop.example") == "endpoint_port/port_unnamed");
}

TEST_CASE("IPv6 slices match by the same rule") {
  World world = with_route();
  world.slice("shop/web").address_type = "IPv6";
  world.slice("shop/web").endpoints = {{.addresses = {"fd7a:115c:a1e0::2"}}};
  world.peer("six", "fd7a:115c:a1e0::2");
  CHECK(world.findings().empty());
  world.slice("shop/web").ports.front().name.clear();
  CHECK(world.findings(port_check) == Findings{"port_unnamed shop/web"});
}

TEST_CASE("unread slices and Endpoints leave ports unknown") {
  World world = with_route();
  world.slice("shop/web").ports.front().name.clear();
  world.cluster->endpoint_slices = {};
  CHECK(world.findings(port_check).empty());
  CHECK(world.layer(Layer::endpoint_port) == LayerStatus::unknown);
  world.cluster->endpoints = {};
  CHECK(world.findings(port_check).empty());
  CHECK(world.layer(Layer::endpoint_port) == LayerStatus::unknown);
}

TEST_CASE("ready pods without the port that the Service's targetPort names") {
  World world = World::healthy();
  world.with_pods("shop/web", 1).ports.front().target_port = "htttp";
  world.ingress("shop/front", "shop.example", "web");
  world.serve();
  world.slice("shop/web").ports.clear();
  SECTION("with Traefik, which has no router") { world.drop_router("shop"); }
  SECTION("without Traefik") { world.config.traefik.clear(); }
  CHECK(world.findings() ==
        Findings{"endpoint_port_mismatch/port_number_unknown Service shop/web"});
  CHECK(world.cause("shop.example") == "endpoint_port/port_number_unknown");
  const Finding finding = world.judge().findings.front();
  CHECK(finding.severity == Severity::critical);
  CHECK(finding.message.find("htttp") != std::string::npos);
  CHECK(finding.cure.starts_with("kubectl -n shop edit service web   # "));
}

TEST_CASE("innocent: pods of two releases, one without the port, other ports, no ready pod") {
  World world = World::healthy();
  world.with_pods("shop/web", 1).ports.front().target_port = "http";
  world.ingress("shop/front", "shop.example", "web");
  world.serve();
  auto old = world.slice("shop/web");
  old.name.name = "web-old";
  old.ports.clear();
  SECTION("both releases are ready") { world.cluster->endpoint_slices.items.push_back(old); }
  SECTION("a port that no route leads to") {
    world.service("shop/web")
        .ports.push_back({.name = "metrics", .port = 9090, .target_port = "metrics"});
  }
  CHECK(world.findings().empty());
  CHECK(world.cause("shop.example") == "ok");
}

TEST_CASE("a port that only pods carry that are not ready") {
  World world = World::healthy();
  world.with_pods("shop/web", 0).ports.front().target_port = "http";
  world.ingress("shop/front", "shop.example", "web");
  CHECK(world.findings(port_check).empty());  // none is ready: another check's business
  auto old = world.slice("shop/web");
  old.name.name = "web-old";
  old.ports.clear();
  old.endpoints.front().ready = true;
  world.cluster->endpoint_slices.items.push_back(old);
  CHECK(world.findings(port_check) == Findings{"port_number_unknown shop/web"});
}

TEST_CASE("pods' slices that do not follow their Service") {
  World world = World::healthy();
  world.with_pods("shop/web", 1);
  world.ingress("shop/front", "shop.example", "web");
  world.serve();
  world.slice("shop/web").ports.front().name = "web";
  CHECK(world.findings() == Findings{"endpoint_port_mismatch/port_name_unknown Service shop/web"});
}
