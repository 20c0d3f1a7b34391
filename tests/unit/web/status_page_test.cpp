#include "web/status_page.h"

#include <fmt/format.h>

#include "checks/check.h"
#include "support/catch.h"

using namespace shortcircuit;

namespace {

const Time noon = *parse_rfc3339("2026-01-02T12:00:00Z");

template <class State>
Observed<State> seen(std::string target, State state) {
  Observed<State> observed;
  observed.target = std::move(target);
  observed.health = {.up = true, .last_success = noon, .interval = 15s, .polls = 1};
  observed.state = std::make_shared<const State>(std::move(state));
  observed.observed_at = noon;
  return observed;
}

template <class State>
Observed<State> failed(std::string target, std::string message) {
  Observed<State> observed;
  observed.target = std::move(target);
  observed.health.polls = 4;
  observed.health.last_error = Error{Failure::connect, std::move(message)};
  return observed;
}

struct PageWorld {
  Config config;
  Snapshot snapshot;
  Judgement judgement;
  StatusPageContext context{.version = "1.2.3", .revision = "abc"};

  PageWorld() {
    snapshot.time = noon;
    judgement.time = noon;
    for (std::size_t index = 0; index < layer_names.size(); ++index) {
      judgement.layers.push_back({static_cast<Layer>(index), LayerStatus::ok, 0, {}});
    }
  }
  LayerState& layer(Layer which) { return judgement.layers[static_cast<std::size_t>(which)]; }
  [[nodiscard]] std::string page() const {
    return status_page(Fleet(config, snapshot), judgement, context);
  }
};

Finding some_finding(std::string object) {
  return {.check = "middleware_missing",
          .layer = Layer::middleware,
          .severity = Severity::critical,
          .reason = "object_absent",
          .kind = "Middleware",
          .object = object,
          .message = "Middleware " + object + " does not exist.",
          .cure = "kubectl apply " + object,
          .since = noon - 2h,
          .hosts = {"shop.example.org/"}};
}

RouteWalk some_walk(std::string host, LinkStatus status) {
  RouteWalk walk;
  walk.route.host = std::move(host);
  walk.route.path = "/";
  walk.route.kind = "Ingress";
  walk.route.object = {"web", "shop"};
  walk.links.push_back({.link = "entry", .text = "192.0.2.1", .status = LinkStatus::ok});
  walk.links.push_back({.link = "middleware",
                        .text = "web/auth",
                        .status = status,
                        .layer = Layer::middleware,
                        .check = "middleware_missing",
                        .reason = "object_absent",
                        .object = "web/auth"});
  if (status == LinkStatus::broken) walk.cause = 1;
  return walk;
}

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1))
    ++found;
  return found;
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

tailscale::Peer peer(std::string name, bool active, std::string endpoint) {
  tailscale::Peer made;
  made.name = std::move(name);
  made.online = true;
  made.active = active;
  made.current_endpoint = std::move(endpoint);
  return made;
}

}  // namespace

TEST_CASE("a healthy fleet is said to be one, and sections of sources that are off are left out") {
  const std::string page = PageWorld().page();
  CHECK(contains(page, "Nothing found: every configured layer is fine"));
  CHECK(count(page, "<li class=\"good\">") == 12);
  for (const auto* id : {"findings", "routes", "mesh", "etcd", "storage", "networks", "sources"}) {
    CHECK_FALSE(contains(page, fmt::format("<section id=\"{}\"", id)));
  }
  CHECK(contains(page, "<meta http-equiv=\"refresh\" content=\"15\">"));
}

TEST_CASE("unknown is never healthy") {
  PageWorld world;
  world.layer(Layer::etcd) = {Layer::etcd, LayerStatus::unknown, 0, {"etcd: no answer"}};
  const std::string page = world.page();
  CHECK_FALSE(contains(page, "every configured layer is fine"));
  CHECK(contains(page, "Nothing found in what could be read; 1 layer not fully judged"));
  CHECK(contains(page, "etcd: no answer"));
  CHECK(contains(page, "verdict unknown"));

  world = PageWorld();
  for (LayerState& state : world.judgement.layers) state.status = LayerStatus::off;
  CHECK(contains(world.page(), "Nothing is judged"));
  world.judgement.layers.clear();
  CHECK(contains(world.page(), "Nothing is judged"));
}

TEST_CASE("a layer that is broken and not fully judged says both") {
  PageWorld world;
  world.layer(Layer::mesh) = {Layer::mesh, LayerStatus::broken, 2, {"tailscale a: timeout"}};
  const std::string page = world.page();
  CHECK(contains(page, "2 findings, in part unknown"));
  CHECK(contains(page, "tailscale a: timeout"));
}

TEST_CASE("findings carry object, cure, hosts and age") {
  PageWorld world;
  world.judgement.findings.push_back(some_finding("web/auth"));
  const std::string page = world.page();
  CHECK(contains(page, "1 finding: 1 critical"));
  CHECK(contains(page, "<code>kubectl apply web/auth</code>"));
  CHECK(contains(page, "shop.example.org/"));
  CHECK(contains(page, "2026-01-02 10:00:00 UTC</time> (2h ago)"));
  CHECK(contains(page, "id=\"layer-middleware\""));
}

