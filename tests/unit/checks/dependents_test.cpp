// "None" is said only of the kinds of dependency that could be looked for.
#include "checks/dependents.h"

#include "support/catch.h"
#include "support/mesh_world.h"
#include "support/snapshots.h"
#include "support/storage_world.h"

using namespace shortcircuit;
using namespace shortcircuit::testing;

namespace {

using Kinds = std::set<std::string, std::less<>>;

Judgement dependents_of(const MeshWorld& world) {
  Judgement judgement;
  list_dependents(Fleet(world.config, world.snapshot), judgement);
  return judgement;
}

// A cluster in which every kind was read, with the exceptions that `change` makes.
template <class Change>
void read_cluster(MeshWorld& world, Change change) {
  world.config.kubernetes.emplace_back();
  kubernetes::State state;
  const auto listed = [](auto&... lists) {
    ((lists.status = std::decay_t<decltype(lists)>::Status::listed), ...);
  };
  listed(state.nodes, state.services, state.endpoints, state.endpoint_slices, state.deployments,
         state.stateful_sets, state.daemon_sets, state.cron_jobs, state.config_maps,
         state.middlewares, state.validating_webhooks, state.mutating_webhooks);
  change(state);
  Observed<kubernetes::State> seen;
  seen.state = std::make_shared<const kubernetes::State>(std::move(state));
  world.snapshot.kubernetes.push_back(std::move(seen));
}

}  // namespace

TEST_CASE("dependents: a node instance knows of paths alone, the cluster's of everything else") {
  MeshWorld node;
  node.view("a", running("100.64.0.1", {peer("b", "100.64.0.2", "10.8.0.2:41641")}));
  CHECK(dependents_of(node).dependencies_known == Kinds{"tailscale_path"});
  CHECK(dependents_of(node).dependents.size() == 1);

  MeshWorld cluster;
  read_cluster(cluster, [](kubernetes::State&) {});
  CHECK(dependents_of(cluster).dependencies_known ==
        Kinds{"endpoint", "flannel", "node_address", "proxy"});
  CHECK(dependents_of(cluster).dependents_unknown.empty());
}

TEST_CASE("dependents: one tailscaled that is away, and paths are not known any more") {
  MeshWorld world;
  world.view("a", running("100.64.0.1", {}));
  world.view("b", std::nullopt);
  CHECK(dependents_of(world).dependencies_known.empty());
  CHECK(dependents_of(world).dependents_unknown == Texts{"tailscale b"});
}

TEST_CASE("dependents: a kind of the cluster that was not read, or is not to be read") {
  using kubernetes::State;
  constexpr auto failed = kubernetes::Listed<kubernetes::ConfigMap>::Status::failed;
  MeshWorld off;
  read_cluster(off, [](State& state) { state.config_maps.status = failed; });
  CHECK_FALSE(dependents_of(off).dependencies_known.contains("proxy"));
  CHECK(dependents_of(off).dependents_unknown == Texts{"Kubernetes configmaps (switched off)"});

  MeshWorld refused;
  read_cluster(refused, [](State& state) {
    state.config_maps.status = failed;
    state.blind.emplace("configmaps", Error{Failure::auth, "HTTP 403"});
  });
  CHECK(dependents_of(refused).dependents_unknown == Texts{"Kubernetes configmaps"});

  MeshWorld no_slices;
  read_cluster(no_slices, [](State& state) {
    state.endpoint_slices.status = kubernetes::Listed<kubernetes::EndpointSlice>::Status::failed;
  });
  CHECK_FALSE(dependents_of(no_slices).dependencies_known.contains("endpoint"));
}

TEST_CASE("dependents: entries are known where they are written down") {
  MeshWorld world;
  CHECK_FALSE(dependents_of(world).dependencies_known.contains("entry"));
  world.config.expect.entry_addresses = {ip("10.8.0.1")};
  CHECK(dependents_of(world).dependencies_known == Kinds{"entry"});
  world.config.dns.emplace_back();  // DNS is asked too, and has not answered
  world.snapshot.dns.emplace_back();
  CHECK_FALSE(dependents_of(world).dependencies_known.contains("entry"));
  auto names = std::make_shared<dns::State>();
  names->hosts.emplace("found.example", dns::Answer{.addresses = {ip("100.80.0.2")}});
  world.snapshot.dns.front().state = names;
  CHECK(dependents_of(world).dependencies_known.contains("entry"));
  names->hosts.emplace("lost.example", std::unexpected(Error{Failure::timeout, "no answer"}));
  CHECK_FALSE(dependents_of(world).dependencies_known.contains("entry"));
}

