#include "support/catch.h"
#include "support/entries.h"

using namespace shortcircuit;
using namespace shortcircuit::testing;

namespace {

constexpr auto entry_check = "entry_without_load_balancer";
using Findings = std::vector<std::string>;

}  // namespace

TEST_CASE(
    "an entry on a node with a ready load balancer is fine, and so are tainted nodes without "
    "traffic") {
  World world = World::healthy();
  CHECK(world.findings().empty());
  CHECK(world.layer(Layer::load_balancer) == LayerStatus::ok);
  uncover(world, "gamma");
  world.cluster->nodes.items[2].taints = {{"gpu", "yes", "NoSchedule"}};
  CHECK(world.findings(entry_check).empty());
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
    CHECK(world.findings(entry_check) == Findings{"taint_not_tolerated alpha"});
    CHECK(world.judge().findings.front().cure.find("example.com/accelerator") != std::string::npos);
  }
  SECTION("no pod, though the taint is tolerated or soft") {
    uncover(world, "alpha");
    alpha(world).taints = GENERATE(values<std::vector<kubernetes::Taint>>(
        {{},
         {{"node-role.kubernetes.io/control-plane", "", "NoSchedule"}},
         {{"spot", "", "PreferNoSchedule"}},
         {{"node.kubernetes.io/unschedulable", "", "NoSchedule"}}}));
    CHECK(world.findings(entry_check) == Findings{"no_pod alpha"});
  }
  SECTION("a pod that is not ready") {
    std::erase(world.service("edge/traefik").load_balancer_addresses, "100.80.0.1");
    world.cluster->pods.items[0].ready = false;
    CHECK(world.findings(entry_check) == Findings{"pod_not_ready alpha"});
  }
  SECTION("an evicted pod that is still listed is no pod") {
    std::erase(world.service("edge/traefik").load_balancer_addresses, "100.80.0.1");
    world.cluster->pods.items[0].ready = false;
    world.cluster->pods.items[0].phase = "Failed";
    CHECK(world.findings(entry_check) == Findings{"no_pod alpha"});
  }
  SECTION("a node that is not Ready, or whose kubelet is silent") {
    alpha(world).ready = GENERATE(as<std::optional<bool>>{}, false, std::nullopt);
    CHECK(world.findings(entry_check) == Findings{"node_not_ready alpha"});
  }
  SECTION("an address that no node has") {
    world.config.expect.entry_addresses = {ip("100.80.0.77")};
    CHECK(world.findings(entry_check) == Findings{"not_a_node 100.80.0.77"});
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
  auto& tolerations = world.cluster->daemon_sets.items[0].tolerations;
  SECTION("by key, value and effect") {
    tolerations = {{.key = "team", .operation = "Equal", .value = "blue", .effect = "NoSchedule"}};
    CHECK(world.findings(entry_check) == Findings{"no_pod alpha"});
  }
  SECTION("another value") {
    tolerations = {{.key = "team", .operation = "", .value = "red"}};
    CHECK(world.findings(entry_check) == Findings{"taint_not_tolerated alpha"});
  }
  SECTION("another effect") {
    tolerations = {{.key = "team", .operation = "Exists", .effect = "NoExecute"}};
    CHECK(world.findings(entry_check) == Findings{"taint_not_tolerated alpha"});
  }
  SECTION("everything") {
    tolerations = {{.operation = "Exists"}};
    CHECK(world.findings(entry_check) == Findings{"no_pod alpha"});
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
  CHECK(world.findings(entry_check) == Findings{"taint_not_tolerated alpha"});
}

TEST_CASE("addresses that lead to a covered node by another name") {
  World world = World::healthy();
  SECTION("its external address") {
    alpha(world).external_addresses = {ip("203.0.113.8")};
    world.config.expect.entry_addresses = {ip("203.0.113.8")};
    CHECK(world.findings(entry_check).empty());
  }
  SECTION("its address in the mesh, while Kubernetes uses the LAN") {
    alpha(world).internal_addresses = {ip("192.168.7.1")};
    world.service("edge/traefik").load_balancer_addresses = {"192.168.7.1"};
    CHECK(world.findings(entry_check).empty());
    down(world.snapshot.headscale);
    CHECK(world.findings(entry_check).empty());  // nobody knows whose it is: not invented
    CHECK(world.layer(Layer::load_balancer) == LayerStatus::unknown);
  }
  SECTION("an address of the load balancer that is no node's") {
    world.service("edge/traefik").load_balancer_addresses = {"192.168.7.240", "fd00:7::240"};
    world.service("edge/traefik").external_ips = {"192.168.7.241"};
    world.config.expect.entry_addresses = {ip("192.168.7.240"), ip("192.168.7.241"),
                                           ip("fd00:7::240")};
    CHECK(world.findings(entry_check).empty());
  }
  SECTION("IPv6") {
    alpha(world).internal_addresses = {ip("fd00:7::1")};
    world.service("edge/traefik").load_balancer_addresses = {"fd00:7::1"};
    world.config.expect.entry_addresses = {ip("fd00:7::1")};
    CHECK(world.findings(entry_check).empty());
    uncover(world, "alpha");
    alpha(world).taints = {{"gpu", "", "NoSchedule"}};
    CHECK(world.findings(entry_check) == Findings{"taint_not_tolerated alpha"});
  }
}

TEST_CASE("an address that Kubernetes lists for no node") {
  World world = World::healthy();
  world.hand_kept("shop/web", {"100.80.0.2"});
  world.ingress("shop/front", "shop.example", "web");
  world.serve();
  const auto judged = [&](std::string_view address) {
    world.config.expect.entry_addresses = {ip(address)};
    return world.findings(entry_check);
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

TEST_CASE("a cluster without a load balancer Service is not judged") {
  World world = World::healthy();
  world.service("edge/traefik").type = "NodePort";
  world.cluster->pods.items.erase_if([](const auto&) { return true; });
  CHECK(world.findings(entry_check).empty());
  CHECK(world.layer(Layer::load_balancer) == LayerStatus::unknown);
  SECTION("but Traefik itself on the node's port covers it") {
    traefik_takes(world, {80, 443});
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

TEST_CASE("the cure of taints tolerates all of them and what was tolerated before") {
  World world = World::healthy();
  uncover(world, "alpha");
  alpha(world).taints = {{"amd.com/gpu", "true", "NoSchedule"},
                         {"spot", "", "PreferNoSchedule"},
                         {"storage", "", "NoSchedule"},
                         {"storage", "", "NoExecute"}};
  const auto annotated = [&](const std::string& value) {
    world.service("edge/traefik").annotations = {
        {"svccontroller.k3s.cattle.io/tolerations", value}};
    CHECK(world.findings(entry_check) == Findings{"taint_not_tolerated alpha"});
    const std::string cure = world.judge().findings.front().cure;
    return cure.substr(0, cure.find("   #"));
  };
  const std::string both =
      R"({"key":"amd.com/gpu","operator":"Exists"},{"key":"storage","operator":"Exists"}])";
  CHECK(world.findings(entry_check) == Findings{"taint_not_tolerated alpha"});
  const Finding finding = world.judge().findings.front();
  CHECK(finding.message ==
        "Public names point at 100.80.0.1 (node alpha), but no load balancer pod runs there: its "
        "taints amd.com/gpu=true:NoSchedule, storage:NoSchedule and storage:NoExecute are not "
        "tolerated.");
  CHECK(
      finding.cure.starts_with("kubectl -n edge annotate service traefik "
                               "'svccontroller.k3s.cattle.io/tolerations=[" +
                               both + "'   # "));
  const std::string overwrite =
      "kubectl -n edge annotate --overwrite service traefik "
      "'svccontroller.k3s.cattle.io/tolerations=[";
  CHECK(annotated(R"([{"key":"edge","operator":"Exists"}])") ==
        overwrite + R"({"key":"edge","operator":"Exists"},)" + both + "'");
  CHECK(annotated("[ ]\n") == overwrite + " " + both + "'");
  CHECK(annotated(" ") ==
        "kubectl -n edge annotate service traefik "
        "'svccontroller.k3s.cattle.io/tolerations=[" +
            both + "'");
  SECTION("in one line") {
    CHECK(annotated("[\n  {\"key\": \"edge\"}\n]\n") ==
          overwrite + R"(   {"key": "edge"} ,)" + both + "'");
  }
  SECTION("one of them is in the list, and K3s has not come to it") {
    CHECK(annotated(R"([{"key":"storage","operator":"Exists"}])") ==
          overwrite + R"({"key":"storage","operator":"Exists"},)" +
              R"({"key":"amd.com/gpu","operator":"Exists"}]')");
  }
  SECTION("all of them are: K3s does not read it") {
    CHECK(annotated(R"([{"operator":"Exists"}])") == "kubectl -n edge get service traefik -o yaml");
  }
  SECTION("a list that is no JSON") {
    CHECK(annotated("- key: edge") == "kubectl -n edge edit service traefik");
    CHECK(annotated(R"({"key":"edge"})") == "kubectl -n edge edit service traefik");
    CHECK(
        world.judge().findings.front().cure.ends_with("add to the list in its annotation "
                                                      "svccontroller.k3s.cattle.io/tolerations: "
                                                      "[" +
                                                      both));
  }
}

TEST_CASE("a load balancer that is not servicelb's knows no taints") {
  World world = World::healthy();
  world.cluster->daemon_sets.items.clear();
  world.cluster->pods.items.clear();
  world.service("edge/traefik").load_balancer_addresses = {"192.168.7.240"};
  alpha(world).taints = {{"gpu", "", "NoSchedule"}};
  CHECK(world.findings(entry_check) == Findings{"no_pod alpha"});
}

TEST_CASE("a Service's status and the load balancer's own pod say different things") {
  World world = World::healthy();
  world.cluster->pods.items[0].ready = false;  // alpha's, which the status still lists
  CHECK(world.findings(entry_check).empty());
  CHECK(world.layer(Layer::load_balancer) == LayerStatus::unknown);
  SECTION("another pod there takes the port") {
    kubernetes::Pod other = world.cluster->pods.items[0];
    other.ready = true;
    world.cluster->pods.items.push_back(other);
    CHECK(world.layer(Layer::load_balancer) == LayerStatus::ok);
  }
  SECTION("an external IP needs none") {
    world.service("edge/traefik").load_balancer_addresses.clear();
    world.service("edge/traefik").external_ips = {"100.80.0.1"};
    CHECK(world.layer(Layer::load_balancer) == LayerStatus::ok);
  }
  SECTION("a load balancer without pods of its own") {
    world.cluster->pods.items.clear();
    CHECK(world.layer(Layer::load_balancer) == LayerStatus::ok);
  }
}

TEST_CASE("what cannot be read is unknown") {
  World world = World::healthy();
  uncover(world, "alpha");
  SECTION("Kubernetes") { down(world.snapshot.kubernetes); }
  SECTION("services") { world.cluster->services = {}; }
  SECTION("nodes") { world.cluster->nodes = {}; }
  SECTION("pods") { world.cluster->pods = {}; }
  CHECK(world.findings(entry_check).empty());
  CHECK(world.layer(Layer::load_balancer) == LayerStatus::unknown);
}
