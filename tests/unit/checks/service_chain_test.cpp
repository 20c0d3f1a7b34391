// Routes whose Service is another one's name, names no port, or shares its object with a dead one.
#include "fleet/endpoints.h"
#include "support/catch.h"
#include "support/snapshots.h"

using namespace shortcircuit;
using namespace shortcircuit::testing;

namespace {

using Findings = std::vector<std::string>;

World with_alias(const std::string& target) {
  World world = World::healthy();
  world.with_pods("back/api", 1);
  world.external_name("shop/web", target);
  world.ingress("shop/front", "shop.example", "web");
  world.serve();
  return world;
}

void remove_service(World& world, const std::string& name) {
  world.cluster->services.items.erase_if(
      [&](const auto& service) { return service.name == object_name(name); });
}

}  // namespace

TEST_CASE("the Service that an ExternalName means") {
  const auto target = [](const std::string& name, const std::string& type = "ExternalName") {
    const auto found = cluster_service_of({.type = type, .external_name = name});
    return found ? found->text() : "none";
  };
  CHECK(target("api.back.svc") == "back/api");
  CHECK(target("API.back.svc.cluster.local.") == "back/api");
  CHECK(target("api.back.svc", "ClusterIP") == "none");
  for (const auto* name : {"api.back", "api.svc", ".back.svc", "api..svc", "svc", "", ".svc",
                           "pod.api.back.svc", "api.back.svc.example.com", "10.0.0.1"}) {
    INFO(name);
    CHECK(target(name) == "none");
  }
}

TEST_CASE("an ExternalName is followed to the Service that it means") {
  World world = with_alias(GENERATE("api.back.svc", "api.back.svc.cluster.local"));
  CHECK(world.findings().empty());
  CHECK(world.cause("shop.example") == "ok");
  SECTION("which is not there") {
    remove_service(world, "back/api");
    CHECK(world.findings() == Findings{"backend_missing/service_absent Service back/api"});
    CHECK(world.cause("shop.example") == "backend/service_absent");
  }
  SECTION("which has no ready pod") {
    for (auto& endpoint : world.slice("back/api").endpoints) endpoint.ready = false;
    CHECK(world.findings() == Findings{"backend_missing/no_ready_endpoints Service back/api"});
    CHECK(world.cause("shop.example") == "backend/no_ready_endpoints");
  }
  SECTION("whose addresses are stale") {
    remove_service(world, "back/api");
    world.cluster->endpoint_slices.items.erase_if(
        [](const auto& slice) { return slice.service == "api"; });
    world.hand_kept("back/api", {"100.80.0.77"});
    CHECK(world.findings() == Findings{"endpoint_address_stale/no_such_peer Service back/api"});
    CHECK(world.cause("shop.example") == "endpoint_address/no_such_peer");
  }
  SECTION("whose endpoints cannot be read") {
    world.cluster->endpoint_slices = {};
    world.cluster->endpoints = {};
    CHECK(world.findings().empty());
    CHECK(world.cause("shop.example") == "unknown");
  }
  SECTION("a refused one still shows that it is refused") {
    remove_service(world, "back/api");
    world.drop_router("shop");
    CHECK(world.findings() == Findings{"backend_missing/service_absent Service back/api",
                                       "external_name_refused/provider_flag_off Service shop/web"});
  }
}

