#include "support/catch.h"
#include "support/snapshots.h"

using namespace shortcircuit;
using namespace shortcircuit::testing;

namespace {

constexpr auto check = "entry_without_load_balancer";
using Findings = std::vector<std::string>;

// The load balancer leaves the node.
void uncover(World& world, const std::string& node) {
  std::erase_if(world.cluster->pods.items, [&](const auto& pod) { return pod.node_name == node; });
  auto& addresses = world.service("edge/traefik").load_balancer_addresses;
  for (const auto& item : world.cluster->nodes.items) {
    if (item.name == node) std::erase(addresses, item.internal_addresses.front().text());
  }
}

kubernetes::Node& alpha(World& world) { return world.cluster->nodes.items.front(); }

}  // namespace

TEST_CASE(
    "an entry on a node with a ready load balancer is fine, and so are tainted nodes without "
    "traffic") {
  World world = World::healthy();
  CHECK(world.findings().empty());
  CHECK(world.layer(Layer::load_balancer) == LayerStatus::ok);
  uncover(world, "gamma");
  world.cluster->nodes.items[2].taints = {{"gpu", "yes", "NoSchedule"}};
  CHECK(world.findings(check).empty());
}

TEST_CASE("no entry addresses: the check has nothing to say") {
  World world = World::healthy();
  world.config.expect.entry_addresses.clear();
  uncover(world, "alpha");
  CHECK(world.layer(Layer::load_balancer) == LayerStatus::off);
}

TEST_CASE("each reason why no load balancer answers") {
  World world = World::healthy();
  SECTION("a taint, of either hard effect") {
    uncover(world, "alpha");
    alpha(world).taints = {
        {"example.com/accelerator", "true", GENERATE("NoSchedule", "NoExecute")}};
    CHECK(world.findings(check) == Findings{"taint_not_tolerated alpha"});
    CHECK(world.judge().findings.front().cure.find("example.com/accelerator") != std::string::npos);
  }
  SECTION("no pod, though the taint is tolerated or soft") {
    uncover(world, "alpha");
    alpha(world).taints = GENERATE(values<std::vector<kubernetes::Taint>>(
        {{},
         {{"node-role.kubernetes.io/control-plane", "", "NoSchedule"}},
         {{"spot", "", "PreferNoSchedule"}},
         {{"node.kubernetes.io/unschedulable", "", "NoSchedule"}}}));
    CHECK(world.findings(check) == Findings{"no_pod alpha"});
  }
  SECTION("a pod that is not ready") {
    std::erase(world.service("edge/traefik").load_balancer_addresses, "100.80.0.1");
    world.cluster->pods.items.front().ready = false;
    CHECK(world.findings(check) == Findings{"pod_not_ready alpha"});
  }
  SECTION("an evicted pod that is still listed is no pod") {
    std::erase(world.service("edge/traefik").load_balancer_addresses, "100.80.0.1");
    world.cluster->pods.items.front().ready = false;
    world.cluster->pods.items.front().phase = "Failed";
    CHECK(world.findings(check) == Findings{"no_pod alpha"});
  }
  SECTION("a node that is not Ready, or whose kubelet is silent") {
    alpha(world).ready = GENERATE(as<std::optional<bool>>{}, false, std::nullopt);
    CHECK(world.findings(check) == Findings{"node_not_ready alpha"});
  }
  SECTION("an address that no node has") {
    world.config.expect.entry_addresses = {ip("100.80.0.77")};
    CHECK(world.findings(check) == Findings{"not_a_node 100.80.0.77"});
  }
}

