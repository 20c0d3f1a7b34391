#include "fleet/routes.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "fleet/router_index.h"
#include "support/catch.h"
#include "support/snapshots.h"

using namespace shortcircuit;
using namespace shortcircuit::testing;

namespace {

// `host path` of every route, in order.
std::vector<std::string> hosts(const World& world) {
  std::vector<std::string> texts;
  for (const Route& route : routes_of(world.snapshot))
    texts.push_back(route.host + " " + route.path);
  return texts;
}
using Texts = std::vector<std::string>;
using Indices = std::vector<std::size_t>;

// The names of a route's routers, `none` without.
std::string routers_of(const World& world, const Route& route) {
  Texts names;
  for (const std::size_t router : route.routers)
    names.push_back(std::as_const(*world.proxy).routers[router].name);
  return names.empty() ? "none" : join(names, " ");
}

}  // namespace

TEST_CASE("whose Ingress it is") {
  World world = World::healthy();
  world.cluster->ingress_classes.items = {
      {.name = "web", .controller = "traefik.io/ingress-controller"},
      {.name = "nginx", .controller = "k8s.io/ingress-nginx", .is_default = true}};
  auto& ingress = world.ingress("shop/front", "shop.example", "web");
  const auto count = [&] { return routes_of(world.snapshot).size(); };
  CHECK(count() == 1);  // no class at all
  ingress.class_name = "web";
  CHECK(count() == 1);
  ingress.class_name = "nginx";
  CHECK(count() == 0);
  ingress.class_name = "no-such-class";
  CHECK(count() == 0);
  ingress.class_name.reset();
  ingress.class_annotation = "traefik";
  CHECK(count() == 1);
  ingress.class_annotation = "";
  CHECK(count() == 1);
  ingress.class_annotation = "web";  // though a class of that name exists
  CHECK(count() == 0);
  ingress.class_annotation.reset();
  world.proxy->providers = {"KubernetesCRD"};
  CHECK(count() == 0);  // Traefik reads no Ingress, and nothing says that this one is its own
  ingress.class_name = "web";
  CHECK(count() == 1);
}

TEST_CASE("another controller's Ingress is never judged") {
  World world = World::healthy();
  world.cluster->ingress_classes.items = {{.name = "nginx", .controller = "k8s.io/ingress-nginx"}};
  auto& ingress = world.ingress("shop/front", "shop.example", "nothing-there");
  ingress.class_name = "nginx";
  ingress.traefik_annotations = {
      {"traefik.ingress.kubernetes.io/router.middlewares", "shop-gone@kubernetescrd"}};
  CHECK(world.findings().empty());
  CHECK(world.judge().routes.empty());
}

TEST_CASE("hosts and paths of Ingresses") {
  World world = World::healthy();
  auto& ingress = world.ingress("shop/front", "shop.example", "web");
  ingress.rules.front().paths.push_back(
      {.path = "/api",
       .path_type = "Exact",
       .backend = kubernetes::IngressBackend{.service = "api", .port_number = 80}});
  ingress.rules.push_back(
      {.host = "*.shop.example",
       .paths = {{.path = "",
                  .backend = kubernetes::IngressBackend{.service = "web", .port_number = 80}}}});
  ingress.rules.push_back(
      {.host = "",
       .paths = {{.path = "/any",
                  .path_type = "Prefix",
                  .backend = kubernetes::IngressBackend{.service = "web", .port_number = 80}}}});
  ingress.rules.push_back({.host = "no-paths.example"});
  ingress.rules.push_back({.host = "resource.example", .paths = {{.path = "/"}}});
  ingress.default_backend = kubernetes::IngressBackend{.service = "web", .port_number = 80};
  ingress.tls_hosts = {"shop.example", "tls-only.example"};
  CHECK(hosts(world) == Texts{"shop.example /", "shop.example /api", "*.shop.example /", " /any"});
  const auto routes = routes_of(world.snapshot);
  CHECK(routes[0].rule == "Host(`shop.example`) && PathPrefix(`/`)");
  CHECK(routes[0].tls);
  CHECK(routes[1].rule == "Host(`shop.example`) && Path(`/api`)");
  CHECK(routes[2].rule == "HostRegexp(`^[a-zA-Z0-9-]+\\.shop\\.example$`)");
  CHECK_FALSE(routes[2].tls);
  CHECK(routes[3].rule == "PathPrefix(`/any`)");
  world.cluster->ingresses.items[0].rules.clear();
  CHECK(hosts(world) == Texts{" /"});
}