TEST_CASE("Traefik dials an ExternalName's port at the Service that it means") {
  World world = with_alias("api.back.svc.cluster.local");
  auto& backend = *world.cluster->ingresses.items[0].rules.front().paths.front().backend;
  const Findings absent{"backend_missing/service_port_absent Service back/api"};
  SECTION("which has no such port, whatever targetPort says") {
    world.service("shop/web").ports = {{.name = "http", .port = 80, .target_port = "8080"}};
    CHECK(world.findings() == absent);
    CHECK(world.cause("shop.example") == "backend/service_port_absent");
    const Finding finding = world.judge().findings.front();
    CHECK(finding.message ==
          "ExternalName Service shop/web of Ingress shop/front leads to port 80 of Service "
          "back/api, which has no such port.");
    CHECK(finding.cure.starts_with("kubectl -n shop edit service web   # "));
  }
  SECTION("an IngressRoute's own number counts where the ExternalName has no such port") {
    world.cluster->ingresses.items.clear();
    world.ingress_route("shop/front", "Host(`shop.example`)", "web")
        .rules.front()
        .services.front()
        .port = "9090";
    world.serve();
    CHECK(world.findings() == absent);
    world.service("back/api").ports.push_back({.name = "more", .port = 9090});
    world.slice("back/api").ports.push_back({.name = "more", .port = 9090});
    CHECK(world.findings().empty());
  }
  SECTION("a headless one has the ports that its pods listen on") {
    world.service("back/api").cluster_ips = {"None"};
    world.service("back/api").ports.front().port = 80;
    CHECK(world.findings().empty());
    CHECK(world.cause("shop.example") == "ok");
    SECTION("and nobody knows whether there is one that no endpoint names") {
      world.service("shop/web").ports.front().port = 80;
      CHECK(world.findings().empty());
      CHECK(world.cause("shop.example") == "unknown");
    }
  }
  SECTION("where another ExternalName leads is not followed") {
    world.service("shop/web").ports.front().port = 80;
    world.service("back/api").type = "ExternalName";
    world.service("back/api").external_name = "api.example.com";
    CHECK(world.findings().empty());
  }
  SECTION("by its number") {
    backend.port_name.clear();
    backend.port_number = 8080;
    CHECK(world.findings().empty());
  }
  SECTION("which has it, and none of its ready endpoints carries it") {
    world.slice("back/api").ports.front().name = "web";
    CHECK(world.findings() ==
          Findings{"endpoint_port_mismatch/port_name_unknown Service back/api"});
    CHECK(world.cause("shop.example") == "endpoint_port/port_name_unknown");
    SECTION("a port that nobody dials is nobody's business") {
      world.slice("back/api").ports.push_back({.name = "http", .port = 8080});
      world.service("back/api").ports.push_back({.name = "metrics", .port = 9100});
      CHECK(world.findings().empty());
    }
  }
}

TEST_CASE("an ExternalName that leads out of the cluster is nobody's Service") {
  World world = with_alias("api.back.svc.example.com");
  remove_service(world, "back/api");
  CHECK(world.findings().empty());
  CHECK(world.cause("shop.example") == "ok");
}

TEST_CASE("an IngressRoute without a port has no router") {
  World world = World::healthy();
  world.with_pods("shop/web", 1);
  auto& reference = world.ingress_route("shop/front", "Host(`shop.example`)", "web")
                        .rules.front()
                        .services.front();
  world.serve();
  CHECK(world.findings().empty());
  reference.port.clear();
  world.drop_router("shop");
  CHECK(world.findings() == Findings{"backend_missing/service_port_absent Service shop/web"});
  CHECK(world.cause("shop.example") == "backend/service_port_absent");
}

TEST_CASE("a path of an Ingress has its own cause beside an unexplained one") {
  World world = World::healthy();
  world.with_pods("shop/web", 1);
  world.hand_kept("shop/api", {"100.80.0.2"});
  auto& ingress = world.ingress("shop/front", "shop.example", "web");
  ingress.rules.push_back(
      {.host = "api.example",
       .paths = {{.path = "/b",
                  .path_type = "Prefix",
                  .backend = kubernetes::IngressBackend{.service = "api", .port_name = "http"}}}});
  world.serve();
  CHECK(world.findings().empty());
  world.slice("shop/api").ports.front().name.clear();
  world.proxy->routers.clear();
  world.proxy->services.clear();
  CHECK(world.findings() == Findings{"backend_missing/router_error Ingress shop/front",
                                     "endpoint_port_mismatch/port_unnamed Service shop/api"});
  CHECK(world.cause("shop.example") == "backend/router_error");
  CHECK(world.cause("api.example") == "endpoint_port/port_unnamed");
}
