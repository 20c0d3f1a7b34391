#include "support/catch.h"
#include "support/snapshots.h"

using namespace shortcircuit;
using namespace shortcircuit::testing;

namespace {
constexpr auto middleware_check = "middleware_missing";
constexpr auto annotation = "traefik.ingress.kubernetes.io/router.middlewares";
using Findings = std::vector<std::string>;

World with_middlewares(const std::string& references) {
  World world = World::healthy();
  world.hand_kept("shop/web", {"100.80.0.2"});
  world.ingress("shop/front", "shop.example", "web").traefik_annotations = {
      {annotation, references}};
  world.serve();
  return world;
}

void refuse(World& world, const std::string& router, const std::string& middleware) {
  world.router(router).status = "disabled";
  world.router(router).errors = {"middleware \"" + middleware + "\" does not exist"};
}

kubernetes::IngressRoute tcp_route(const std::string& middleware) {
  return {.name = {"db", "main"},
          .rules = {{.match = "HostSNI(`*`)",
                     .middlewares = {{.name = middleware}},
                     .services = {{.name = "main", .port = "http"}}}}};
}
}  // namespace

TEST_CASE("middlewares that exist, in any namespace, whatever dashes their names have") {
  World world = with_middlewares("edge-net-rate-limit@kubernetescrd, shop-strip@kubernetescrd");
  world.middleware("edge-net/rate-limit");
  world.middleware("shop/strip");
  CHECK(world.findings().empty());
  CHECK(world.cause("shop.example") == "ok");
}

TEST_CASE("an absent object, with the namespace told from the name") {
  World world = with_middlewares("edge-net-rate-limit@kubernetescrd");
  refuse(world, "shop", "edge-net-rate-limit@kubernetescrd");
  SECTION("by another object of the namespace") {
    world.middleware("edge-net/other");
    CHECK(world.findings() ==
          Findings{"middleware_missing/object_absent Middleware edge-net/rate-limit"});
  }
  SECTION("the longest namespace that is known") {
    world.middleware("edge/other");
    world.with_pods("edge-net/api", 1);
    CHECK(world.findings() ==
          Findings{"middleware_missing/object_absent Middleware edge-net/rate-limit"});
  }
  SECTION("the Ingress's own") {
    world.cluster->ingresses.items[0].name.namespace_name = "edge-net";
    world.cluster->ingresses.items[0].rules.front().paths.front().backend->service = "web";
    world.service("shop/web").name.namespace_name = "edge-net";
    world.slice("shop/web").name.namespace_name = "edge-net";
    CHECK(world.findings() ==
          Findings{"middleware_missing/object_absent Middleware edge-net/rate-limit"});
  }
  CHECK(world.cause("shop.example") == "middleware/object_absent");
}

TEST_CASE("an IngressRoute's middlewares") {
  World world = World::healthy();
  world.hand_kept("shop/web", {"100.80.0.2"});
  auto& rule = world.ingress_route("shop/front", "Host(`shop.example`)", "web").rules.front();
  SECTION("of its own namespace") {
    rule.middlewares = {{.name = "cors"}};
    CHECK(world.findings(middleware_check) == Findings{"object_absent shop/cors"});
  }
  SECTION("of another namespace") {
    rule.middlewares = {{.name = "cors", .namespace_name = "shared-net"}};
    CHECK(world.findings(middleware_check) == Findings{"object_absent shared-net/cors"});
  }
  SECTION("by its full name") {
    world.middleware("shared-net/other");
    rule.middlewares = {{.name = "shared-net-cors@kubernetescrd"}};
    CHECK(world.findings(middleware_check) == Findings{"object_absent shared-net/cors"});
  }
  SECTION("inside a chain, and chains may go in circles") {
    rule.middlewares = {{.name = "all"}};
    world.middleware("shop/all").chain = {{.name = "inner"}, {.name = "all"}};
    world.middleware("shop/inner").chain = {{.name = "gone"}, {.name = "all"}};
    CHECK(world.findings(middleware_check) == Findings{"object_absent shop/gone"});
  }
  SECTION("of another provider, which only Traefik knows") {
    rule.middlewares = {{.name = "auth@file"}};
    world.serve();
    CHECK(world.findings(middleware_check).empty());
    refuse(world, "shop", "auth@file");
    CHECK(world.findings() == Findings{"middleware_missing/router_error Middleware auth@file"});
    CHECK(world.cause("shop.example") == "middleware/router_error");
  }
}

