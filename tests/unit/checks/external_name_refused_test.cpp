#include "support/catch.h"
#include "support/snapshots.h"

using namespace shortcircuit;
using namespace shortcircuit::testing;

namespace {
constexpr auto external_name_check = "external_name_refused";
using Findings = std::vector<std::string>;

World with_external_route() {
  World world = World::healthy();
  world.external_name("ops/wiki", "wiki.partner.example");
  world.ingress("ops/wiki", "wiki.example", "wiki");
  world.serve();
  return world;
}
}  // namespace

TEST_CASE("an ExternalName with the flag on is innocent") {
  const World world = with_external_route();
  CHECK(world.findings().empty());
  CHECK(world.cause("wiki.example") == "ok");
}

TEST_CASE("an ExternalName that no route needs is innocent with the flag off") {
  World world = World::healthy();
  world.external_name("ops/wiki", "wiki.partner.example");
  CHECK(world.findings().empty());
}

TEST_CASE("a refused ExternalName") {
  World world = with_external_route();
  world.drop_router("wiki");
  CHECK(world.findings() == Findings{"external_name_refused/provider_flag_off Service ops/wiki"});
  CHECK(world.cause("wiki.example") == "external_name/provider_flag_off");
  CHECK(world.judge().findings.front().cure.find(
            "--providers.kubernetesingress.allowexternalnameservices=true") != std::string::npos);
}

TEST_CASE("a clock that is an hour ahead hides nothing") {
  World world = with_external_route();
  world.drop_router("wiki");
  world.proxy->started = world.snapshot.time - 5s;
  CHECK(world.findings(external_name_check).empty());
  world.proxy->started = world.snapshot.time + 1h;
  CHECK(world.findings(external_name_check) == Findings{"provider_flag_off ops/wiki"});
  world.cluster->ingresses.items[0].created = world.snapshot.time + 1h;
  CHECK(world.findings(external_name_check) == Findings{"provider_flag_off ops/wiki"});
}

TEST_CASE("the flag is one of each provider") {
  World world = with_external_route();
  world.external_name("ops/forum", "forum.partner.example");
  world.ingress_route("ops/forum", "Host(`forum.example`)", "forum");
  world.proxy->routers.clear();
  world.serve();
  world.drop_router("forum");
  CHECK(world.findings() == Findings{"external_name_refused/provider_flag_off Service ops/forum"});
  CHECK(world.judge().findings.front().cure.find("kubernetescrd.allowexternalnameservices") !=
        std::string::npos);
  CHECK(world.cause("wiki.example") == "ok");
}

TEST_CASE("one Service that one kind of route may use and the other may not") {
  World world = with_external_route();
  world.ingress_route("ops/wiki-crd", "Host(`wiki2.example`)", "wiki");
  CHECK(world.findings(external_name_check) == Findings{"provider_flag_off ops/wiki"});
  CHECK(world.cause("wiki.example") == "ok");
  CHECK(world.cause("wiki2.example") == "external_name/provider_flag_off");
}

TEST_CASE("a missing middleware disables the router and does not refuse the name") {
  World world = with_external_route();
  world.cluster->ingresses.items[0].traefik_annotations = {
      {"traefik.ingress.kubernetes.io/router.middlewares", "ops-auth@kubernetescrd"}};
  world.router("wiki").status = "disabled";
  world.router("wiki").errors = {"middleware \"ops-auth@kubernetescrd\" does not exist"};
  CHECK(world.findings() == Findings{"middleware_missing/object_absent Middleware ops/auth"});
  SECTION("both at once") {
    world.drop_router("wiki");
    CHECK(world.findings() == Findings{"external_name_refused/provider_flag_off Service ops/wiki",
                                       "middleware_missing/object_absent Middleware ops/auth"});
  }
}

TEST_CASE("a router that is gone for another cause says nothing of the flag") {
  World world = with_external_route();
  world.service("ops/wiki").ports.front().name = "web";
  world.drop_router("wiki");
  CHECK(world.findings() == Findings{"backend_missing/service_port_absent Service ops/wiki"});
  CHECK(world.layer(Layer::external_name) == LayerStatus::unknown);
  SECTION("unless another route shows that it is off") {
    world.external_name("ops/forum", "forum.partner.example");
    world.ingress("ops/forum", "forum.example", "forum");
    CHECK(world.findings(external_name_check) ==
          Findings{"provider_flag_off ops/forum", "provider_flag_off ops/wiki"});
  }
}

TEST_CASE("an Ingress needs the port in the ExternalName Service, an IngressRoute does not") {
  World world = World::healthy();
  world.external_name("ops/wiki", "wiki.partner.example").ports.clear();
  world.ingress_route("ops/wiki", "Host(`wiki.example`)", "wiki")
      .rules.front()
      .services.front()
      .port = "8443";
  world.serve();
  CHECK(world.findings().empty());
  world.ingress("ops/wiki2", "wiki2.example", "wiki")
      .rules.front()
      .paths.front()
      .backend->port_number = 8443;
  world.cluster->ingresses.items[0].rules.front().paths.front().backend->port_name = "";
  CHECK(world.findings() == Findings{"backend_missing/service_port_absent Service ops/wiki"});
}

