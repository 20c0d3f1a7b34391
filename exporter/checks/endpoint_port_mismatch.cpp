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

// Why none of `slices` has the port.
std::string reason_for(const ServicePort& port,
                       const std::vector<const kubernetes::EndpointSlice*>& slices) {
  bool any = false;
  bool only_unnamed = true;
  for (const auto* slice : slices) {
    for (const auto& offered : slice->ports) {
      if (offered.name == port.name) return "port_number_unknown";
      any = true;
      only_unnamed = only_unnamed && offered.name.empty();
    }
  }
  if (!any) return "port_number_unknown";
  return only_unnamed ? "port_unnamed" : "port_name_unknown";
}

std::string names_in(const std::vector<const kubernetes::EndpointSlice*>& slices) {
  std::vector<std::string> found;
  for (const auto* slice : slices) {
    for (const auto& offered : slice->ports) {
      auto text = name_or_unnamed(offered.name);
      if (std::find(found.begin(), found.end(), text) == found.end())
        found.push_back(std::move(text));
    }
  }
  return found.empty() ? "not there" : enumerate(found, 3);
}

Finding make_finding(const ServicePort& port, const ServiceEndpoints& endpoints,
                     const std::vector<const kubernetes::EndpointSlice*>& slices, bool partly,
                     Severity severity) {
  const std::string name = endpoints.service->name.text();
  const std::string reason = reason_for(port, slices);
  std::vector<std::string> addresses;
  for (const auto* slice : slices) {
    for (const auto& endpoint : slice->endpoints) {
      addresses.insert(addresses.end(), endpoint.addresses.begin(), endpoint.addresses.end());
    }
  }
  const std::string whose =
      partly ? fmt::format("the port of its endpoints {}", enumerate(addresses, 4))
             : "its endpoints' port";
  std::string fix = port.name.empty() ? "take the name out of the port"
                                      : fmt::format("ports[].name: {}", port.name);
  if (reason == "port_number_unknown")
    fix = "ports[].port: NUMBER" + (port.name.empty() ? std::string() : ", name: " + port.name);
  return {
      .severity = severity,
      .reason = reason,
      .kind = "Service",
      .object = name,
      .message =
          reason == "port_number_unknown"
              ? fmt::format(
                    "Port {} of Service {}: {} has no number, so Traefik finds no endpoint there.",
                    port.port, name, whose)
              : fmt::format(
                    "Port {} of Service {} is {}, and {} is {}: Traefik finds no endpoint there.",
                    port.port, name, name_or_unnamed(port.name), whose, names_in(slices)),
      .cure = fmt::format("{}   # {}", endpoints.edit_command(), fix)};
}

// The pods' ports are a controller's work. It leaves a port out when the Service's targetPort is a
// name that no container has, and the pods are ready all the same.
Finding make_finding_of_pods(const ServicePort& port, const ServiceEndpoints& endpoints) {
  const auto& name = endpoints.service->name;
  const bool by_name = !port.target_port.empty() && !port_number(port.target_port);
  Finding finding{
      .severity = Severity::critical,
      .reason = by_name ? "port_number_unknown" : reason_for(port, endpoints.slices_in_use()),
      .kind = "Service",
      .object = name.text()};
  if (by_name) {
    finding.message = fmt::format(
        "Port {} of Service {} leads to the pods' port named {}, and no container of a ready pod "
        "has one: nothing answers there.",
        port.port, name.text(), port.target_port);
    finding.cure = fmt::format(
        "kubectl -n {} edit service {}   # spec.ports[].targetPort: a name that the "
        "pods' containers give a port, or its number",
        name.namespace_name, name.name);
  } else {
    finding.message = fmt::format(
        "Port {} of Service {} is {}, and none of its ready endpoints carries it: nothing answers "
        "there.",
        port.port, name.text(), name_or_unnamed(port.name));
    finding.cure = fmt::format(
        "kubectl -n {} get endpointslices -l kubernetes.io/service-name={} -o yaml   # ports[] "
        "should follow the Service; if not, kube-controller-manager does not run",
        name.namespace_name, name.name);
  }
  return finding;
}

void judge_pods(const ServiceEndpoints& endpoints, const std::set<const ServicePort*>& used,
                Verdict& verdict) {
  if (endpoints.ready_addresses() == 0) return;  // another check's business
  std::set<std::string> reasons;
  for (const ServicePort& port : endpoints.service->ports) {
    if (!used.contains(&port) || endpoints.carries(port)) continue;
    Finding finding = make_finding_of_pods(port, endpoints);
    if (reasons.insert(finding.reason).second) verdict.findings.push_back(std::move(finding));
  }
}

