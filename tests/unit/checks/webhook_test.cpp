// webhook_missing, webhook_unavailable, claim_pending and operator_crash_looping: the layer that
// hides behind one refused write.
#include "exposition/describe.h"
#include "support/catch.h"
#include "support/snapshots.h"

using namespace shortcircuit;
using namespace shortcircuit::testing;

namespace {
using Findings = std::vector<std::string>;

World with_webhook() {
  World world = World::healthy();
  world.with_pods("store/hooks", 1);
  world.webhook("store-hooks", "store/hooks");
  return world;
}
}  // namespace

TEST_CASE("webhooks that are there and answer") {
  World world = with_webhook();
  world.config.expect.webhooks = {"store-hooks"};
  CHECK(world.findings().empty());
  CHECK(world.layer(Layer::webhook) == LayerStatus::ok);
}

TEST_CASE("whether a webhook is answered is said only where it was looked at") {
  World world = with_webhook();
  auto& webhook = world.cluster->validating_webhooks.items[0].webhooks.front();
  const auto ready = [&]() -> std::optional<double> {
    const Fleet fleet(world.config, world.snapshot);
    const MetricSet metrics = describe_all(fleet, judge(fleet), {});
    const auto found = metrics.families().find("shortcircuit_webhook_backend_ready");
    if (found == metrics.families().end()) return std::nullopt;
    return found->second.series.front().value;
  };
  CHECK(ready() == 1);
  SECTION("no endpoints were read") {
    world.cluster->endpoint_slices = {};
    world.cluster->endpoints = {};
    CHECK(ready() == std::nullopt);
    webhook.service = object_name("store/other");  // that much is known
    CHECK(ready() == 0);
  }
  SECTION("slices were not read, and there is no Endpoints object") {
    world.cluster->endpoint_slices = {};
    world.cluster->endpoints.status = kubernetes::Listed<kubernetes::EndpointSlice>::Status::listed;
    CHECK(ready() == std::nullopt);
  }
  SECTION("the API server's own DNS leads elsewhere") {
    world.service("store/hooks").type = "ExternalName";
    CHECK(ready() == std::nullopt);
  }
  SECTION("a URL, beside a Service that answers") {
    auto& webhooks = world.cluster->validating_webhooks.items[0].webhooks;
    webhooks.push_back(webhooks.front());
    webhooks.back().service.reset();
    CHECK(ready() == std::nullopt);
  }
  SECTION("a Service without a ready endpoint") {
    for (auto& endpoint : world.slice("store/hooks").endpoints) endpoint.ready = false;
    CHECK(ready() == 0);
  }
}

TEST_CASE("an expected webhook configuration of either kind") {
  World world = World::healthy();
  world.config.expect.webhooks = {"store-hooks"};
  CHECK(world.findings() ==
        Findings{"webhook_missing/expected_absent WebhookConfiguration store-hooks"});
  SECTION("is there as a mutating one") {
    world.cluster->mutating_webhooks.items.push_back(
        {.kind = "MutatingWebhookConfiguration", .name = "store-hooks"});
    CHECK(world.findings().empty());
  }
  SECTION("may hide in the kind that cannot be read") {
    world.cluster->mutating_webhooks = {};
    CHECK(world.findings().empty());
    CHECK(world.layer(Layer::webhook) == LayerStatus::unknown);
  }
}

TEST_CASE("a webhook configuration that was there and is gone") {
  World world = World::healthy();
  world.snapshot.memory.webhooks_last_seen = {
      {"ValidatingWebhookConfiguration/store-hooks", world.snapshot.time - 2h}};
  CHECK(world.findings() ==
        Findings{"webhook_missing/disappeared WebhookConfiguration store-hooks"});
  SECTION("is said once when it is expected as well") {
    world.config.expect.webhooks = {"store-hooks"};
    CHECK(world.findings() ==
          Findings{"webhook_missing/expected_absent WebhookConfiguration store-hooks"});
  }
  SECTION("is unknown when its kind cannot be read") {
    world.cluster->validating_webhooks = {};
    CHECK(world.findings().empty());
    CHECK(world.layer(Layer::webhook) == LayerStatus::unknown);
  }
}