TEST_CASE("dependents: etcd's peers are known where a member lists them by address") {
  MeshWorld world;
  const auto member = std::make_shared<etcd::State>();
  world.snapshot.etcd.push_back({.target = "m1", .health = {}, .state = member});
  CHECK(dependents_of(world).dependents_unknown ==  // metrics only
        Texts{"etcd's peer URLs: no member gives its list"});
  member->members = {{.id = 1, .name = "m1", .peer_urls = {"https://10.8.0.1:2380"}}};
  CHECK(dependents_of(world).dependencies_known == Kinds{"etcd_peer"});
  CHECK(dependents_of(world).dependents_unknown.empty());
  REQUIRE(dependents_of(world).dependents.size() == 1);
  CHECK(dependents_of(world).dependents.front().address == "10.8.0.1");
  member->members->push_back({.id = 2, .name = "m2", .peer_urls = {"https://m2.lan:2380"}});
  CHECK(dependents_of(world).dependencies_known.empty());
  CHECK(dependents_of(world).dependents_unknown ==
        Texts{"where the peer URL of etcd member m2 leads"});
}

TEST_CASE("dependents: the API server's own address is not edited, but advertised") {
  MeshWorld world;
  read_cluster(world, [](kubernetes::State& state) {
    for (const char* name : {"kubernetes", "cameras"}) {
      state.services.items.push_back({.name = {"default", name}, .type = "ClusterIP"});
      state.endpoint_slices.items.push_back({.name = {"default", name},
                                             .service = name,
                                             .address_type = "IPv4",
                                             .endpoints = {{.addresses = {"10.8.0.3"}}}});
    }
  });
  const auto dependents = dependents_of(world).dependents;
  REQUIRE(dependents.size() == 2);
  for (const Dependent& dependent : dependents) {
    CHECK(dependent.dependency == "endpoint");
    CHECK(dependent.cure.contains("advertise-address") ==
          (dependent.object == "default/kubernetes"));
  }
}

TEST_CASE("dependents: the controller's way to a satellite is one, whatever DRBD uses") {
  Storage storage;  // its replication runs over the LAN
  const auto on_old = [&] {
    Judgement judgement;
    list_dependents(Fleet(storage.config, storage.snapshot), judgement);
    std::erase_if(judgement.dependents, [](const auto& item) { return item.network != "old"; });
    return judgement.dependents;
  };
  CHECK(on_old().empty());  // an interface that nobody uses
  storage.node(0).interfaces[2].active = true;
  REQUIRE(on_old().size() == 1);
  const Dependent found = on_old().front();
  CHECK((found.dependency == "replication" && found.kind == "StorageNode"));
  CHECK((found.object == "n1" && found.address == "10.9.0.1"));
  CHECK(found.breaks.contains("OFFLINE"));
  CHECK(found.cure.contains("linstor node interface modify n1 NAME --active"));
}

TEST_CASE("dependents: what Traefik and the API server ask by themselves") {
  World world = World::healthy();
  const auto endpoints_in = [&](const std::string& network) {
    Texts found;
    for (const Dependent& item : world.judge().dependents) {
      if (item.dependency == "endpoint" && item.network == network)
        found.push_back(item.kind + " " + item.object + " " + item.address);
    }
    return found;
  };
  world.config.networks.push_back({.name = "old",
                                   .cidrs = {*Prefix::parse("10.67.0.0/16")},
                                   .kind = NetworkKind::overlay,
                                   .retired = true});
  world.middleware("edge/auth").forward_address = "http://10.67.0.3:9091";
  world.middleware("edge/named").forward_address = "http://auth.example.com:9091";
  world.webhook("far", "shop/web").webhooks.front().service.reset();
  world.cluster->validating_webhooks.items[0].webhooks.front().url = "https://10.67.0.4/check";
  for (const auto* provider : {"file", "docker", "kubernetes"}) {
    world.proxy->services.push_back(
        {.name = std::string("far@") + provider,
         .provider = provider,
         .server_urls = {"http://10.67.0.5", "http://10.67.0.5:81", "http://far.example.com"}});
  }
  CHECK(endpoints_in("old") == Texts{"TraefikService far@file 10.67.0.5",
                                     "Middleware edge/auth 10.67.0.3",
                                     "WebhookConfiguration far 10.67.0.4"});
  SECTION("Traefik is not read") {
    down(world.snapshot.traefik);
    CHECK(world.judge().dependents_unknown == Texts{"Traefik"});
    CHECK_FALSE(world.judge().dependencies_known.contains("endpoint"));
  }
}