TEST_CASE("findings that differ in their object only become one card with one cure") {
  PageWorld world;
  for (const auto* object : {"web/one", "web/two", "web/three"}) {
    world.judgement.findings.push_back(some_finding(object));
  }
  std::string page = world.page();
  CHECK(count(page, "<code>") == 1);
  CHECK(contains(page, "3 × Middleware"));
  for (const auto* object : {"web/one", "web/two", "web/three"}) CHECK(contains(page, object));
  world.judgement.findings[1].cure = "something else";
  page = world.page();
  CHECK(count(page, "<code>") == 3);
}

TEST_CASE("a route shows each link and marks its cause") {
  PageWorld world;
  world.judgement.routes = {some_walk("fine.example.org", LinkStatus::ok),
                            some_walk("dim.example.org", LinkStatus::unknown),
                            some_walk("dead.example.org", LinkStatus::broken)};
  const std::string page = world.page();
  CHECK(contains(page, "1 down, 1 unknown, 1 up"));
  CHECK(contains(page, "link bad cause"));
  CHECK(count(page, ">cause<") == 1);
  CHECK(page.find("dead.example.org") < page.find("dim.example.org"));
  CHECK(page.find("dim.example.org") < page.find("fine.example.org"));
  CHECK(contains(page, "middleware: object absent"));
}

TEST_CASE("hostile names stay text wherever they stand") {
  const std::string evil = "\"><script>alert(1)</script><img src=x onerror='a'>\x01";
  PageWorld world;
  Finding finding = some_finding(evil);
  finding.kind = finding.reason = finding.message = finding.cure = evil;
  finding.hosts = {evil};
  world.judgement.findings = {finding, finding, finding};
  RouteWalk walk = some_walk(evil, LinkStatus::broken);
  walk.route.path = walk.route.kind = walk.route.object.name = evil;
  walk.links[1].text = walk.links[1].link = walk.links[1].reason = evil;
  world.judgement.routes = {walk};
  world.judgement.dependents = {{evil, "endpoint", evil, evil, evil, evil, evil}};
  world.judgement.dependents_unknown = {evil};
  world.layer(Layer::mesh).unknown = {evil};
  tailscale::State node;
  node.backend_state = "Running";
  node.self_name = evil;
  node.peers = {peer(evil + "2", true, "192.0.2.1:41641"), peer(evil + "3", true, evil)};
  world.snapshot.tailscale = {seen(evil, node), failed<tailscale::State>(evil, evil)};
  etcd::State member;
  member.name = member.health_reason = evil;
  member.alarms = {{7, evil}};
  member.database_bytes = 1;
  world.snapshot.etcd = {seen(evil, member), failed<etcd::State>(evil, evil)};
  linstor::State storage;
  storage.version = evil;
  storage.nodes.push_back({.name = evil,
                           .type = "SATELLITE",
                           .connection_status = evil,
                           .flags = {evil},
                           .interfaces = {{evil, evil}}});
  storage.storage_pools = {{.name = evil, .node = evil}};
  world.snapshot.linstor = {seen("", storage)};
  kubernetes::State cluster;
  cluster.blind[evil] = {Failure::auth, evil};
  world.snapshot.kubernetes = {seen("", cluster)};
  world.config.networks.push_back({.name = evil});
  world.context.version = world.context.revision = world.context.telemetry_path = evil;
  world.context.reload.successful = false;
  const std::string page = world.page();
  CHECK_FALSE(contains(page, "<script"));
  CHECK_FALSE(contains(page, "<img"));
  CHECK_FALSE(contains(page, "\x01"));
  CHECK(count(page, "&lt;script&gt;") > 20);
}

TEST_CASE("the page asks nobody else and carries no script") {
  PageWorld world;
  world.judgement.findings.push_back(some_finding("web/auth"));
  const std::string page = world.page();
  for (const auto* word :
       {"<script", "http://", "https://", "@import", "url(", "<iframe", "<form", " on"}) {
    INFO(word);
    if (std::string_view(word) == " on") {
      CHECK_FALSE(contains(page, " onclick"));
    } else {
      CHECK_FALSE(contains(page, word));
    }
  }
}

TEST_CASE("an old snapshot and a refused configuration are said") {
  PageWorld world;
  world.context.now = noon + 1min;
  CHECK_FALSE(contains(world.page(), "This view is"));
  world.context.now = noon + 10min;
  CHECK(contains(world.page(), "This view is 10m old"));
  world.context.reload.successful = false;
  CHECK(contains(world.page(), "the last reload failed"));
}

TEST_CASE("a recording is never taken for the fleet, and is not old") {
  PageWorld world;
  world.context.now = noon + 10min;
  CHECK_FALSE(contains(world.page(), "recording"));
  world.context.replayed = "recordings/a<b";
  const std::string page = world.page();
  CHECK(contains(page, "A recording is played, recordings/a&lt;b: this is not your fleet"));
  CHECK(contains(page, "<title>Recording: "));
  CHECK_FALSE(contains(page, "This view is"));
}