TEST_CASE("each reason why a webhook cannot be called") {
  World world = with_webhook();
  auto& webhook = world.cluster->validating_webhooks.items[0].webhooks.front();
  const auto only = [](const std::string& reason) {
    return Findings{"webhook_unavailable/" + reason + " WebhookConfiguration store-hooks"};
  };
  SECTION("no Service") {
    webhook.service = object_name("store/other");
    CHECK(world.findings() == only("service_absent"));
  }
  SECTION("no ready endpoint") {
    for (auto& endpoint : world.slice("store/hooks").endpoints) endpoint.ready = false;
    CHECK(world.findings() == only("no_endpoints"));
  }
  SECTION("no such port") {
    webhook.service_port = 443;
    CHECK(world.findings() == only("no_endpoints"));
  }
  SECTION("ready pods without the port that targetPort names") {
    world.service("store/hooks").ports.front().target_port = "webhok";
    world.slice("store/hooks").ports.clear();
    CHECK(world.findings() == only("no_endpoints"));
    CHECK(world.judge().findings.front().message.find("webhok") != std::string::npos);
  }
  SECTION("hand-kept endpoints whose port has no name") {
    world.service("store/hooks").selector.clear();
    world.slice("store/hooks").ports.front().name.clear();
    CHECK(world.findings("webhook_unavailable") == Findings{"no_endpoints store-hooks"});
  }
  SECTION("a headless Service") {
    world.service("store/hooks").cluster_ips = {"None"};
    CHECK(world.findings() == only("headless_service"));
  }
  SECTION("no CA") {
    webhook.ca = {};
    CHECK(world.findings() == only("ca_missing"));
  }
  SECTION("no CA yet, though another controller should write it") {
    webhook.ca = {};
    world.cluster->validating_webhooks.items[0].ca_injected = true;
    CHECK(world.findings() == only("ca_missing"));
    CHECK(world.judge().findings.front().cure.find("cainjector") != std::string::npos);
  }
  SECTION("a CA that is no PEM") {
    webhook.ca.status = kubernetes::CaBundle::Status::not_pem;
    CHECK(world.findings() == only("ca_not_pem"));
  }
  SECTION("a CA that expired") {
    webhook.ca.expires = world.snapshot.time - 1s;
    CHECK(world.findings() == only("ca_expired"));
  }
  CHECK(world.judge().findings.front().severity == Severity::critical);
  CHECK(world.layer(Layer::webhook) == LayerStatus::broken);
  webhook.failure_policy = "Ignore";
  CHECK(world.judge().findings.front().severity == Severity::info);
  CHECK(world.layer(Layer::webhook) == LayerStatus::ok);
}

TEST_CASE("headless and without endpoints are two faults") {
  World world = with_webhook();
  world.service("store/hooks").cluster_ips = {"None"};
  world.slice("store/hooks").endpoints.clear();
  CHECK(world.findings("webhook_unavailable") ==
        Findings{"headless_service store-hooks", "no_endpoints store-hooks"});
}

TEST_CASE(
    "hand-kept endpoints serve a webhook, a URL needs no Service, an ExternalName no endpoints") {
  World world = World::healthy();
  world.hand_kept("store/hand", {"100.80.0.2"}).cluster_ips = {"10.96.1.1"};
  world.external_name("store/out", "hooks.partner.example");
  world.webhook("by-hand", "store/hand");
  world.webhook("outside", "store/out");
  auto& webhook = world.webhook("by-url", "store/none").webhooks.front();
  webhook.service.reset();
  webhook.url = "https://hooks.partner.example/check";
  webhook.ca = {};  // a public authority's certificate needs none
  CHECK(world.findings().empty());
}

TEST_CASE("two kinds with one name make one finding, the worse one") {
  World world = with_webhook();
  auto twin = world.cluster->validating_webhooks.items[0];
  twin.kind = "MutatingWebhookConfiguration";
  world.cluster->mutating_webhooks.items.push_back(twin);
  world.cluster->validating_webhooks.items[0].webhooks.front().failure_policy = "Ignore";
  for (auto& endpoint : world.slice("store/hooks").endpoints) endpoint.ready = false;
  CHECK(world.findings() ==
        Findings{"webhook_unavailable/no_endpoints WebhookConfiguration store-hooks"});
  CHECK(world.judge().findings.front().severity == Severity::critical);
}

