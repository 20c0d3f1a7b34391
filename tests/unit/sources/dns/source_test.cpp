#include "sources/dns/source.h"

#include "support/catch.h"
#include "support/fake_http.h"
#include "support/snapshots.h"

using namespace shortcircuit;
using shortcircuit::testing::down;
using shortcircuit::testing::World;

namespace {

Result<dns::State> poll(Http& http, const Snapshot* latest) {
  dns::Source source(dns::Config{});
  PollContext context{.http = http,
                      .deadline = Deadline::after(10s),
                      .stop = {},
                      .now = now(),
                      .latest = latest,
                      .notes = {}};
  return source.poll(context);
}

World with_route() {
  World world = World::healthy();
  world.with_pods("web/shop", 1);
  world.ingress("web/shop", "shop.example", "web/shop");
  world.ingress("web/all", "*.shop.example", "web/shop");
  world.serve();
  return world;
}

FakeHttp answering() {
  return FakeHttp([](const HttpRequest&) { return ok(R"({"addresses":["100.80.0.1"]})"); });
}

}  // namespace

TEST_CASE("dns: each host of a route is asked for once, patterns are not") {
  FakeHttp http = answering();
  const World world = with_route();
  const auto state = poll(http, &world.snapshot);
  REQUIRE(state);
  CHECK(http.asked_for() == std::vector<std::string>{"shop.example"});
  CHECK(state->hosts.at("shop.example")->addresses.size() == 1);
}

TEST_CASE("dns: routes that are not known are not taken for none") {
  FakeHttp http = answering();
  CHECK_FALSE(poll(http, nullptr));  // nothing was read yet
  World world = with_route();
  std::string missing;
  SECTION("Kubernetes is down") {
    down(world.snapshot.kubernetes);
    missing = "Kubernetes";
  }
  SECTION("Ingresses cannot be read") {
    world.cluster->ingresses = {};
    missing = "ingresses";
  }
  SECTION("IngressRoutes cannot be read") {
    world.cluster->ingress_routes = {};
    missing = "ingressroutes";
  }
  const auto state = poll(http, &world.snapshot);
  REQUIRE_FALSE(state);
  CHECK(state.error().message.contains(missing));
  CHECK(http.requests.empty());
}

TEST_CASE("dns: no route is an answer, and so is no Kubernetes") {
  FakeHttp http = answering();
  World world = World::healthy();
  CHECK(poll(http, &world.snapshot)->hosts.empty());
  world.snapshot.kubernetes.clear();
  CHECK(poll(http, &world.snapshot)->hosts.empty());
}
