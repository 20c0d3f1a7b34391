// Where a route leads to: a Service and one of its ports, as Traefik reads the reference.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "sources/kubernetes/state.h"

namespace shortcircuit {

// A Service and port that a route leads to.
struct RouteBackend {
  kubernetes::ObjectName service;
  std::string port_name;  // either
  int port_number = 0;    // or
  bool through_traefik_service = false;
  bool idle = false;  // as in ServiceReference, on any step of the way
};

// A port as objects write it: digits are a number, anything else a name (nothing).
std::optional<int> port_number(std::string_view text);
// The Service and port of a reference to a Service; its namespace is `own_namespace` unless it
// names another. Digits in quotes are the name of a port to Traefik, and no port has such a name.
RouteBackend backend_of(const kubernetes::ServiceReference& reference,
                        const std::string& own_namespace);
// The Service's port that the backend asks for; null when it has none of that name or number.
const kubernetes::ServicePort* port_of(const RouteBackend& backend,
                                       const kubernetes::Service& service);
// Where a backend that is an ExternalName Service of the cluster's own DNS leads to: another
// Service of the cluster, and the port that Traefik dials there (the ExternalName Service's; its
// targetPort means nothing). Nothing for every other backend.
std::optional<RouteBackend> target_of(const RouteBackend& backend,
                                      const kubernetes::Service& external_name);
// Has this target no such port? A headless Service has every port that its pods listen on, and
// where another ExternalName leads nobody here follows.
bool lacks_port(const RouteBackend& target, const kubernetes::Service& service);
// Does Traefik find the port? `of_ingress`: the backend is written in an Ingress.
bool port_exists(const RouteBackend& backend, const kubernetes::Service& service, bool of_ingress);

}  // namespace shortcircuit