TEST_CASE("the label that lets the load balancer onto a node is advised where nodes have it only") {
  World world = World::healthy();
  uncover(world, "alpha");
  const auto cure = [&] { return world.judge().findings.front().cure; };
  // The first label would take the pods away from every node without it.
  CHECK(
      cure().starts_with("kubectl -n kube-system describe daemonsets,pods -l "
                         "svccontroller.k3s.cattle.io/svcname=traefik   # "));
  CHECK_FALSE(cure().contains("enablelb"));
  auto& labels = world.cluster->nodes.items[1].labels;
  labels = {{"svccontroller.k3s.cattle.io/enablelb", "false"}};  // K3s looks for `true` only
  CHECK_FALSE(cure().contains("enablelb"));
  labels = {{"svccontroller.k3s.cattle.io/enablelb", "true"}};
  CHECK(cure().starts_with(
      "kubectl label node alpha svccontroller.k3s.cattle.io/enablelb=true   # "));
}

TEST_CASE("tolerations are matched as the scheduler does") {
  World world = World::healthy();
  uncover(world, "alpha");
  alpha(world).taints = {{"team", "blue", "NoSchedule"}};
  auto& tolerations = world.cluster->daemon_sets.items.front().tolerations;
  SECTION("by key, value and effect") {
    tolerations = {{.key = "team", .operation = "Equal", .value = "blue", .effect = "NoSchedule"}};
    CHECK(world.findings(check) == Findings{"no_pod alpha"});
  }
  SECTION("another value") {
    tolerations = {{.key = "team", .operation = "", .value = "red"}};
    CHECK(world.findings(check) == Findings{"taint_not_tolerated alpha"});
  }
  SECTION("another effect") {
    tolerations = {{.key = "team", .operation = "Exists", .effect = "NoExecute"}};
    CHECK(world.findings(check) == Findings{"taint_not_tolerated alpha"});
  }
  SECTION("everything") {
    tolerations = {{.operation = "Exists"}};
    CHECK(world.findings(check) == Findings{"no_pod alpha"});
  }
}

TEST_CASE("another Service's load balancer covers nothing") {
  World world = World::healthy();
  uncover(world, "alpha");
  alpha(world).taints = {{"gpu", "", "NoSchedule"}};
  auto& other = world.with_pods("games/minecraft", 1);
  other.type = "LoadBalancer";
  other.ports = {{.name = "http", .port = GENERATE(25565, 443)}};
  other.load_balancer_addresses = {"100.80.0.1"};
  world.balancer_pod("alpha", "games/minecraft");
  world.cluster->daemon_sets.items.push_back(
      {.kind = "DaemonSet",
       .name = {"kube-system", "svclb-minecraft-11223344"},
       .tolerations = {{.operation = "Exists"}},
       .template_labels = {{"svccontroller.k3s.cattle.io/svcname", "minecraft"}}});
  CHECK(world.findings(check) == Findings{"taint_not_tolerated alpha"});
}

TEST_CASE("addresses that lead to a covered node by another name") {
  World world = World::healthy();
  SECTION("its external address") {
    alpha(world).external_addresses = {ip("203.0.113.8")};
    world.config.expect.entry_addresses = {ip("203.0.113.8")};
    CHECK(world.findings(check).empty());
  }
  SECTION("its address in the mesh, while Kubernetes uses the LAN") {
    alpha(world).internal_addresses = {ip("192.168.7.1")};
    world.service("edge/traefik").load_balancer_addresses = {"192.168.7.1"};
    CHECK(world.findings(check).empty());
    down(world.snapshot.headscale);
    CHECK(world.findings(check).empty());  // nobody knows whose it is: not invented
    CHECK(world.layer(Layer::load_balancer) == LayerStatus::unknown);
  }
  SECTION("an address of the load balancer that is no node's") {
    world.service("edge/traefik").load_balancer_addresses = {"192.168.7.240", "fd00:7::240"};
    world.service("edge/traefik").external_ips = {"192.168.7.241"};
    world.config.expect.entry_addresses = {ip("192.168.7.240"), ip("192.168.7.241"),
                                           ip("fd00:7::240")};
    CHECK(world.findings(check).empty());
  }
  SECTION("IPv6") {
    alpha(world).internal_addresses = {ip("fd00:7::1")};
    world.service("edge/traefik").load_balancer_addresses = {"fd00:7::1"};
    world.config.expect.entry_addresses = {ip("fd00:7::1")};
    CHECK(world.findings(check).empty());
    uncover(world, "alpha");
    alpha(world).taints = {{"gpu", "", "NoSchedule"}};
    CHECK(world.findings(check) == Findings{"taint_not_tolerated alpha"});
  }
}

