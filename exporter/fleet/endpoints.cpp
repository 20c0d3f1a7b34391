#include "fleet/endpoints.h"

#include <algorithm>
#include <set>

namespace shortcircuit {

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
