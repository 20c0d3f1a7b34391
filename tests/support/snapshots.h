// Worlds built by hand for tests of checks: a small healthy fleet, and named changes to it.
// A World owns its states; judge() and the like look at it as it stands.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "checks/judgement.h"
#include "fleet/fleet.h"

namespace shortcircuit::testing {

IpAddress ip(std::string_view text);
kubernetes::ObjectName object_name(std::string_view text);  // `namespace/name` or `name`

class World {
 public:
  // Kubernetes, Traefik and Headscale answer; there is nothing in them yet.
  World();

  // Three Ready nodes (alpha, beta, gamma: 100.80.0.1 … .3, pods 10.244.1 … 3.0/24) that are peers,
  // Traefik behind a LoadBalancer Service on all three, entry address 100.80.0.1.
  static World healthy();
  // The same and Ingress shop/front: shop.example leads to Service shop/web with two ready pods.
  static World with_route();

  kubernetes::Node& node(const std::string& name, const std::string& address,
                         const std::string& pods = "");
  headscale::Node& peer(const std::string& name, const std::string& address);
  // One address of `addresses` a line of a mirrored slice; the port is `http`, 8080, on both sides.
  kubernetes::Service& hand_kept(const std::string& name,
                                 const std::vector<std::string>& addresses);
  kubernetes::Service& with_pods(const std::string& name, int ready);
  kubernetes::Service& external_name(const std::string& name, const std::string& target);
  kubernetes::Ingress& ingress(const std::string& name, const std::string& host,
                               const std::string& service);
  kubernetes::IngressRoute& ingress_route(const std::string& name, const std::string& match,
                                          const std::string& service);
  kubernetes::Middleware& middleware(const std::string& name);
  kubernetes::Pod& balancer_pod(const std::string& node,
                                const std::string& service = "edge/traefik");
  kubernetes::WebhookConfiguration& webhook(const std::string& name, const std::string& service);
  // Gives every route of the cluster an enabled router with one server, as Traefik would.
  void serve();
  // Kubernetes was asked just now, and said `earlier` 15 s ago; Traefik was asked in between.
  void was_before(std::shared_ptr<const kubernetes::State> earlier);
  // Without the router of that route; or disabled with an error.
  void drop_router(const std::string& part_of_name);
  traefik::Router& router(const std::string& part_of_name);

  kubernetes::EndpointSlice& slice(const std::string& service);
  kubernetes::Service& service(const std::string& name);

  [[nodiscard]] Judgement judge() const;
  // `check/reason kind object`, sorted; information too.
  [[nodiscard]] std::vector<std::string> findings() const;
  // Those of one check: `reason object`.
  [[nodiscard]] std::vector<std::string> findings(std::string_view check) const;
  [[nodiscard]] LayerStatus layer(Layer layer) const;
  // `layer/reason` of the first broken link of the host's first route, `ok` or `unknown` without.
  [[nodiscard]] std::string cause(const std::string& host) const;

  Config config;
  Snapshot snapshot;
  std::shared_ptr<kubernetes::State> cluster = std::make_shared<kubernetes::State>();
  std::shared_ptr<traefik::State> proxy = std::make_shared<traefik::State>();
  std::shared_ptr<headscale::State> mesh = std::make_shared<headscale::State>();
};

// The source is configured and cannot be read.
void down(std::vector<Observed<kubernetes::State>>& targets);
void down(std::vector<Observed<traefik::State>>& targets);
void down(std::vector<Observed<headscale::State>>& targets);

}  // namespace shortcircuit::testing