TEST_CASE("hosts and paths of IngressRoutes") {
  World world = World::healthy();
  world.ingress_route("shop/front", "(Host(`a.example`) || Host(`b.example`)) && PathPrefix(`/x`)",
                      "web");
  world.ingress_route("shop/odd", "Something", "web");
  CHECK(hosts(world) == Texts{"a.example /x", "b.example /x", "Something /"});
}

TEST_CASE("a route's router") {
  World world = World::healthy();
  const auto router_of = [&](std::size_t index) {
    const auto routes = routes_of(world.snapshot);
    return routers_of(world, routes.at(index));
  };
  SECTION("two objects that say the same rule have a router each") {
    world.ingress_route("a/front", "Host(`x.example`)", "web");
    world.ingress_route("b/front", "Host( `x.example` )", "web");
    world.proxy->routers = {{.name = "b-front-0123456789abcdef0123@kubernetescrd",
                             .provider = "kubernetescrd",
                             .rule = "Host(`x.example`)"}};
    CHECK(router_of(0) == "none");
    CHECK(router_of(1) == "b-front-0123456789abcdef0123@kubernetescrd");
  }
  SECTION("of another provider, it is not the route's") {
    world.ingress("a/front", "x.example", "web");
    world.proxy->routers = {
        {.name = "x@file", .provider = "file", .rule = "Host(`x.example`) && PathPrefix(`/`)"},
        {.name = "a-front-1@kubernetescrd",
         .provider = "kubernetescrd",
         .rule = "Host(`x.example`) && PathPrefix(`/`)"}};
    CHECK(router_of(0) == "none");
  }
  SECTION("by rule when its name is made in another way") {
    world.ingress("a/front", "x.example", "web");
    world.proxy->routers = {{.name = "a1b2c3@kubernetes",
                             .provider = "kubernetes",
                             .rule = "Host(\"x.example\")&&PathPrefix('/')"}};
    CHECK(router_of(0) == "a1b2c3@kubernetes");
  }
  SECTION("by name when its rule is made in another way") {
    world.ingress("a/front", "*.x.example", "web");
    world.proxy->routers = {
        {.name = "a-front-x-example@kubernetes",
         .provider = "kubernetes",
         .rule = "HostRegexp(`[a-zA-Z0-9-]+\\.x\\.example`) && PathPrefix(`/`)"}};
    CHECK(router_of(0) == "a-front-x-example@kubernetes");
  }
  SECTION("with the path matcher of the annotation") {
    auto& ingress = world.ingress("a/front", "x.example", "web");
    ingress.rules.front().paths.front().path_type = "ImplementationSpecific";
    ingress.traefik_annotations = {{"traefik.ingress.kubernetes.io/router.pathmatcher", "Path"}};
    world.serve();
    CHECK(routes_of(world.snapshot).front().rule == "Host(`x.example`) && Path(`/`)");
    CHECK(router_of(0) == "a-front-x-example@kubernetes");
  }
}

TEST_CASE("a sibling's name may begin with the route's own") {
  World world = World::healthy();
  world.ingress_route("a/cctv-api", "Host(`x.example`)", "web");
  world.ingress_route("a/cctv-api-http", "Host(`x.example`)", "web");
  const auto routers = [&] {
    Texts names;
    for (const Route& route : routes_of(world.snapshot)) names.push_back(routers_of(world, route));
    return names;
  };
  world.serve();
  CHECK(routers() == Texts{"a-cctv-api-0a72be6dbe5820fbf2de@kubernetescrd",
                           "a-cctv-api-http-0a72be6dbe5820fbf2de@kubernetescrd"});
  world.drop_router(routers()[0]);
  CHECK(routers() == Texts{"none", "a-cctv-api-http-0a72be6dbe5820fbf2de@kubernetescrd"});
}

