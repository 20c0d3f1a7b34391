#include "sources/probes/source.h"

#include "support/catch.h"
#include "support/fake_http.h"
#include "support/snapshots.h"

using namespace shortcircuit;
using probes::Outcome;
using probes::Source;
using probes::State;
using shortcircuit::testing::down;
using shortcircuit::testing::ip;
using shortcircuit::testing::World;

namespace {

const std::string fine = R"({"http_status":200,"received_bytes":9})";

struct Polled {
  Result<State> state;
  std::vector<Error> notes;
};

Polled poll(probes::Config config, Http& http, const Snapshot* latest = nullptr,
            Duration within = 10s) {
  Source source(std::move(config));
  PollContext context{.http = http,
                      .deadline = Deadline::after(within),
                      .stop = {},
                      .now = now(),
                      .latest = latest,
                      .notes = {}};
  auto state = source.poll(context);
  return {std::move(state), std::move(context.notes)};
}

probes::Config one() {
  probes::Config config;
  config.target = "cameras";
  config.endpoint.url = "https://cameras.example/?token=s3cret";
  return config;
}

probes::Config of_routes(std::vector<IpAddress> entries = {}) {
  probes::Config config;
  config.target = "routes";
  config.entry_addresses = std::move(entries);
  return config;
}

World with_routes() {
  World world = World::healthy();
  world.with_pods("web/shop", 1);
  world.ingress("web/shop", "shop.example", "web/shop");
  world.ingress_route("web/blog", "Host(`blog.example`)", "web/shop");
  world.serve();
  return world;
}

std::vector<std::string> names(const State& state) {
  std::vector<std::string> found;
  for (const Outcome& outcome : state.outcomes) found.push_back(outcome.name);
  return found;
}

}  // namespace

TEST_CASE("probes: a probe that was not sent is unknown, one that failed is an answer") {
  FakeHttp unsent([](const HttpRequest&) { return fail(Failure::auth, "the CA: no such file"); });
  const auto unknown = poll(one(), unsent);
  REQUIRE_FALSE(unknown.state);
  CHECK(unknown.state.error().failure == Failure::auth);
  CHECK(unknown.notes.empty());  // counted once

  FakeHttp refused(
      [](const HttpRequest&) { return ok(R"({"failure":"connect","proxy_failed":true})"); });
  const auto failed = poll(one(), refused);
  REQUIRE(failed.state);
  const Outcome& outcome = failed.state->outcomes.front();
  CHECK((outcome.failure == Failure::connect && outcome.proxy_failed && !outcome.unknown));
  CHECK(outcome.url == "https://cameras.example/");
}

TEST_CASE("probes: an answer that is none, or of another shape, is unknown") {
  for (const HttpResponse& answer :
       {HttpResponse{503, "", {}}, ok("<html>"), ok(R"({"failure":"boredom"})")}) {
    FakeHttp http([&](const HttpRequest&) { return answer; });
    CHECK_FALSE(poll(one(), http).state);
  }
}

TEST_CASE("probes: too short a time to see a stall says nothing when it runs out") {
  FakeHttp silent([](const HttpRequest&) { return ok(R"({"failure":"timeout"})"); });
  CHECK_FALSE(poll(one(), silent, nullptr, 2s).state);
  CHECK(poll(one(), silent, nullptr, 10s).state);
  // What ended before is what it is.
  FakeHttp quick([](const HttpRequest&) { return ok(fine); });
  CHECK(poll(one(), quick, nullptr, 2s).state);
}

TEST_CASE("probes: every host through every entry address") {
  World world = with_routes();
  FakeHttp http([](const HttpRequest&) { return ok(fine); });
  const auto polled = poll(of_routes({ip("100.80.0.1"), ip("100.80.0.2")}), http, &world.snapshot);
  REQUIRE(polled.state);
  CHECK(names(*polled.state) ==
        std::vector<std::string>{"shop.example/ via 100.80.0.1", "shop.example/ via 100.80.0.2",
                                 "blog.example/ via 100.80.0.1", "blog.example/ via 100.80.0.2"});
  CHECK(http.requests.front().probe->connect_to == "100.80.0.1");
}