TEST_CASE("unread Services and endpoints leave webhooks unknown") {
  World world = with_webhook();
  world.slice("store/hooks").endpoints.clear();
  SECTION("services") { world.cluster->services = {}; }
  SECTION("endpoints") {
    world.cluster->endpoint_slices = {};
    world.cluster->endpoints = {};
  }
  SECTION("slices, and there are no Endpoints") { world.cluster->endpoint_slices = {}; }
  CHECK(world.findings("webhook_unavailable").empty());
  CHECK(world.layer(Layer::webhook) == LayerStatus::unknown);
}

namespace {
World with_claim() {
  World world = World::healthy();
  world.cluster->storage_classes.items = {
      {.name = "replicated", .provisioner = "linstor.csi.linbit.com"},
      {.name = "lazy", .provisioner = "linstor.csi.linbit.com", .wait_for_first_consumer = true},
      {.name = "local", .provisioner = "rancher.io/local-path"}};
  world.cluster->claims.items = {{.name = {"db", "data"},
                                  .created = world.snapshot.time - 10min,
                                  .storage_class = "replicated",
                                  .phase = "Pending"}};
  return world;
}
}  // namespace

TEST_CASE("a claim that waits") {
  World world = with_claim();
  auto& claim = world.cluster->claims.items[0];
  CHECK(world.findings() == Findings{"claim_pending/provisioning PersistentVolumeClaim db/data"});
  SECTION("for a moment only") {
    claim.created = world.snapshot.time + 1h;  // by a wrong clock
    CHECK(world.findings("claim_pending").size() == 1);
    claim.created = world.snapshot.time - 20s;
    CHECK(world.findings().empty());
  }
  SECTION("of another provisioner, or of a class that is not there") {
    claim.storage_class = GENERATE("local", "gone", "");
    CHECK(world.findings().empty());
  }
  SECTION("no more") {
    claim.phase = "Bound";
    CHECK(world.findings().empty());
  }
  SECTION("for its first consumer") {
    claim.storage_class = "lazy";
    CHECK(world.findings().empty());
    world.cluster->pods.items.push_back(
        {.name = {"other", "db-0"}, .phase = "Pending", .claims = {"data"}});
    CHECK(world.findings().empty());  // another namespace's claim of that name
    world.cluster->pods.items.push_back(
        {.name = {"db", "job-1"}, .phase = "Succeeded", .claims = {"data"}});
    CHECK(world.findings().empty());
    world.cluster->pods.items.push_back(
        {.name = {"db", "db-0"}, .phase = "Pending", .claims = {"data"}});
    claim.node_selected = true;
    CHECK(world.findings() == Findings{"claim_pending/provisioning PersistentVolumeClaim db/data"});
  }
  SECTION("for a pod that has just come, though the claim is old") {
    claim.storage_class = "lazy";
    claim.node_selected = true;
    claim.created = world.snapshot.time - 7 * 24h;
    world.cluster->pods.items.push_back({.name = {"db", "db-1"},
                                         .phase = "Pending",
                                         .claims = {"data"},
                                         .created = world.snapshot.time - 1s});
    CHECK(world.findings().empty());
    // Of several the first: who comes again and again has waited all the while.
    world.cluster->pods.items.push_back({.name = {"db", "db-0"},
                                         .phase = "Pending",
                                         .claims = {"data"},
                                         .created = world.snapshot.time - 5min});
    CHECK(world.findings() == Findings{"claim_pending/provisioning PersistentVolumeClaim db/data"});
    CHECK(world.judge().findings.front().message.contains("has waited 5m for LINSTOR"));
  }
  SECTION("for a pod that no node was chosen for: LINSTOR was not asked") {
    claim.storage_class = "lazy";
    world.cluster->pods.items.push_back({.name = {"db", "db-0"},
                                         .phase = "Pending",
                                         .claims = {"data"},
                                         .created = world.snapshot.time - 5min});
    CHECK(world.findings("claim_pending") == Findings{"pod_not_scheduled db/data"});
    CHECK(world.judge().findings.front().severity == Severity::info);
    CHECK(world.layer(Layer::webhook) == LayerStatus::ok);
    // Chosen and given back a minute ago: the volume could not be made there.
    auto before = std::make_shared<kubernetes::State>(*world.cluster);
    before->claims.items[0].node_selected = true;
    world.snapshot.kubernetes.front().earlier.push_back({world.snapshot.time - 1min, before});
    CHECK(world.findings("claim_pending") == Findings{"provisioning db/data"});
  }
  SECTION("for a consumer that cannot be seen") {
    claim.storage_class = "lazy";
    world.cluster->pods = {};
    CHECK(world.findings("claim_pending").empty());
    CHECK(world.layer(Layer::webhook) == LayerStatus::unknown);
  }
  SECTION("while classes cannot be read") {
    world.cluster->storage_classes = {};
    CHECK(world.findings().empty());
    CHECK(world.layer(Layer::webhook) == LayerStatus::unknown);
  }
}

