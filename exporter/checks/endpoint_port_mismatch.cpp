#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/text.h"
#include "checks/check.h"
#include "checks/unknown.h"

namespace shortcircuit {
namespace {

using kubernetes::ServicePort;

std::string name_or_unnamed(const std::string& name) {
  return name.empty() ? "without a name" : fmt::format("named {}", name);
}

const ServicePort* port_of(const RouteBackend& backend, const kubernetes::Service& service) {
  for (const ServicePort& port : service.ports) {
    const bool matches = backend.port_name.empty() ? port.port == backend.port_number : port.name == backend.port_name;
    if (matches) return &port;
  }
  return nullptr;
}

// Traefik takes the endpoints whose port carries the Service port's name, and no others; the API
// server's own proxies do the same.
std::optional<Finding> judge_port(const kubernetes::ObjectName& name, const ServicePort& port,
                                  const ServiceEndpoints& endpoints, bool routed) {
  std::vector<std::string> names;
  bool without_number = false;
  for (const auto* slice : endpoints.slices) {
    if (slice->endpoints.empty()) continue;
    for (const auto& candidate : slice->ports) {
      if (candidate.name == port.name && candidate.port) return std::nullopt;
      without_number = without_number || (candidate.name == port.name && !candidate.port);
      names.push_back(candidate.name);
    }
  }
  if (names.empty()) return std::nullopt;  // no endpoints at all: another check's business
  const bool only_unnamed = std::all_of(names.begin(), names.end(), [](const std::string& n) { return n.empty(); });
  std::string reason = "port_name_unknown";
  if (without_number) {
    reason = "port_number_unknown";
  } else if (only_unnamed && !port.name.empty()) {
    reason = "port_unnamed";
  }
  std::vector<std::string> found;
  for (const std::string& candidate : names) {
    auto text = name_or_unnamed(candidate);
    if (std::find(found.begin(), found.end(), text) == found.end()) found.push_back(std::move(text));
  }
  const std::string patch =
      port.name.empty()
          ? fmt::format("kubectl -n {} edit endpoints {}   # take the name out of subsets[].ports[]", name.namespace_name, name.name)
          : fmt::format("kubectl -n {} edit endpoints {}   # subsets[].ports[].name: {}", name.namespace_name, name.name, port.name);
  return Finding{.severity = routed ? Severity::critical : Severity::warning,
                 .reason = reason,
                 .kind = "Service",
                 .object = name.text(),
                 .message = reason == "port_number_unknown"
                                ? fmt::format("Port {} of Service {} has endpoints without a port number.", port.port, name.text())
                                : fmt::format("Port {} of Service {} is {}, and its endpoints' port is {}: Traefik finds no "
                                              "endpoint for it.", port.port, name.text(), name_or_unnamed(port.name),
                                              enumerate(found, 3)),
                 .cure = patch};
}

Verdict judge_ports(const Fleet& fleet) {
  if (fleet.config.kubernetes.empty()) return not_applicable();
  Verdict verdict;
  if (!need(fleet.snapshot.kubernetes, "Kubernetes", verdict)) return verdict;
  const auto& cluster = *fleet.cluster();
  if (!need(cluster.services, "services", verdict)) return verdict;
  if (!fleet.endpoints.known()) {
    verdict.unknown.push_back("Kubernetes endpointslices: " + cluster.endpoint_slices.error.message);
    return verdict;
  }
  std::map<kubernetes::ObjectName, std::set<const ServicePort*>> routed;
  for (const Route& route : fleet.routes) {
    for (const RouteBackend& backend : route.backends) {
      const auto* endpoints = fleet.endpoints.find(backend.service);
      if (endpoints == nullptr) continue;
      auto& ports = routed[backend.service];
      if (const auto* port = port_of(backend, *endpoints->service)) ports.insert(port);
    }
  }
  for (const auto& [name, endpoints] : fleet.endpoints.all()) {
    const bool api_server = name.namespace_name == "default" && name.name == "kubernetes";
    if (!endpoints.hand_kept() || api_server) continue;
    const auto used = routed.find(name);
    std::set<std::string> reasons;
    for (const ServicePort& port : endpoints.service->ports) {
      // Of a Service that routes lead to, the ports that they use matter.
      if (used != routed.end() && !used->second.contains(&port)) continue;
      auto finding = judge_port(name, port, endpoints, used != routed.end());
      if (finding && reasons.insert(finding->reason).second) verdict.findings.push_back(std::move(*finding));
    }
  }
  return verdict;
}

}  // namespace

const CheckDefinition endpoint_port_mismatch_check{
    .name = "endpoint_port_mismatch",
    .layer = Layer::endpoint_port,
    .question = "Do hand-kept endpoints carry the port names that their Service has?",
    .reasons = {{"port_unnamed", "The Service's port has a name, the endpoints' has none."},
                {"port_name_unknown", "The names differ, or only the endpoints' port has one."},
                {"port_number_unknown", "The endpoints' port of that name has no number."}},
    .judge = judge_ports};

}  // namespace shortcircuit
