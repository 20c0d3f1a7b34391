#include "fleet/endpoints.h"

#include <algorithm>
#include <set>

#include "base/text.h"

namespace shortcircuit {

using kubernetes::EndpointSlice;

std::optional<kubernetes::ObjectName> cluster_service_of(const kubernetes::Service& external_name) {
  if (external_name.type != "ExternalName") return std::nullopt;
  return cluster_service_named(external_name.external_name);
}

std::optional<kubernetes::ObjectName> cluster_service_named(std::string_view host) {
  const std::string text = to_lower(host);
  std::string_view name = text;
  if (name.ends_with('.')) name.remove_suffix(1);
  for (const std::string_view domain : {".svc", ".svc.cluster.local"}) {
    if (!name.ends_with(domain)) continue;
    const std::string_view rest = name.substr(0, name.size() - domain.size());
    const auto dot = rest.find('.');
    if (dot == std::string_view::npos || dot == 0 || dot + 1 == rest.size()) continue;
    if (rest.find('.', dot + 1) != std::string_view::npos) continue;  // a pod's own name
    return kubernetes::ObjectName{std::string(rest.substr(dot + 1)),
                                  std::string(rest.substr(0, dot))};
  }
  return std::nullopt;
}

bool carries(const EndpointSlice& slice, const kubernetes::ServicePort& port) {
  return std::any_of(slice.ports.begin(), slice.ports.end(), [&](const auto& offered) {
    return offered.name == port.name && offered.port.value_or(0) > 0;
  });
}

bool ServiceEndpoints::hand_kept() const {
  return service->selector.empty() && service->type != "ExternalName";
}

std::vector<std::string> ServiceEndpoints::addresses() const {
  std::vector<std::string> found;
  std::set<std::string> seen;
  for (const auto* slice : slices) {
    for (const auto& endpoint : slice->endpoints) {
      for (const std::string& address : endpoint.addresses) {
        if (seen.insert(address).second) found.push_back(address);
      }
    }
  }
  return found;
}

std::size_t ServiceEndpoints::ready_addresses() const {
  std::set<std::string> ready;
  for (const auto* slice : slices) {
    for (const auto& endpoint : slice->endpoints) {
      if (endpoint.ready) ready.insert(endpoint.addresses.begin(), endpoint.addresses.end());
    }
  }
  return ready.size();
}

std::vector<const EndpointSlice*> ServiceEndpoints::slices_in_use() const {
  std::vector<const EndpointSlice*> found;
  const auto ready = [](const auto& endpoint) { return endpoint.ready; };
  std::copy_if(slices.begin(), slices.end(), std::back_inserter(found), [&](const auto* slice) {
    return std::any_of(slice->endpoints.begin(), slice->endpoints.end(), ready);
  });
  if (!found.empty()) return found;
  std::copy_if(slices.begin(), slices.end(), std::back_inserter(found),
               [](const auto* slice) { return !slice->endpoints.empty(); });
  return found;
}

bool ServiceEndpoints::carries(const kubernetes::ServicePort& port) const {
  const auto used = slices_in_use();
  return std::any_of(used.begin(), used.end(),
                     [&](const auto* slice) { return shortcircuit::carries(*slice, port); });
}

std::string ServiceEndpoints::edit_command() const {
  const auto& name = service->name;
  for (const auto* slice : slices) {
    if (from_endpoints || slice->managed_by.starts_with("endpointslicemirroring-controller")) break;
    return "kubectl -n " + name.namespace_name + " edit endpointslice " + slice->name.name;
  }
  return "kubectl -n " + name.namespace_name + " edit endpoints " + name.name;
}

EndpointIndex::EndpointIndex(const kubernetes::State* cluster) {
  if (cluster == nullptr || !cluster->services.known()) return;
  // Traefik reads EndpointSlices; plain Endpoints count only where slices do not exist or cannot
  // be read (every Endpoints object has its mirrored slice otherwise).
  using Status = kubernetes::Listed<kubernetes::EndpointSlice>::Status;
  const auto& list = cluster->endpoint_slices.status == Status::listed ? cluster->endpoint_slices
                                                                       : cluster->endpoints;
  known_ = list.status == Status::listed;
  for (const auto& service : cluster->services.items) services_[service.name].service = &service;
  for (const auto& slice : list.items) {
    const auto found = services_.find({slice.name.namespace_name, slice.service});
    if (found != services_.end()) found->second.slices.push_back(&slice);
  }
  if (&list == &cluster->endpoints) {
    for (auto& [name, service] : services_) {
      service.from_endpoints = true;
      service.certain = cluster->endpoint_slices.known() || !service.slices.empty();
    }
  }
}

const ServiceEndpoints* EndpointIndex::find(const kubernetes::ObjectName& service) const {
  const auto found = services_.find(service);
  return found == services_.end() ? nullptr : &found->second;
}

}  // namespace shortcircuit