TEST_CASE("a TCP route's middlewares are of their own kind") {
  World world = World::healthy();
  world.hand_kept("db/main", {"100.80.0.2"});
  world.cluster->ingress_route_tcps.items.push_back(tcp_route("allow"));
  world.middleware("db/allow");  // of HTTP: does not count
  CHECK(world.findings() == Findings{"middleware_missing/object_absent MiddlewareTCP db/allow"});
  CHECK(world.judge().findings.front().message ==
        "MiddlewareTCP db/allow does not exist, and IngressRouteTCP db/main names it: its router "
        "is disabled and takes no connection.");
  SECTION("which exists") {
    world.cluster->middleware_tcps.items.push_back({.name = {"db", "allow"}});
    CHECK(world.findings().empty());
  }
  SECTION("by its full name") {
    world.cluster->middleware_tcps.items.push_back({.name = {"db", "allow"}});
    world.cluster->ingress_route_tcps.items[0] = tcp_route("db-allow@kubernetescrd");
    world.cluster->middlewares.items.clear();
    CHECK(world.findings().empty());
  }
}

TEST_CASE("an HTTP route does not fall with a MiddlewareTCP of its middleware's name") {
  World world = World::healthy();
  world.hand_kept("db/main", {"100.80.0.2"});
  world.cluster->ingress_route_tcps.items.push_back(tcp_route("allow"));
  world.ingress_route("db/web", "Host(`db.example`)", "main").rules.front().middlewares = {
      {.name = "allow"}};
  world.middleware("db/allow");
  world.serve();
  CHECK(world.findings() == Findings{"middleware_missing/object_absent MiddlewareTCP db/allow"});
  CHECK(world.cause("db.example") == "ok");
  CHECK(world.cause("*") == "middleware/object_absent");
  SECTION("nor does the other way round") {
    world.cluster->middlewares.items.clear();
    world.cluster->middleware_tcps.items.push_back({.name = {"db", "allow"}});
    CHECK(world.findings() == Findings{"middleware_missing/object_absent Middleware db/allow"});
    CHECK(world.cause("db.example") == "middleware/object_absent");
    CHECK(world.cause("*") == "ok");
  }
  SECTION("both are absent, and said apart") {
    world.cluster->middlewares.items.clear();
    CHECK(world.findings() == Findings{"middleware_missing/object_absent Middleware db/allow",
                                       "middleware_missing/object_absent MiddlewareTCP db/allow"});
  }
  SECTION("Traefik's error is the HTTP middleware's") {
    world.cluster->middleware_tcps.items.push_back({.name = {"db", "allow"}});
    refuse(world, "db-web", "db-allow@kubernetescrd");
    CHECK(world.findings() == Findings{"middleware_missing/router_error Middleware db/allow"});
    CHECK(world.cause("*") == "ok");
  }
}

TEST_CASE("what cures a middleware that Traefik calls absent") {
  World world = with_middlewares("shop-auth@kubernetescrd, auth@file");
  world.middleware("shop/auth");
  const auto cure_after = [&](const std::string& error) {
    world.router("shop").status = "disabled";
    world.router("shop").errors = {error};
    return world.judge().findings.front().cure;
  };
  CHECK(cure_after("middleware \"shop-auth@kubernetescrd\" does not exist") ==
        "kubectl -n shop get middleware auth -o yaml   # it is there; what it names is not: its "
        "Secret, its errors.service or its plugin; Traefik's log says which");
  CHECK(cure_after("invalid middleware \"shop-auth@kubernetescrd\" configuration: empty") ==
        "kubectl -n shop get middleware auth -o yaml   # correct in it what Traefik says");
  CHECK(cure_after("middleware \"auth@file\" does not exist").starts_with("# define auth@file"));
}

TEST_CASE("the provider that reads middlewares is off") {
  World world = with_middlewares("shop-strip@kubernetescrd");
  world.middleware("shop/strip");
  world.proxy->providers = {"KubernetesIngress"};
  refuse(world, "shop", "shop-strip@kubernetescrd");
  CHECK(world.findings() == Findings{"middleware_missing/provider_off Middleware shop/strip"});
}

TEST_CASE("an object that exists and Traefik denies") {
  World world = with_middlewares("shop-strip@kubernetescrd");
  world.middleware("shop/strip");
  refuse(world, "shop", "shop-strip@kubernetescrd");
  CHECK(world.findings() == Findings{"middleware_missing/router_error Middleware shop/strip"});
  SECTION("is believed only when Traefik has had time to load") {
    world.proxy->started = world.snapshot.time - 3s;
    CHECK(world.findings().empty());
    CHECK(world.layer(Layer::middleware) == LayerStatus::unknown);
  }
  SECTION("and an absent one is reported at once") {
    world.proxy->started = world.snapshot.time - 3s;
    world.cluster->middlewares.items.clear();
    CHECK(world.findings(middleware_check) == Findings{"object_absent shop/strip"});
  }
}