TEST_CASE("an address that Kubernetes lists for no node") {
  World world = World::healthy();
  world.hand_kept("shop/web", {"100.80.0.2"});
  world.ingress("shop/front", "shop.example", "web");
  world.serve();
  const auto judged = [&](std::string_view address) {
    world.config.expect.entry_addresses = {ip(address)};
    return world.findings(check);
  };
  // A node may have it on another interface, or it moves between them (keepalived, kube-vip).
  for (const std::string_view address : {"192.168.7.99", "10.1.2.3", "fd00:7::99", "100.64.9.9"}) {
    if (address == "100.64.9.9")
      world.config.networks.push_back({.name = "isp",
                                       .cidrs = {Prefix::parse("100.64.0.0/16").value()},
                                       .kind = NetworkKind::lan});
    INFO(address);
    CHECK(judged(address).empty());
    CHECK(world.layer(Layer::load_balancer) == LayerStatus::unknown);
    CHECK(world.cause("shop.example") == "unknown");
  }
  // Where all addresses are listed it is certain.
  world.config.networks = {{.name = "old",
                            .cidrs = {Prefix::parse("10.50.0.0/16").value()},
                            .kind = NetworkKind::overlay,
                            .retired = true}};
  CHECK(judged("10.50.0.9") == Findings{"not_a_node 10.50.0.9"});
  CHECK(judged("10.244.2.9") == Findings{"not_a_node 10.244.2.9"});
  CHECK(world.judge().findings.front().severity == Severity::critical);
  CHECK(world.cause("shop.example") == "load_balancer/not_a_node");
  world.peer("nas", "100.80.0.60");
  CHECK(judged("100.80.0.60") == Findings{"not_a_node 100.80.0.60"});
  // A router in front may forward a public one.
  CHECK(judged("203.0.113.8") == Findings{"not_a_node 203.0.113.8"});
  CHECK(world.judge().findings.front().severity == Severity::info);
  // With nodes by their LAN addresses a peer may be a node by another name.
  for (std::size_t i = 0; i < 3; ++i) {
    world.cluster->nodes.items[i].internal_addresses = {ip("192.168.7." + std::to_string(i + 1))};
  }
  CHECK(judged("100.80.0.60").empty());
  CHECK(judged("100.80.0.61") == Findings{"not_a_node 100.80.0.61"});
}

