#include "sources/kubernetes/kinds.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

namespace shortcircuit::kubernetes {

template class ListOf<Node>;
template class ListOf<Service>;
template class ListOf<EndpointSlice>;
template class ListOf<Ingress>;
template class ListOf<IngressClass>;
template class ListOf<Middleware>;
template class ListOf<IngressRoute>;
template class ListOf<TraefikService>;
template class ListOf<WebhookConfiguration>;
template class ListOf<Workload>;
template class ListOf<Pod>;
template class ListOf<PersistentVolumeClaim>;
template class ListOf<StorageClass>;
template class ListOf<ConfigMap>;

namespace {

constexpr const char* load_balancer_pods = "svccontroller.k3s.cattle.io/svcname";
constexpr const char* ingress_pods = "app.kubernetes.io/name=traefik";
// Piraeus 2 labels every pod of its own with its default namespace; others with the operator.
constexpr const char* operator_pods =
    "app.kubernetes.io/name in (piraeus-datastore,piraeus-operator,piraeus,linstor-operator)";

// By name, the Services that answer webhooks and select pods.
std::map<ObjectName, std::string> webhook_selectors(const Lists& lists) {
  std::set<ObjectName> called;
  for (const auto* list : {&lists.validating_webhooks, &lists.mutating_webhooks}) {
    for (const WebhookConfiguration& configuration : list->items) {
      for (const Webhook& webhook : configuration.webhooks) {
        if (webhook.service) called.insert(*webhook.service);
      }
    }
  }
  std::map<ObjectName, std::string> selectors;
  for (const Service& service : lists.services.items) {
    if (service.selector.empty() || !called.contains(service.name)) continue;
    std::string& selector = selectors[service.name];
    for (const auto& [key, value] : service.selector) {
      selector += fmt::format("{}{}={}", selector.empty() ? "" : ",", key, value);
    }
  }
  return selectors;
}

}  // namespace

Lists::Lists() {
  pods.selector = load_balancer_pods;
  pods_operator.selector = operator_pods;
  pods_ingress.selector = ingress_pods;
  endpoint_slices.fall_back_to("/apis/discovery.k8s.io/v1beta1/endpointslices", "v1beta1");
  cron_jobs.fall_back_to("/apis/batch/v1beta1/cronjobs", "v1beta1");
  config_maps.limit = 100;  // up to 1 MiB each
}

std::vector<List*> Lists::all(const Config& config) {
  std::vector<List*> lists{&version,
                           &nodes,
                           &services,
                           &endpoint_slices,
                           &endpoints,
                           &ingresses,
                           &ingress_classes,
                           &middlewares.now,
                           &middlewares.old,
                           &middleware_tcps.now,
                           &middleware_tcps.old,
                           &ingress_routes.now,
                           &ingress_routes.old,
                           &ingress_route_tcps.now,
                           &ingress_route_tcps.old,
                           &ingress_route_udps.now,
                           &ingress_route_udps.old,
                           &traefik_services.now,
                           &traefik_services.old,
                           &validating_webhooks,
                           &mutating_webhooks,
                           &daemon_sets,
                           &deployments,
                           &stateful_sets,
                           &cron_jobs,
                           &claims,
                           &storage_classes};
  if (config.pods) lists.insert(lists.end(), {&pods, &pods_operator, &pods_ingress});
  if (config.config_maps) lists.push_back(&config_maps);
  return lists;
}

std::vector<std::unique_ptr<ListOf<Pod>>> further_pods(const Lists& lists) {
  constexpr std::size_t most_lists = 20;
  std::set<std::string> namespaces;
  for (const PersistentVolumeClaim& claim : lists.claims.items) {
    if (claim.phase == "Pending") namespaces.insert(claim.name.namespace_name);
  }
  const auto selectors = webhook_selectors(lists);
  std::vector<std::unique_ptr<ListOf<Pod>>> further;
  if (namespaces.size() + selectors.size() > most_lists) {
    further.push_back(std::make_unique<ListOf<Pod>>("pods-all", "/api/v1/pods", parse_pod));
    return further;
  }
  const auto path = [](const std::string& name) {
    return fmt::format("/api/v1/namespaces/{}/pods", name);
  };
  for (const std::string& name : namespaces) {
    further.push_back(std::make_unique<ListOf<Pod>>("pods-claims-" + name, path(name), parse_pod));
  }
  for (const auto& [service, selector] : selectors) {
    if (namespaces.contains(service.namespace_name)) continue;
    further.push_back(std::make_unique<ListOf<Pod>>(
        fmt::format("pods-webhook-{}-{}", service.namespace_name, service.name),
        path(service.namespace_name), parse_pod, selector));
  }
  return further;
}

}  // namespace shortcircuit::kubernetes