// `used`: the ports that routes lead to; null when no route leads to the Service.
void judge_service(const ServiceEndpoints& endpoints, const std::set<const ServicePort*>* used,
                   Verdict& verdict) {
  const auto slices = endpoints.slices_in_use();
  const auto& ports = endpoints.service->ports;
  if (slices.empty() || ports.empty()) return;  // no endpoints at all is another check's business
  std::set<std::string> reasons;
  const auto add = [&](Finding finding) {
    if (reasons.insert(finding.reason).second) verdict.findings.push_back(std::move(finding));
  };
  for (const ServicePort& port : ports) {
    // Of a Service that routes lead to, the ports that they use matter.
    if (used != nullptr && !used->contains(&port)) continue;
    if (!endpoints.carries(port))
      add(make_finding(port, endpoints, slices, false,
                       used != nullptr ? Severity::critical : Severity::warning));
  }
  if (!reasons.empty()) return;
  // Addresses that no port of the Service leads to get no request, while the others do.
  std::vector<const kubernetes::EndpointSlice*> idle;
  std::copy_if(slices.begin(), slices.end(), std::back_inserter(idle), [&](const auto* slice) {
    return std::none_of(ports.begin(), ports.end(),
                        [&](const ServicePort& port) { return carries(*slice, port); });
  });
  if (!idle.empty()) add(make_finding(ports.front(), endpoints, idle, true, Severity::warning));
}

Verdict judge_ports(const Fleet& fleet) {
  if (fleet.config.kubernetes.empty()) return not_applicable();
  Verdict verdict;
  if (!need(fleet.snapshot.kubernetes, "Kubernetes", verdict)) return verdict;
  const auto& cluster = *fleet.cluster();
  if (!need(cluster.services, "services", verdict)) return verdict;
  if (!fleet.endpoints.known()) {
    verdict.unknown.push_back("Kubernetes endpointslices: " +
                              cluster.endpoint_slices.error.message);
    return verdict;
  }
  std::map<kubernetes::ObjectName, std::set<const ServicePort*>> routed;
  for (const Route& route : fleet.routes) {
    for (const RouteBackend& backend : route.backends) {
      const auto* endpoints = fleet.endpoints.find(backend.service);
      if (endpoints == nullptr) continue;
      auto& ports = routed[backend.service];
      if (const auto* port = port_of(backend, *endpoints->service)) ports.insert(port);
      // Through the cluster's DNS; a headless Service's name gives the pods' own addresses.
      const auto target = target_of(backend, *endpoints->service);
      const auto* found = target ? fleet.endpoints.find(target->service) : nullptr;
      if (found == nullptr || found->service->headless()) continue;
      if (const auto* port = port_of(*target, *found->service))
        routed[target->service].insert(port);
    }
  }
  bool said_uncertain = false;
  for (const auto& [name, endpoints] : fleet.endpoints.all()) {
    const bool api_server = name.namespace_name == "default" && name.name == "kubernetes";
    const bool external = endpoints.service->type == "ExternalName";
    const auto used = routed.find(name);
    // Of what controllers keep only the ports that routes lead to: charts give Services ports that
    // not every installation has.
    if (api_server || external || (!endpoints.hand_kept() && used == routed.end())) continue;
    if (!endpoints.certain && !said_uncertain) {
      said_uncertain = true;
      verdict.unknown.push_back("Kubernetes endpointslices: " +
                                cluster.endpoint_slices.error.message);
    }
    if (!endpoints.hand_kept()) {
      judge_pods(endpoints, used->second, verdict);
    } else {
      judge_service(endpoints, used == routed.end() ? nullptr : &used->second, verdict);
    }
  }
  return verdict;
}

}  // namespace

const CheckDefinition endpoint_port_mismatch_check{
    .name = "endpoint_port_mismatch",
    .layer = Layer::endpoint_port,
    .question = "Do endpoints carry the ports that their Service has?",
    .reasons =
        {{"port_unnamed", "The Service's port has a name, the endpoints' has none."},
         {"port_name_unknown", "The names differ, or only the endpoints' port has one."},
         {"port_number_unknown",
          "The endpoints' port of that name has no number, or no container has the port that "
          "the Service's targetPort names."}},
    .judge = judge_ports};

}  // namespace shortcircuit