TEST_CASE("externalTrafficPolicy Local: the balancer of a node without a pod of the Service") {
  World world = World::healthy();
  auto& service = world.service("edge/traefik");
  service.external_traffic_policy = "Local";
  service.load_balancer_addresses = {"100.80.0.2"};
  auto& endpoints = world.slice("edge/traefik").endpoints;
  endpoints.front().node_name = "beta";
  SECTION("drops what it gets") {
    CHECK(world.findings(check) == Findings{"no_pod alpha"});
    const Finding finding = world.judge().findings.front();
    CHECK(finding.message.find("externalTrafficPolicy") != std::string::npos);
    CHECK(finding.cure.starts_with("kubectl -n edge patch service traefik --type merge -p '{"));
    endpoints.push_back({.addresses = {"10.244.1.9"}, .ready = false, .node_name = "alpha"});
    CHECK(world.findings(check) == Findings{"no_pod alpha"});
  }
  SECTION("innocent: a ready pod on the node") {
    endpoints.push_back({.addresses = {"10.244.1.9"}, .node_name = "alpha"});
    CHECK(world.findings(check).empty());
    CHECK(world.layer(Layer::load_balancer) == LayerStatus::ok);
  }
  SECTION("innocent: the Service's status lists the node, as older releases do") {
    service.load_balancer_addresses.emplace_back("100.80.0.1");
    CHECK(world.layer(Layer::load_balancer) == LayerStatus::ok);
  }
  SECTION("innocent: Cluster, or nothing said") {
    service.external_traffic_policy = GENERATE("Cluster", "");
    CHECK(world.layer(Layer::load_balancer) == LayerStatus::ok);
  }
  SECTION("innocent: Traefik itself takes the node's port") {
    world.cluster->pods.items.push_back({.name = {"edge", "traefik-x1"},
                                         .node_name = "alpha",
                                         .phase = "Running",
                                         .ready = true,
                                         .host_ports = {443}});
    CHECK(world.layer(Layer::load_balancer) == LayerStatus::ok);
  }
  SECTION("unknown: endpoints that do not say their node, or cannot be read") {
    if (GENERATE(true, false)) {
      endpoints.front().node_name.clear();
    } else {
      world.cluster->endpoint_slices = {};
      world.cluster->endpoints = {};
    }
    CHECK(world.findings(check).empty());
    CHECK(world.layer(Layer::load_balancer) == LayerStatus::unknown);
  }
}

TEST_CASE("load balancers that lead to a Service without a ready pod") {
  World world = World::healthy();
  world.hand_kept("shop/web", {"100.80.0.2"});
  world.ingress("shop/front", "shop.example", "web");
  world.serve();
  for (auto& endpoint : world.slice("edge/traefik").endpoints) endpoint.ready = false;
  SECTION("are said to lead nowhere, on the Service") {
    SECTION("by its status, by its pods, at an address of its own") {
      auto& addresses = world.service("edge/traefik").load_balancer_addresses;
      addresses =
          GENERATE_REF(values<std::vector<std::string>>({addresses, {}, {"192.168.7.240"}}));
      if (addresses.size() == 1) world.config.expect.entry_addresses = {ip("192.168.7.240")};
    }
    SECTION("with Local as well") {
      world.service("edge/traefik").external_traffic_policy = "Local";
    }
    CHECK(world.findings() == Findings{"backend_missing/no_ready_endpoints Service edge/traefik"});
    CHECK(world.cause("shop.example") == "backend/no_ready_endpoints");
    CHECK(world.judge().findings.front().hosts == Findings{"shop.example/"});
  }
  SECTION("a node that is not Ready comes first") {
    alpha(world).ready = false;
    CHECK(world.findings(check) == Findings{"node_not_ready alpha"});
  }
  SECTION("innocent: one pod is ready") {
    world.slice("edge/traefik").endpoints.back().ready = true;
    CHECK(world.findings().empty());
  }
  SECTION("innocent: Traefik itself takes the node's port") {
    world.cluster->pods.items.push_back({.name = {"edge", "traefik-x1"},
                                         .node_name = "alpha",
                                         .phase = "Running",
                                         .ready = true,
                                         .host_ports = {443}});
    CHECK(world.findings().empty());
  }
  SECTION("innocent: nobody is sent to it, or its endpoints are kept by hand or cannot be read") {
    const int which = GENERATE(0, 1, 2);
    if (which == 0) world.config.expect.entry_addresses.clear();
    if (which == 1) world.service("edge/traefik").selector.clear();
    if (which == 2) {
      world.cluster->endpoint_slices = {};
      world.cluster->endpoints = {};
    }
    CHECK(world.findings("backend_missing").empty());
  }
  SECTION("unknown: pods cannot be read") {
    world.cluster->pods = {};
    CHECK(world.findings().empty());
    CHECK(world.cause("shop.example") == "unknown");
  }
}

