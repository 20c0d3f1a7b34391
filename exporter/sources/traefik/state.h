// What the exporter keeps of Traefik's own view: routers, services, middlewares, as its API says.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/shared_vector.h"
#include "base/time.h"

namespace shortcircuit::traefik {

struct Router {
  std::string name;      // with provider: `web-shop@kubernetes`
  std::string provider;  // kubernetes, kubernetescrd, internal, file …
  std::string rule;
  std::string status;  // enabled, warning, disabled
  std::string service;
  std::vector<std::string> entry_points;
  std::vector<std::string> middlewares;
  std::vector<std::string> errors;
  bool tls = false;  // asked by https only; its own or its entry point's
  bool operator==(const Router&) const = default;
};

struct Service {
  std::string name;
  std::string provider;
  std::string status;
  std::string type;  // loadbalancer, weighted, …
  std::vector<std::string> server_urls;
  std::size_t servers_down = 0;  // of those, by Traefik's own health check (0 without one)
  // The services that one of another type hands requests to, as it names them (without a provider:
  // of its own); those of weight 0 get none, and mirrors do not answer.
  std::vector<std::string> legs;
  std::vector<std::string> errors;
  bool operator==(const Service&) const = default;
};

struct Middleware {
  std::string name;
  std::string provider;
  std::string status;
  std::string type;
  std::vector<std::string> errors;
  bool operator==(const Middleware&) const = default;
};

struct EntryPoint {
  std::string name;
  std::string address;
};

struct Counts {
  std::int64_t total = 0;
  std::int64_t warnings = 0;
  std::int64_t errors = 0;
};

struct State {
  static constexpr Duration history{10min};  // Observed::earlier
  std::string version;
  std::optional<Time> started;  // startDate of /api/version
  // KubernetesIngress, KubernetesCRD, File …; empty: the overview could not be read.
  std::vector<std::string> providers;
  Counts router_counts;
  Counts service_counts;
  Counts middleware_counts;
  std::vector<EntryPoint> entry_points;
  SharedVector<Router> routers;
  SharedVector<Service> services;
  SharedVector<Middleware> middlewares;
};

}  // namespace shortcircuit::traefik