TEST_CASE("what is new may not be loaded yet") {
  World world = with_external_route();
  world.drop_router("wiki");
  SECTION("the route") { world.cluster->ingresses.items[0].created = world.snapshot.time - 10s; }
  SECTION("Traefik") { world.proxy->started = world.snapshot.time - 10s; }
  CHECK(world.findings().empty());
  CHECK(world.layer(Layer::external_name) == LayerStatus::unknown);
  CHECK(world.cause("wiki.example") == "unknown");
}

TEST_CASE("without Traefik or Kubernetes the names are unknown") {
  World world = with_external_route();
  world.drop_router("wiki");
  SECTION("Traefik") { down(world.snapshot.traefik); }
  SECTION("Kubernetes") { down(world.snapshot.kubernetes); }
  SECTION("services") { world.cluster->services = {}; }
  CHECK(world.findings(external_name_check).empty());
  CHECK(world.layer(Layer::external_name) == LayerStatus::unknown);
  world.config.traefik.clear();
  CHECK(world.layer(Layer::external_name) == LayerStatus::off);
}

TEST_CASE("a TraefikService with an ExternalName leg is gone whole") {
  World world = World::healthy();
  world.external_name("ops/wiki", "wiki.partner.example");
  world.hand_kept("ops/near", {"100.80.0.2"});
  world.cluster->traefik_services.items.push_back(
      {.name = {"ops", "both"},
       .services = {{.name = "wiki", .port = "http"}, {.name = "near", .port = "http"}}});
  auto& route = world.ingress_route("ops/wiki", "Host(`wiki.example`)", "both");
  route.rules.front().services.front() = {.name = "both", .kind = "TraefikService"};
  world.serve();
  world.proxy->services.clear();
  world.router("wiki").status = "disabled";
  world.router("wiki").service = "ops-both@kubernetescrd";
  world.router("wiki").errors = {"the service \"ops-both@kubernetescrd\" does not exist"};
  CHECK(world.findings() == Findings{"external_name_refused/provider_flag_off Service ops/wiki"});
}

TEST_CASE("a route of another Traefik's class says nothing of the flag") {
  World world = World::healthy();
  world.cluster->ingress_classes.items = {
      {.name = "inside", .controller = "traefik.io/ingress-controller"},
      {.name = "outside", .controller = "traefik.io/ingress-controller"}};
  world.with_pods("ops/web", 1);
  world.ingress("ops/web", "web.example", "web").class_name = "inside";
  world.serve();
  world.external_name("ops/wiki", "wiki.partner.example");
  auto& wiki = world.ingress("ops/wiki", "wiki.example", "wiki");
  wiki.class_name = "outside";
  CHECK(world.findings().empty());
  CHECK(world.layer(Layer::external_name) == LayerStatus::unknown);
  CHECK(world.cause("wiki.example") == "unknown");
  wiki.class_name = "inside";
  CHECK(world.findings() == Findings{"external_name_refused/provider_flag_off Service ops/wiki"});
}

TEST_CASE("an IngressRoute's class says the same, and none is as good as the usual one") {
  World world = World::healthy();
  world.with_pods("ops/web", 1);
  world.ingress_route("ops/web", "Host(`web.example`)", "web").class_annotation = "inside";
  world.proxy->routers = {{.name = "ops-web-0a72be6dbe5820fbf2de@kubernetescrd",
                           .provider = "kubernetescrd",
                           .rule = "Host(`web.example`)",
                           .status = "enabled",
                           .service = "ops-web"}};
  world.proxy->services = {{.name = "ops-web@kubernetescrd",
                            .provider = "kubernetescrd",
                            .status = "enabled",
                            .type = "loadbalancer",
                            .server_urls = {"http://10.244.1.1:8080"}}};
  world.external_name("ops/wiki", "wiki.partner.example");
  world.ingress_route("ops/wiki", "Host(`wiki.example`)", "wiki");
  CHECK(world.findings().empty());
  CHECK(world.cause("wiki.example") == "unknown");
  world.cluster->ingress_routes.items[0].class_annotation = "traefik";
  CHECK(world.findings() == Findings{"external_name_refused/provider_flag_off Service ops/wiki"});
}

TEST_CASE("a namespace that Traefik does not look into says nothing of the flag") {
  World world = with_external_route();
  world.with_pods("ops/web", 1);
  world.ingress("ops/web", "web.example", "web");
  world.with_pods("shop/web", 1);
  world.ingress("shop/web", "shop.example", "web");
  world.proxy->routers.clear();
  world.serve();
  world.drop_router("ops-wiki");
  CHECK(world.findings() == Findings{"external_name_refused/provider_flag_off Service ops/wiki"});
  world.drop_router("ops-web");
  CHECK(world.findings() == Findings{"backend_missing/router_error Ingress ops/web"});
  CHECK(world.layer(Layer::external_name) == LayerStatus::unknown);
  CHECK(world.cause("wiki.example") == "unknown");
  // Nor does one of which nothing is served, while another is not looked into.
  world.external_name("news/feed", "feed.partner.example");
  world.ingress("news/feed", "feed.example", "feed");
  CHECK(world.findings(external_name_check).empty());
  world.cluster->ingresses.items.erase_if(
      [](const auto& ingress) { return ingress.name.name == "feed"; });
  // Where something else is served the flag shows.
  world.external_name("shop/forum", "forum.partner.example");
  world.ingress("shop/forum", "forum.example", "forum");
  CHECK(world.findings(external_name_check) ==
        Findings{"provider_flag_off ops/wiki", "provider_flag_off shop/forum"});
}