TEST_CASE("a Service of one IP family, and an entry of the other") {
  World world = World::healthy();
  alpha(world).internal_addresses.push_back(ip("fd00:7::1"));
  world.config.expect.entry_addresses = {ip("fd00:7::1")};
  auto& service = world.service("edge/traefik");
  service.ip_families = {"IPv4"};
  SECTION("is served by nothing") {
    CHECK(world.findings(check) == Findings{"no_pod alpha"});
    CHECK(world.judge().findings.front().message.find("IPv4 alone") != std::string::npos);
    service.load_balancer_addresses.clear();
    CHECK(world.findings(check) == Findings{"no_pod alpha"});
  }
  SECTION("unknown: pods cannot be read") {
    world.cluster->pods = {};
    CHECK(world.findings(check).empty());
    CHECK(world.layer(Layer::load_balancer) == LayerStatus::unknown);
  }
  SECTION("innocent: both families, or none said") {
    service.ip_families =
        GENERATE(values<std::vector<std::string>>({{"IPv4", "IPv6"}, {"IPv6"}, {}}));
    CHECK(world.layer(Layer::load_balancer) == LayerStatus::ok);
  }
  SECTION("innocent: another Service has that family") {
    auto six = service;
    six.name.name = "traefik-six";
    six.ip_families = {"IPv6"};
    world.cluster->services.items.push_back(six);
    world.balancer_pod("alpha", "edge/traefik-six");
    CHECK(world.layer(Layer::load_balancer) == LayerStatus::ok);
  }
}

TEST_CASE("a cluster without a load balancer Service is not judged") {
  World world = World::healthy();
  world.service("edge/traefik").type = "NodePort";
  std::erase_if(world.cluster->pods.items, [](const auto&) { return true; });
  CHECK(world.findings(check).empty());
  CHECK(world.layer(Layer::load_balancer) == LayerStatus::unknown);
  SECTION("but Traefik itself on the node's port covers it") {
    world.cluster->pods.items.push_back({.name = {"edge", "traefik-x1"},
                                         .labels = {{"app.kubernetes.io/name", "traefik"}},
                                         .node_name = "alpha",
                                         .phase = "Running",
                                         .ready = true,
                                         .host_ports = {80, 443}});
    CHECK(world.layer(Layer::load_balancer) == LayerStatus::ok);
  }
  SECTION("and a stranger on that port does not") {
    world.cluster->pods.items.push_back({.name = {"nas", "web-x1"},
                                         .node_name = "alpha",
                                         .phase = "Running",
                                         .ready = true,
                                         .host_ports = {443}});
    CHECK(world.layer(Layer::load_balancer) == LayerStatus::unknown);
  }
}

TEST_CASE("a load balancer that is not servicelb's knows no taints") {
  World world = World::healthy();
  world.cluster->daemon_sets.items.clear();
  world.cluster->pods.items.clear();
  world.service("edge/traefik").load_balancer_addresses = {"192.168.7.240"};
  alpha(world).taints = {{"gpu", "", "NoSchedule"}};
  CHECK(world.findings(check) == Findings{"no_pod alpha"});
}

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
  CHECK(world.findings(check) == Findings{"no_pod alpha"});
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
  CHECK(world.layer(Layer::load_balancer) == LayerStatus::ok);
  names->hosts.emplace("lost.example", dns::Answer{.absent = true});
  CHECK(world.cause("lost.example") == "unknown");
  CHECK(world.cause("good.example") == "ok");
  CHECK(world.cause("*.any.example") == "ok");  // has no name to ask for
  CHECK(world.findings().empty());
  CHECK(world.judge().layers.front().unknown == Findings{"DNS of lost.example: no address"});
}

TEST_CASE("what cannot be read is unknown") {
  World world = World::healthy();
  uncover(world, "alpha");
  SECTION("Kubernetes") { down(world.snapshot.kubernetes); }
  SECTION("services") { world.cluster->services = {}; }
  SECTION("nodes") { world.cluster->nodes = {}; }
  SECTION("pods") { world.cluster->pods = {}; }
  CHECK(world.findings(check).empty());
  CHECK(world.layer(Layer::load_balancer) == LayerStatus::unknown);
}
