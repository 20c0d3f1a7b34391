// Entries that DNS says, host by host.
#include "support/catch.h"
#include "support/entries.h"

using namespace shortcircuit;
using namespace shortcircuit::testing;

namespace {

constexpr auto names_check = "entry_without_load_balancer";
using Findings = std::vector<std::string>;

}  // namespace

TEST_CASE("with DNS every host has its own entries") {
  World world = World::healthy();
  world.config.expect.entry_addresses.clear();
  world.config.expect.resolve = true;
  world.hand_kept("shop/web", {"100.80.0.2"});
  world.ingress("shop/good", "good.example", "web");
  world.ingress("shop/bad", "bad.example", "web");
  world.ingress("shop/lost", "lost.example", "web");
  world.serve();
  auto names = std::make_shared<dns::State>();
  names->hosts.emplace("good.example", dns::Answer{.addresses = {ip("100.80.0.2")}});
  names->hosts.emplace("bad.example", dns::Answer{.addresses = {ip("100.80.0.1")}});
  world.snapshot.dns.push_back({.state = names});
  uncover(world, "alpha");
  CHECK(world.findings(names_check) == Findings{"no_pod alpha"});
  CHECK(world.cause("good.example") == "ok");
  CHECK(world.cause("bad.example") == "load_balancer/no_pod");
  names->hosts.emplace("lost.example", std::unexpected(Error{Failure::timeout, "no answer"}));
  CHECK(world.cause("lost.example") == "unknown");
  CHECK(world.judge().findings.front().hosts == Findings{"bad.example/"});
}

TEST_CASE("a host that DNS does not know, or was not asked for") {
  World world = World::healthy();
  world.config.expect.entry_addresses.clear();
  world.config.expect.resolve = true;
  world.hand_kept("shop/web", {"100.80.0.2"});
  world.ingress("shop/good", "good.example", "web");
  world.ingress("shop/lost", "lost.example", "web");
  world.ingress("shop/any", "*.any.example", "web");
  world.serve();
  auto names = std::make_shared<dns::State>();
  names->hosts.emplace("good.example", dns::Answer{.addresses = {ip("100.80.0.2")}});
  world.snapshot.dns.push_back({.state = names});
  CHECK(world.cause("lost.example") == "unknown");
  CHECK(world.judge().layers.front().unknown == Findings{"DNS of lost.example: not asked yet"});
  names->hosts.emplace("lost.example", dns::Answer{.absent = true});
  CHECK(world.cause("lost.example") == "unknown");
  CHECK(world.cause("good.example") == "ok");
  CHECK(world.cause("*.any.example") == "ok");  // has no name to ask for
  CHECK(world.findings().empty());
  CHECK(world.judge().layers.front().unknown == Findings{"DNS of lost.example: no address"});
}