TEST_CASE("pods in a crash loop") {
  World world = with_webhook();
  kubernetes::Pod pod{.name = {"store", "some-pod"},
                      .phase = "Running",
                      .waiting_reason = "CrashLoopBackOff",
                      .restarts = 9};
  const auto found = [&] {
    world.cluster->pods.items.push_back(pod);
    return world.findings("operator_crash_looping").size() == 1;
  };
  SECTION("LINSTOR's operator by name") {
    pod.name.name = "linstor-operator-controller-manager-5c7";
    CHECK(found());
  }
  SECTION("by label") {
    pod.labels = {{"app.kubernetes.io/name", "piraeus-datastore"}};
    CHECK(found());
  }
  SECTION("by component") {
    pod.labels = {{"app.kubernetes.io/name", "piraeus-datastore"},
                  {"app.kubernetes.io/component", "piraeus-operator"}};
    CHECK(found());
  }
  SECTION("what it runs is not the operator") {
    pod.labels = {{"app.kubernetes.io/name", "piraeus-datastore"},
                  {"app.kubernetes.io/component", "linstor-satellite"}};
    CHECK_FALSE(found());
  }
  SECTION("what answers a webhook") {
    pod.labels = {{"app", "hooks"}};
    CHECK(found());
  }
  SECTION("of the same label in another namespace") {
    pod.labels = {{"app", "hooks"}};
    pod.name.namespace_name = "elsewhere";
    CHECK_FALSE(found());
  }
  SECTION("of anybody else") { CHECK_FALSE(found()); }
  SECTION("while it runs between two crashes") {
    pod.name.name = "piraeus-operator-0";
    pod.waiting_reason.clear();
    pod.restarted_after_crash = world.snapshot.time - 40s;
    CHECK(found());
  }
  SECTION("that has ended: it goes on running") {
    pod.name.name = "piraeus-operator-0";
    pod.waiting_reason.clear();
    pod.restarted_after_crash = world.snapshot.time - 11min;
    CHECK_FALSE(found());
  }
  SECTION("an operator that merely starts") {
    pod.name.name = "piraeus-operator-0";
    pod.waiting_reason = "ContainerCreating";
    CHECK_FALSE(found());
  }
}

TEST_CASE("a webhook whose URL is a literal address") {
  World world = World::healthy();
  auto& webhook = world.webhook("far", "shop/web").webhooks.front();
  webhook.service.reset();
  const auto leads_to = [&](const std::string& url) {
    world.cluster->validating_webhooks.items[0].webhooks.front().url = url;
    return world.findings("webhook_unavailable");
  };
  CHECK(leads_to("https://100.80.0.2/check").empty());
  CHECK(leads_to("https://far.example.com/check").empty());
  CHECK(leads_to("https://203.0.113.9/check").empty());
  CHECK(leads_to("https://100.80.0.77:9443/check") == std::vector<std::string>{"no_endpoints far"});
  CHECK(world.judge().findings.front().message ==
        "Webhook check.far of far cannot be called: its URL leads to 100.80.0.77, which lies in "
        "the tailnet and no peer has it; its failure policy is Fail, so every write it matches is "
        "refused.");
  world.cluster->validating_webhooks.items[0].webhooks.front().failure_policy = "Ignore";
  CHECK(world.judge().findings.front().severity == Severity::info);
}
