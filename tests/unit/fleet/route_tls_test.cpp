#include "fleet/route_tls.h"

#include "fleet/routes.h"
#include "support/catch.h"
#include "support/snapshots.h"

using namespace shortcircuit;
using namespace shortcircuit::testing;

TEST_CASE("an Ingress that asks for TLS") {
  kubernetes::Ingress ingress;
  CHECK_FALSE(has_tls(ingress, "x.example"));
  SECTION("for its host") { ingress.tls_hosts = {"y.example", "x.example"}; }
  SECTION("for every host of a domain") { ingress.tls_hosts = {"*.example"}; }
  SECTION("without naming a host") { ingress.tls_for_every_host = true; }
  SECTION("by annotation") {
    ingress.traefik_annotations = {{"traefik.ingress.kubernetes.io/router.tls", "true"}};
  }
  SECTION("by annotation of more") {
    ingress.traefik_annotations = {
        {"traefik.ingress.kubernetes.io/router.tls.certresolver", "letsencrypt"}};
  }
  CHECK(has_tls(ingress, "x.example"));
}

TEST_CASE("an Ingress that looks as if it asked for TLS") {
  kubernetes::Ingress ingress;
  ingress.tls_hosts = {"y.example", "*.x.example", "*.a.example"};
  ingress.traefik_annotations = {{"traefik.ingress.kubernetes.io/router.tls", "false"},
                                 {"traefik.ingress.kubernetes.io/router.tlsoptions", "true"},
                                 {"traefik.ingress.kubernetes.io/router.entrypoints", "websecure"}};
  for (const char* host : {"", "x.example", "b.c.a.example", ".x.example", "*.example"})
    CHECK_FALSE(has_tls(ingress, host));
  CHECK(has_tls(ingress, "*.x.example"));
}

TEST_CASE("a route has TLS where one of its routers has it") {
  World world = World::with_route();
  world.with_pods("shop/other", 1);
  world.ingress("shop/other", "other.example", "other");
  world.ingress_route("shop/third", "Host(`third.example`)", "other").entry_points = {"websecure"};
  world.proxy->routers.clear();
  world.serve();
  const auto with_tls = [&] {
    std::vector<std::string> hosts;
    for (const Route& route : routes_of(world.snapshot)) {
      if (route.tls) hosts.push_back(route.host);
    }
    return hosts;
  };
  CHECK(with_tls().empty());
  world.router("third").tls = true;  // its entry point's
  CHECK(with_tls() == std::vector<std::string>{"third.example"});
  auto copy = world.router("shop-front");
  copy.name = "websecure-" + copy.name;
  copy.entry_points = {"websecure"};
  copy.tls = true;
  world.proxy->routers.push_back(copy);
  CHECK(with_tls() == std::vector<std::string>{"shop.example", "third.example"});
}
