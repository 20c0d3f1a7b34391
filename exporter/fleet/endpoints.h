// The endpoints of each Service as Traefik and the API server see them: slices joined by Service,
// the mirror and its original counted once. An index made once per snapshot; borrows the cluster.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sources/kubernetes/state.h"

namespace shortcircuit {

// The Service that an ExternalName means by its name in the cluster's DNS: `svc.ns.svc`, alone or
// with the usual domain. Nothing for any other name.
std::optional<kubernetes::ObjectName> cluster_service_of(const kubernetes::Service& external_name);
// The same of any host name.
std::optional<kubernetes::ObjectName> cluster_service_named(std::string_view host);

bool carries(const kubernetes::EndpointSlice& slice, const kubernetes::ServicePort& port);

struct ServiceEndpoints {
  const kubernetes::Service* service = nullptr;
  std::vector<const kubernetes::EndpointSlice*> slices;  // EndpointSlices, or Endpoints without any

  // False: slices could not be read and no Endpoints object is there, so nothing can be said.
  bool certain = true;
  bool from_endpoints = false;  // `slices` are subsets of Endpoints objects

  // Without a selector and not an ExternalName: somebody keeps the addresses by hand.
  [[nodiscard]] bool hand_kept() const;
  // Distinct addresses, ready or not, in the order of the slices.
  [[nodiscard]] std::vector<std::string> addresses() const;
  [[nodiscard]] std::size_t ready_addresses() const;
  // The slices with a ready endpoint: requests go to these alone. When there is none, those with
  // any endpoint.
  [[nodiscard]] std::vector<const kubernetes::EndpointSlice*> slices_in_use() const;
  // Does one of them carry the Service's port, as Traefik and kube-proxy match them: by name, with
  // a number?
  [[nodiscard]] bool carries(const kubernetes::ServicePort& port) const;
  // The command that opens what somebody keeps by hand: Endpoints, or EndpointSlices of their own.
  [[nodiscard]] std::string edit_command() const;
};

class EndpointIndex {
 public:
  // Empty when services are unknown or neither kind of endpoints could be read.
  explicit EndpointIndex(const kubernetes::State* cluster);

  // Null when there is no such Service.
  [[nodiscard]] const ServiceEndpoints* find(const kubernetes::ObjectName& service) const;
  [[nodiscard]] const std::map<kubernetes::ObjectName, ServiceEndpoints>& all() const {
    return services_;
  }
  // Services and endpoints could both be read.
  [[nodiscard]] bool known() const { return known_; }

 private:
  bool known_ = false;
  std::map<kubernetes::ObjectName, ServiceEndpoints> services_;
};

}  // namespace shortcircuit
