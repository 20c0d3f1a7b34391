// Whether what stands behind a load balancer takes the request: the Service and its pods.
#include "support/catch.h"
#include "support/entries.h"

using namespace shortcircuit;
using namespace shortcircuit::testing;

namespace {

constexpr auto services_check = "entry_without_load_balancer";
using Findings = std::vector<std::string>;

}  // namespace

TEST_CASE("externalTrafficPolicy Local: the balancer of a node without a pod of the Service") {
  World world = World::healthy();
  auto& service = world.service("edge/traefik");
  service.external_traffic_policy = "Local";
  service.load_balancer_addresses = {"100.80.0.2"};
  auto& endpoints = world.slice("edge/traefik").endpoints;
  endpoints.front().node_name = "beta";
  SECTION("drops what it gets") {
    CHECK(world.findings(services_check) == Findings{"no_pod alpha"});
    const Finding finding = world.judge().findings.front();
    CHECK(finding.message.find("externalTrafficPolicy") != std::string::npos);
    CHECK(finding.cure.starts_with("kubectl -n edge patch service traefik --type merge -p '{"));
    endpoints.push_back({.addresses = {"10.244.1.9"}, .ready = false, .node_name = "alpha"});
    CHECK(world.findings(services_check) == Findings{"no_pod alpha"});
  }
  SECTION("innocent: a ready pod on the node") {
    endpoints.push_back({.addresses = {"10.244.1.9"}, .node_name = "alpha"});
    CHECK(world.findings(services_check).empty());
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
    traefik_takes(world, {443});
    CHECK(world.layer(Layer::load_balancer) == LayerStatus::ok);
  }
  SECTION("unknown: endpoints that do not say their node, or cannot be read") {
    if (GENERATE(true, false)) {
      endpoints.front().node_name.clear();
    } else {
      world.cluster->endpoint_slices = {};
      world.cluster->endpoints = {};
    }
    CHECK(world.findings(services_check).empty());
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
    CHECK(world.findings(services_check) == Findings{"node_not_ready alpha"});
  }
  SECTION("innocent: one pod is ready") {
    world.slice("edge/traefik").endpoints.back().ready = true;
    CHECK(world.findings().empty());
  }
  SECTION("innocent: Traefik itself takes the node's port") {
    traefik_takes(world, {443});
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
    CHECK(world.findings(services_check) == Findings{"no_pod alpha"});
    CHECK(world.judge().findings.front().message.find("IPv4 alone") != std::string::npos);
    service.load_balancer_addresses.clear();
    CHECK(world.findings(services_check) == Findings{"no_pod alpha"});
  }
  SECTION("unknown: pods cannot be read") {
    world.cluster->pods = {};
    CHECK(world.findings(services_check).empty());
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
