// What middlewares ask themselves: forwardAuth's server, and the Service of error pages.
#include "support/catch.h"
#include "support/snapshots.h"

using namespace shortcircuit;
using namespace shortcircuit::testing;

namespace {
using Findings = std::vector<std::string>;

World behind_auth(const std::string& address) {
  World world = World::with_route();
  world.cluster->ingresses.items[0].traefik_annotations = {
      {"traefik.ingress.kubernetes.io/router.middlewares", "auth-forward@kubernetescrd"}};
  world.middleware("auth/forward").forward_address = address;
  world.with_pods("auth/authelia", 1);
  return world;
}
}  // namespace

TEST_CASE("forwardAuth at a literal address") {
  SECTION("that lives, or that nobody here knows") {
    const World world = behind_auth(
        GENERATE("http://100.80.0.2:9091", "http://203.0.113.9", "http://auth.example.com", ""));
    CHECK(world.findings().empty());
    CHECK(world.cause("shop.example") == "ok");
  }
  SECTION("that is stale takes every route behind it down") {
    World world = behind_auth("http://100.80.0.77:9091");
    CHECK(world.findings() ==
          Findings{"endpoint_address_stale/no_such_peer Middleware auth/forward"});
    CHECK(world.cause("shop.example") == "endpoint_address/no_such_peer");
    const Finding finding = world.judge().findings.front();
    CHECK(finding.severity == Severity::critical);
    CHECK(finding.hosts == std::vector<std::string>{"shop.example/"});
    CHECK(finding.cure.starts_with("kubectl -n auth edit middleware forward   # "));
    SECTION("and those alone") {
      world.ingress("shop/open", "open.example", "web");
      world.serve();
      CHECK(world.cause("open.example") == "ok");
    }
    SECTION("without routes it stops nobody") {
      world.cluster->ingresses.items[0].traefik_annotations.clear();
      CHECK(world.judge().findings.front().severity == Severity::warning);
      CHECK(world.cause("shop.example") == "ok");
    }
    SECTION("through a chain") {
      world.cluster->ingresses.items[0].traefik_annotations.begin()->second =
          "auth-all@kubernetescrd";
      world.middleware("auth/all").chain = {{.name = "forward"}};
      CHECK(world.cause("shop.example") == "endpoint_address/no_such_peer");
    }
    SECTION("a left-over of the old API group is not read") {
      world.cluster->middlewares.items[0].old_group = true;
      CHECK(world.findings("endpoint_address_stale").empty());
    }
  }
  SECTION("while Middlewares cannot be read nobody knows what they ask") {
    World world = behind_auth("http://100.80.0.77:9091");
    world.cluster->middlewares = {};
    CHECK(world.findings("endpoint_address_stale").empty());
    CHECK(world.layer(Layer::endpoint_address) == LayerStatus::unknown);
  }
  SECTION("while the peers cannot be read nobody knows") {
    World world = behind_auth("http://100.80.0.77:9091");
    down(world.snapshot.headscale);
    CHECK(world.findings("endpoint_address_stale").empty());
    CHECK(world.cause("shop.example") == "unknown");
    CHECK(world.layer(Layer::endpoint_address) == LayerStatus::unknown);
  }
}

TEST_CASE("forwardAuth at a Service of the cluster") {
  World world = behind_auth(
      GENERATE("http://authelia.auth.svc:8080", "http://authelia.auth.svc.cluster.local:8080"));
  CHECK(world.findings().empty());
  CHECK(world.cause("shop.example") == "ok");
  SECTION("that is not there") {
    world.cluster->services.items.erase_if(
        [](const auto& service) { return service.name.name == "authelia"; });
    CHECK(world.findings() == Findings{"backend_missing/service_absent Service auth/authelia"});
    CHECK(world.cause("shop.example") == "backend/service_absent");
  }
  SECTION("without a ready pod") {
    for (auto& endpoint : world.slice("auth/authelia").endpoints) endpoint.ready = false;
    CHECK(world.findings() == Findings{"backend_missing/no_ready_endpoints Service auth/authelia"});
    CHECK(world.cause("shop.example") == "backend/no_ready_endpoints");
  }
  SECTION("without such a port") {
    world.cluster->middlewares.items[0].forward_address = "https://authelia.auth.svc";
    CHECK(world.findings() ==
          Findings{"backend_missing/service_port_absent Service auth/authelia"});
    CHECK(world.cause("shop.example") == "backend/service_port_absent");
    CHECK(world.judge().findings.front().cure.starts_with("kubectl -n auth edit middleware "));
    world.service("auth/authelia").cluster_ips = {"None"};  // then any port may be open
    CHECK(world.findings().empty());
    CHECK(world.cause("shop.example") == "ok");
  }
  SECTION("that no route is behind") {
    world.cluster->ingresses.items[0].traefik_annotations.clear();
    for (auto& endpoint : world.slice("auth/authelia").endpoints) endpoint.ready = false;
    CHECK(world.findings().empty());
  }
  SECTION("whose endpoints cannot be read") {
    world.cluster->endpoint_slices = {};
    world.cluster->endpoints = {};
    CHECK(world.findings().empty());
    CHECK(world.cause("shop.example") == "unknown");
  }
}

TEST_CASE("the Service of error pages") {
  World world = behind_auth("");
  auto& pages = world.cluster->middlewares.items[0].error_pages;
  pages = kubernetes::ServiceReference{.name = "authelia", .port = "8080"};
  CHECK(world.findings().empty());
  SECTION(
      "without a ready pod, where Traefik does without endpoints: the pages alone are missing") {
    for (auto& endpoint : world.slice("auth/authelia").endpoints) endpoint.ready = false;
    CHECK(world.judge().findings.front().severity == Severity::info);
    CHECK(world.cause("shop.example") == "ok");
  }
  SECTION("absent: the middleware is not loaded, and its router is disabled") {
    pages->name = "gone";
    world.router("shop").status = "disabled";
    world.router("shop").errors = {"middleware \"auth-forward@kubernetescrd\" does not exist"};
    CHECK(world.findings() == Findings{"backend_missing/service_absent Service auth/gone",
                                       "middleware_missing/router_error Middleware auth/forward"});
    CHECK(world.cause("shop.example") == "middleware/router_error");
  }
}
