#include "checks/way_in.h"

#include <algorithm>

#include "checks/entry_services.h"

namespace shortcircuit {

bool has_no_ready_pod(const Fleet& fleet, const kubernetes::Service& service) {
  const auto* endpoints = fleet.endpoints.find(service.name);
  return endpoints != nullptr && fleet.endpoints.known() && endpoints->certain &&
         !endpoints->hand_kept() && endpoints->ready_addresses() == 0;
}

WayIn judge_way_in(const Fleet& fleet) {
  const auto* cluster = fleet.cluster();
  if (cluster == nullptr || !cluster->services.known() || !fleet.endpoints.known() ||
      fleet.routes.empty())
    return {};
  // Traefik may run outside the cluster, or take the nodes' ports without any Service.
  const bool answers = fleet.traefik() != nullptr;
  const auto services = traefik_services(*cluster);
  if (services.empty()) {
    const bool pod_ready = std::ranges::any_of(cluster->pods.items, [](const kubernetes::Pod& pod) {
      return pod.ready && is_traefik_pod(pod);
    });
    if (answers || pod_ready) return {};
    return {.status = WayIn::Status::unknown,
            .why = "no Service leads to it and its API is not read",
            .services = {}};
  }
  const bool pod_in_reach = std::ranges::any_of(
      cluster->pods.items,
      [](const kubernetes::Pod& pod) { return pod.ready && takes_web_port(pod); });
  WayIn closed{.status = WayIn::Status::closed, .why = {}, .services = {}};
  for (const kubernetes::Service* service : services) {
    if (pod_in_reach || !has_no_ready_pod(fleet, *service)) return {};
    closed.services.push_back(service->name);
  }
  const std::string none = "no pod of Service " + closed.services.front().text() + " is ready";
  if (answers) {
    return {
        .status = WayIn::Status::unknown, .why = "its API answers, though " + none, .services = {}};
  }
  if (!cluster->pods.known()) {
    return {.status = WayIn::Status::unknown,
            .why = none + ", and pods, which may take a node's port, cannot be read",
            .services = {}};
  }
  return closed;
}

}  // namespace shortcircuit