TEST_CASE("two Ingresses that say one rule have a router each, told apart by name") {
  World world = World::healthy();
  world.ingress("a/front", "x.example", "web");
  world.ingress("a/front-x-example", "x.example", "web");
  world.proxy->routers = {{.name = "a-front-x-example-x-example@kubernetes",
                           .provider = "kubernetes",
                           .rule = "Host(`x.example`) && PathPrefix(`/`)"}};
  CHECK(routes_of(world.snapshot)[0].routers.empty());
  CHECK(routes_of(world.snapshot)[1].routers == Indices{0});
  // Two of one name: Traefik hashes their rules behind it.
  world.proxy->routers.push_back({.name = "a-front-x-example-0123456789abcdef0123@kubernetes",
                                  .provider = "kubernetes",
                                  .rule = "Host(`x.example`) && PathPrefix(`/`)"});
  CHECK(routes_of(world.snapshot)[0].routers == Indices{1});
}

TEST_CASE("IngressRoutes of a class are another instance's where this one serves another class") {
  World world = World::healthy();
  world.with_pods("shop/web", 1);
  world.ingress_route("shop/first", "Host(`a.example`)", "web").class_annotation = "inside";
  world.ingress_route("shop/dead", "Host(`b.example`)", "gone").class_annotation = "inside";
  world.ingress_route("shop/other", "Host(`c.example`)", "gone").class_annotation = "outside";
  const auto serve = [&](const std::string& name, const std::string& host) {
    world.proxy->routers = {{.name = "shop-" + name + "-0a72be6dbe5820fbf2de@kubernetescrd",
                             .provider = "kubernetescrd",
                             .rule = "Host(`" + host + "`)",
                             .status = "enabled"}};
  };
  const Texts all{"a.example /", "b.example /", "c.example /"};
  CHECK(hosts(world) == all);  // it serves none: whose they are is not known
  serve("first", "a.example");
  CHECK(hosts(world) == Texts{"a.example /", "b.example /"});
  CHECK(world.cause("b.example") == "backend/service_absent");
  world.ingress_route("shop/usual", "Host(`d.example`)", "web");
  serve("usual", "d.example");
  CHECK(hosts(world) == Texts{"d.example /"});
  down(world.snapshot.traefik);
  CHECK(hosts(world).size() == 4);
}

TEST_CASE("an IngressRoute of a class, and a Traefik that serves none, is unknown when sound") {
  World world = World::healthy();
  world.with_pods("shop/web", 1);
  auto& route = world.ingress_route("shop/front", "Host(`a.example`)", "web");
  route.class_annotation = "inside";
  CHECK(world.findings().empty());
  CHECK(world.cause("a.example") == "unknown");
  CHECK(world.layer(Layer::backend) == LayerStatus::unknown);
  // What is wrong with it is wrong whoever serves it.
  route.rules.front().middlewares = {{.name = "gone"}};
  CHECK(world.cause("a.example") == "middleware/object_absent");
  route.rules.front().middlewares.clear();
  route.class_annotation = "traefik";  // what every Traefik serves by itself
  CHECK(world.cause("a.example") == "backend/router_error");
}

TEST_CASE("names as Traefik writes them") {
  CHECK(normalized_name("shop-front-*.shop.example/api/v1") == "shop-front-shop-example-api-v1");
  CHECK(normalized_name("--a..b--") == "a-b");
  CHECK(normalized_name("") == "");
  traefik::State traefik;
  for (const auto& [version, major] :
       {std::pair{"3.6.9", 3}, {"v2.11.2", 2}, {"dev", 0}, {"", 0}}) {
    traefik.version = version;
    CHECK(major_version_of(&traefik) == major);
  }
}

TEST_CASE("IngressRoutes of the old API group") {
  World world = World::healthy();
  world.ingress_route("shop/front", "Host(`x.example`)", "web").old_group = true;
  CHECK(routes_of(world.snapshot).empty());
  world.proxy->version = "2.11.0";
  CHECK(routes_of(world.snapshot).size() == 1);
  world.ingress_route("shop/front", "Host(`x.example`)", "web");  // migrated: both are there
  CHECK(routes_of(world.snapshot).size() == 1);
}

TEST_CASE("classes that cannot be read leave routes unknown, not healthy") {
  World world = World::healthy();
  world.with_pods("shop/web", 1);
  world.ingress("shop/front", "shop.example", "web").class_name = "edge";
  world.cluster->ingress_classes = {};
  CHECK(world.findings().empty());
  for (const Layer layer : {Layer::external_name, Layer::middleware, Layer::backend})
    CHECK(world.layer(layer) == LayerStatus::unknown);
}