TEST_CASE("probes: one host that could not be asked for leaves the others known") {
  World world = with_routes();
  FakeHttp http([](const HttpRequest& request) -> Result<HttpResponse> {
    if (request.answer.starts_with("shop")) return fail(Failure::internal, "not sent");
    return ok(R"({"http_status":200,"stalled":true})");
  });
  world.config.probes.push_back(of_routes({ip("100.80.0.1")}));
  auto polled = poll(world.config.probes.front(), http, &world.snapshot);
  REQUIRE(polled.state);
  CHECK(polled.notes.size() == 1);
  world.snapshot.probes.assign(
      1, {.target = "routes", .state = std::make_shared<const State>(*polled.state)});
  CHECK(world.findings("transfer_stalled") ==
        std::vector<std::string>{"stalled blog.example/ via 100.80.0.1"});
  // Without the one that was found the layer is not sound but unknown.
  polled.state->outcomes.back().stalled = false;
  world.snapshot.probes.front().state = std::make_shared<const State>(*polled.state);
  CHECK(world.layer(Layer::path_mtu) == LayerStatus::unknown);
  polled.state->outcomes.erase(polled.state->outcomes.begin());
  world.snapshot.probes.front().state = std::make_shared<const State>(*polled.state);
  CHECK(world.layer(Layer::path_mtu) == LayerStatus::ok);
}

TEST_CASE("probes: routes that are not known are not taken for none") {
  FakeHttp http([](const HttpRequest&) { return ok(fine); });
  const probes::Config config = of_routes({ip("100.80.0.1")});
  CHECK_FALSE(poll(config, http).state);  // nothing was read yet
  World world = with_routes();
  SECTION("Kubernetes is down") { down(world.snapshot.kubernetes); }
  SECTION("one kind of routes cannot be read") { world.cluster->ingress_routes = {}; }
  CHECK_FALSE(poll(config, http, &world.snapshot).state);
  CHECK(http.requests.empty());

  // A cluster without routes, a server without the kind, no Kubernetes at all: there are none.
  World empty = World::healthy();
  CHECK(poll(config, http, &empty.snapshot).state->outcomes.empty());
  empty.cluster->ingress_routes = {
      .status = kubernetes::Listed<kubernetes::IngressRoute>::Status::absent};
  CHECK(poll(config, http, &empty.snapshot).state->outcomes.empty());
  empty.snapshot.kubernetes.clear();
  CHECK(poll(config, http, &empty.snapshot).state->outcomes.empty());
}

TEST_CASE("probes: without entry addresses a host is asked for where DNS says it is") {
  World world = with_routes();
  FakeHttp http([](const HttpRequest&) { return ok(fine); });
  world.snapshot.dns.resize(1);
  CHECK_FALSE(poll(of_routes(), http, &world.snapshot).state);  // DNS is not known

  dns::State known;
  known.hosts["shop.example"] = dns::Answer{.addresses = {ip("203.0.113.7"), ip("2001:db8::7")}};
  known.hosts["blog.example"] = fail(Failure::timeout, "no answer");
  world.snapshot.dns.front().state = std::make_shared<const dns::State>(known);
  const auto polled = poll(of_routes(), http, &world.snapshot);
  REQUIRE(polled.state);
  CHECK(names(*polled.state) == std::vector<std::string>{"shop.example/ via 203.0.113.7",
                                                         "shop.example/ via 2001:db8::7",
                                                         "blog.example/"});
  CHECK(polled.state->outcomes.back().unknown->failure == Failure::timeout);
  CHECK(polled.notes.empty());  // the source dns said it
  CHECK(http.requests.size() == 2);

  // A name that does not exist leads nowhere: nothing to ask.
  known.hosts["blog.example"] = dns::Answer{.absent = true};
  world.snapshot.dns.front().state = std::make_shared<const dns::State>(known);
  CHECK(poll(of_routes(), http, &world.snapshot).state->outcomes.size() == 2);
  // Where entry addresses are written, they count.
  CHECK(poll(of_routes({ip("100.80.0.1")}), http, &world.snapshot).state->outcomes.size() == 2);
}