TEST_CASE("the matrix names class and network of each path") {
  PageWorld world;
  world.config.networks = {
      {.name = "site-lan", .cidrs = {*Prefix::parse("192.168.7.0/24")}, .kind = NetworkKind::lan},
      {.name = "old",
       .cidrs = {*Prefix::parse("10.99.0.0/16")},
       .kind = NetworkKind::overlay,
       .retired = true}};
  tailscale::State node;
  node.backend_state = "Running";
  node.self_name = "alpha";
  node.peers = {peer("beta", true, "192.168.7.2:41641"), peer("gamma", true, "10.99.0.3:41641"),
                peer("delta", false, ""), peer("epsilon", true, "")};
  node.peers[3].derp_region = "fra";
  node.peers.push_back({.name = "zeta"});
  world.snapshot.tailscale = {seen("alpha", node),
                              failed<tailscale::State>("beta", "connection refused")};
  const std::string page = world.page();
  CHECK(contains(page, "title=\"direct over site-lan (lan) to 192.168.7.2:41641\""));
  CHECK(contains(page, "title=\"direct over old (overlay, retired) to 10.99.0.3:41641\""));
  CHECK(contains(page, "title=\"idle: no path is held\""));
  CHECK(contains(page, "title=\"through DERP fra\""));
  CHECK(contains(page, "title=\"offline\""));
  CHECK(contains(page, "? connection refused"));
  CHECK(contains(page, "Unknown is how these nodes see the mesh"));
  CHECK(contains(page, "1 of 2 tailscaled read"));
}

TEST_CASE("a source that fails shows its error, one that fails in part what it cannot read") {
  PageWorld world;
  world.snapshot.traefik = {failed<traefik::State>("", "connection refused by 192.0.2.9")};
  kubernetes::State cluster;
  cluster.blind["middlewares"] = {Failure::auth, "HTTP 403"};
  world.snapshot.kubernetes = {seen("", cluster)};
  CHECK_FALSE(contains(world.page(), "accepts any certificate"));
  world.snapshot.kubernetes.front().health.accepts_any_certificate = true;
  const std::string page = world.page();
  CHECK(contains(page, "accepts any certificate (insecure_skip_verify)"));
  CHECK(contains(page, "1 of 2 cannot be read"));
  CHECK(contains(page, "connection refused by 192.0.2.9"));
  CHECK(contains(page, "cannot read middlewares: HTTP 403"));
  CHECK(contains(page, "read in part"));
  CHECK(contains(page, "never"));
}

TEST_CASE("a large fleet makes a page of less than 2 MB that says what it leaves out") {
  PageWorld world;
  const std::string long_text(900, 'x');
  for (int index = 0; index < 2000; ++index) {
    world.judgement.routes.push_back(
        some_walk(fmt::format("host-{}.example.org", index),
                  index % 7 == 0 ? LinkStatus::broken : LinkStatus::ok));
    Finding finding = some_finding(fmt::format("web/object-{}", index));
    finding.layer = static_cast<Layer>(index % 12);
    finding.message = fmt::format("{} {}", index, long_text);
    finding.cure = fmt::format("{} {}", index * 7, long_text);
    world.judgement.findings.push_back(finding);
    world.judgement.dependents.push_back({"old", "endpoint", "Service", fmt::format("s-{}", index),
                                          "10.99.0.1", long_text, long_text});
  }
  world.config.networks = {{.name = "old",
                            .cidrs = {*Prefix::parse("10.99.0.0/16")},
                            .kind = NetworkKind::overlay,
                            .retired = true}};
  for (int from = 0; from < 200; ++from) {
    tailscale::State node;
    node.backend_state = "Running";
    node.self_name = fmt::format("node-{}", from);
    for (int to = 0; to < 200; ++to) {
      if (to != from)
        node.peers.push_back(peer(fmt::format("node-{}", to), true, "10.99.0.3:41641"));
    }
    world.snapshot.tailscale.push_back(seen(fmt::format("node-{}", from), node));
  }
  const std::string page = world.page();
  INFO(page.size());
  CHECK(page.size() < 2'000'000);
  CHECK(contains(page, "… and 1850 more routes"));
  CHECK(contains(page, "more findings of this layer"));
  CHECK(contains(page, "too many nodes for a matrix"));
  CHECK(contains(page, "… and 80 more targets"));
}

TEST_CASE("the matrix of sixty nodes still fits") {
  PageWorld world;
  for (int from = 0; from < 60; ++from) {
    tailscale::State node;
    node.backend_state = "Running";
    node.self_name = fmt::format("a-rather-long-node-name-{}", from);
    for (int to = 0; to < 60; ++to) {
      if (to != from)
        node.peers.push_back(peer(fmt::format("a-rather-long-node-name-{}", to), true,
                                  "[2001:db8:1234:5678:9abc:def0:1234:5678]:41641"));
    }
    world.snapshot.tailscale.push_back(seen(node.self_name, node));
  }
  const std::string page = world.page();
  CHECK(page.size() < 1'000'000);
  CHECK(count(page, "role=\"img\"") == 60 * 59);
}
