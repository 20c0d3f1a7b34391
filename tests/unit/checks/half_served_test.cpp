// Routers with a warning, and routers of providers whose objects are not read.
#include "support/catch.h"
#include "support/pasteable.h"
#include "support/snapshots.h"

using namespace shortcircuit;
using namespace shortcircuit::testing;

namespace {

using Said = std::vector<std::string>;

World with_warning(const std::string& error) {
  World world = World::with_route();
  world.proxy->entry_points = {{.name = "web"}, {.name = "websecure"}};
  auto& router = world.router("shop");
  router.entry_points = {"web", "websecured"};
  router.status = "warning";
  router.errors = {error};
  return world;
}

traefik::Router& other_router(World& world, const std::string& name) {
  return world.proxy->routers.push_back({.name = name,
                                         .provider = name.substr(name.rfind('@') + 1),
                                         .rule = "Host(`nas.example`)",
                                         .status = "disabled",
                                         .service = "nas",
                                         .errors = {"the service \"nas@file\" does not exist"}});
}

}  // namespace

TEST_CASE("an entry point that does not exist, beside one that does") {
  World world = with_warning("entryPoint \"websecured\" doesn't exist");
  const Judgement judgement = world.judge();
  REQUIRE(judgement.findings.size() == 1);
  const Finding& finding = judgement.findings.front();
  CHECK(finding.check == "backend_missing");
  CHECK(finding.reason == "router_error");
  CHECK(finding.severity == Severity::warning);
  CHECK(finding.object == "shop/front");
  CHECK(finding.message ==
        "Traefik serves Ingress shop/front (shop.example/) at its other entry points only: "
        "entryPoint \"websecured\" doesn't exist.");
  CHECK(finding.cure ==
        "kubectl -n shop edit ingress front   # correct the annotation "
        "traefik.ingress.kubernetes.io/router.entrypoints; Traefik has web and websecure");
  CHECK(world.cause("shop.example") == "ok");  // it is served
  // A dead path of the same object is worse, and is told instead.
  world.ingress("shop/front", "other.example", "web");
  CHECK(world.judge().findings.front().severity == Severity::critical);
  CHECK(world.findings() == Said{"backend_missing/router_error Ingress shop/front"});
  CHECK(world.cause("shop.example") == "ok");
  CHECK(world.cause("other.example") == "backend/router_error");
}

TEST_CASE("an IngressRoute names its entry points in its spec") {
  World world = World::healthy();
  world.with_pods("shop/web", 1);
  world.ingress_route("shop/front", "Host(`shop.example`)", "web");
  world.serve();
  world.router("shop").status = "warning";
  world.router("shop").errors = {"entryPoint \"a\" doesn't exist",
                                 "entryPoint \"b\" doesn't exist"};
  const Judgement judgement = world.judge();
  REQUIRE(judgement.findings.size() == 1);
  CHECK(judgement.findings.front().cure ==
        "kubectl -n shop edit ingressroute front   # correct spec.entryPoints");
  CHECK(judgement.findings.front().message.find("\"a\" doesn't exist; entryPoint \"b\"") !=
        std::string::npos);
}

TEST_CASE("a dead path next to a warned one does not borrow the warning") {
  World world = with_warning("entryPoint \"websecured\" doesn't exist");
  world.ingress("shop/front", "other.example", "web").traefik_annotations = {
      {"traefik.ingress.kubernetes.io/router.middlewares", "shop-gone@kubernetescrd"}};
  CHECK(world.findings() == Said{"backend_missing/router_error Ingress shop/front",
                                 "middleware_missing/object_absent Middleware shop/gone"});
  CHECK(world.cause("other.example") == "middleware/object_absent");
}

TEST_CASE("other warnings of Traefik are left to it") {
  CHECK(with_warning("found different TLS options for routers on the same host").findings() ==
        Said{});
}

TEST_CASE("disabled routers of providers whose objects are not read") {
  World world = World::with_route();
  other_router(world, "nas@file");
  other_router(world, "x@kubernetesgateway").errors.clear();
  other_router(world, "y@docker");
  other_router(world, "z@consulcatalog");
  CHECK(world.findings() == Said{"backend_missing/router_error Router nas@file",
                                 "backend_missing/router_error Router x@kubernetesgateway",
                                 "backend_missing/router_error Router y@docker",
                                 "backend_missing/router_error Router z@consulcatalog"});
  CHECK(world.cause("shop.example") == "ok");
  const Judgement judgement = world.judge();
  const auto found = std::ranges::find(judgement.findings, "nas@file", &Finding::object);
  CHECK(found->severity == Severity::critical);
  CHECK(found->message ==
        "Traefik has disabled its router nas@file: the service \"nas@file\" does not exist.");
  CHECK(found->cure == "# correct what the error names in the files of Traefik's provider file");
  // Right after its start it has not loaded everything.
  world.proxy->started = world.snapshot.time - 5s;
  CHECK(world.findings() == Said{});
  CHECK(world.layer(Layer::backend) == LayerStatus::unknown);
}

TEST_CASE("routers of other providers that are no fault, or told already") {
  World world = World::with_route();
  SECTION("enabled") { other_router(world, "nas@file").status = "enabled"; }
  SECTION("with a warning") { other_router(world, "nas@file").status = "warning"; }
  SECTION("Traefik's own") { other_router(world, "prometheus@internal"); }
  SECTION("of an IngressRoute that is not this Traefik's to judge") {
    other_router(world, "shop-gone-0a72be6dbe5820fbf2de@kubernetescrd");
  }
  SECTION("a middleware is missing") {
    other_router(world, "nas@file").errors = {"middleware \"auth@file\" does not exist"};
    CHECK(world.findings() == Said{"middleware_missing/router_error Middleware auth@file"});
    return;
  }
  CHECK(world.findings() == Said{});
}