TEST_CASE("a reference without its provider") {
  World world = with_middlewares("strip");
  CHECK(world.findings(middleware_check).empty());
  refuse(world, "shop", "strip@kubernetes");
  CHECK(world.findings() == Findings{"middleware_missing/router_error Middleware strip"});
}

TEST_CASE("a dotted name is normalized by Traefik") {
  World world = with_middlewares("shop-auth-v2@kubernetescrd");
  world.middleware("shop/auth.v2");
  CHECK(world.findings().empty());
}

TEST_CASE("an error in a middleware itself has a cause too") {
  World world = with_middlewares("shop-auth@kubernetescrd");
  world.middleware("shop/auth");
  world.router("shop").status = "disabled";
  world.router("shop").errors = {
      "invalid middleware \"shop-auth@kubernetescrd\" configuration: empty"};
  CHECK(world.findings() == Findings{"middleware_missing/router_error Middleware shop/auth"});
}

TEST_CASE("routers of other providers") {
  World world = World::healthy();
  world.proxy->routers.push_back({.name = "x@file",
                                  .provider = "file",
                                  .rule = "Host(`x.example`)",
                                  .status = "disabled",
                                  .errors = {"middleware \"auth@file\" does not exist"}});
  CHECK(world.findings() == Findings{"middleware_missing/router_error Middleware auth@file"});
}

TEST_CASE("the kind is not installed") {
  World world = with_middlewares("shop-strip@kubernetescrd");
  world.cluster->middlewares = {.status =
                                    kubernetes::Listed<kubernetes::Middleware>::Status::absent};
  CHECK(world.findings(middleware_check) == Findings{"object_absent shop/strip"});
}

TEST_CASE("middlewares that cannot be listed are unknown, but Traefik's word counts") {
  World world = with_middlewares("shop-strip@kubernetescrd");
  world.cluster->middlewares = {};
  CHECK(world.findings().empty());
  CHECK(world.layer(Layer::middleware) == LayerStatus::unknown);
  refuse(world, "shop", "shop-strip@kubernetescrd");
  CHECK(world.findings(middleware_check) == Findings{"router_error shop/strip"});
}

TEST_CASE("sources that are down") {
  World world = with_middlewares("shop-strip@kubernetescrd");
  SECTION("Kubernetes: whose routers these are is unknown") {
    refuse(world, "shop", "shop-strip@kubernetescrd");
    down(world.snapshot.kubernetes);
    CHECK(world.findings(middleware_check).empty());
  }
  SECTION("Traefik: absent objects are absent") {
    down(world.snapshot.traefik);
    CHECK(world.findings(middleware_check) == Findings{"object_absent shop/strip"});
    world.middleware("shop/strip");
    CHECK(world.findings(middleware_check).empty());
  }
  CHECK(world.layer(Layer::middleware) != LayerStatus::ok);
}

TEST_CASE("objects of the old API group are read up to version 2") {
  World world = with_middlewares("shop-strip@kubernetescrd");
  world.middleware("shop/strip").old_group = true;
  CHECK(world.findings(middleware_check) == Findings{"object_absent shop/strip"});
  world.proxy->version = "2.11.2";
  CHECK(world.findings(middleware_check).empty());
}

namespace {
// `auth` of the file provider, refused; and the cluster as it was when it was asked the time
// before.
World refused_meanwhile(const std::string& references_before) {
  World world = with_middlewares("auth@file");
  refuse(world, "shop", "auth@file");
  auto earlier = std::make_shared<kubernetes::State>(*world.cluster);
  earlier->ingresses.items[0].traefik_annotations = {{annotation, references_before}};
  world.was_before(earlier);
  return world;
}
}  // namespace

TEST_CASE("what Traefik refused may have been mended after it was asked") {
  SECTION("the object was created") {
    World world = with_middlewares("shop-auth@kubernetescrd");
    refuse(world, "shop", "shop-auth@kubernetescrd");
    world.was_before(std::make_shared<kubernetes::State>(*world.cluster));
    world.middleware("shop/auth");
    CHECK(world.findings().empty());
    CHECK(world.layer(Layer::middleware) == LayerStatus::unknown);
    CHECK(world.cause("shop.example") == "unknown");
    world.snapshot.traefik.front().observed_at = world.snapshot.time + 10s;
    CHECK(world.findings(middleware_check) == Findings{"router_error shop/auth"});
  }
  SECTION("nothing has changed") {
    CHECK(refused_meanwhile("auth@file").findings(middleware_check) ==
          Findings{"router_error auth@file"});
  }
}
