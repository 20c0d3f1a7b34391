// What the metrics say of routes that share host, path and object.
#include <algorithm>

#include "exposition/describe.h"
#include "support/catch.h"
#include "support/snapshots.h"

using namespace shortcircuit;
using namespace shortcircuit::testing;

namespace {

using Texts = std::vector<std::string>;

// `labels, parted by spaces` and the value, of every series.
Texts series(const World& world, std::string_view family) {
  const Fleet fleet(world.config, world.snapshot);
  const MetricSet metrics = describe_all(fleet, judge(fleet), {});
  CHECK(metrics.repeated_series().empty());
  Texts texts;
  const auto found = metrics.families().find(family);
  if (found == metrics.families().end()) return texts;
  for (const Series& item : found->second.series) {
    std::string text;
    for (const std::string& value : item.label_values) text += value + " ";
    texts.push_back(text + (item.value == 1 ? "1" : "0"));
  }
  std::sort(texts.begin(), texts.end());
  return texts;
}

Texts up(const World& world) { return series(world, "shortcircuit_route_up"); }
Texts broken(const World& world) { return series(world, "shortcircuit_route_link_broken"); }
Texts causes(const World& world) { return series(world, "shortcircuit_route_cause"); }

World with_two_rules() {
  World world = World::healthy();
  world.with_pods("shop/web", 1);
  auto& rules = world.ingress_route("shop/front", "Host(`shop.example`)", "web").rules;
  rules.push_back({.match = "Host(`shop.example`) && Method(`POST`)",
                   .services = {{.name = "web", .port = "http"}}});
  world.serve();
  return world;
}

}  // namespace

TEST_CASE("of two rules for one host the dead one is heard, whichever comes first") {
  World world = with_two_rules();
  auto& rules = world.cluster->ingress_routes.items[0].rules;
  CHECK(up(world) == Texts{"shop.example / shop/front 1"});
  CHECK(broken(world).empty());
  CHECK(causes(world).empty());
  const bool first = GENERATE(true, false);
  rules[first ? 0 : 1].services.front().name = "gone";
  CHECK(up(world) == Texts{"shop.example / shop/front 0"});
  CHECK(broken(world) == Texts{"shop.example / shop/front service service_absent 1"});
  CHECK(causes(world) == Texts{"shop.example / shop/front backend service_absent 1"});
}

TEST_CASE("an Ingress and an IngressRoute of one name are heard both") {
  World world = World::healthy();
  world.with_pods("shop/web", 1);
  world.ingress("shop/front", "shop.example", "web");
  world.ingress_route("shop/front", "Host(`shop.example`)", "gone");
  world.serve();
  CHECK(up(world) == Texts{"shop.example / shop/front 0"});
  CHECK(causes(world) == Texts{"shop.example / shop/front backend service_absent 1"});
}

TEST_CASE("a rule of which nothing is known does not make the other one sound") {
  World world = with_two_rules();
  world.cluster->ingress_routes.items[0].created = world.snapshot.time - 5s;
  const std::string second = world.proxy->routers.back().name;
  world.drop_router(second);  // not loaded yet
  CHECK(up(world).empty());
}

TEST_CASE("every rule of an IngressRouteUDP is heard") {
  World world = World::healthy();
  world.with_pods("shop/dns", 1);
  kubernetes::IngressRoute route{.name = {"shop", "udp"}};
  route.rules = {{.services = {{.name = "dns", .port = "http"}}},
                 {.services = {{.name = "gone", .port = "http"}}}};
  world.cluster->ingress_route_udps.items.push_back(route);
  CHECK(up(world) == Texts{" / shop/udp 0"});
}
