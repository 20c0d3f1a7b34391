// Every list that one poll reads: which kinds, where they are, which pods. What the exporter may
// do in a cluster (rbac.h) is made from the same lists.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "sources/kubernetes/config.h"
#include "sources/kubernetes/lists.h"
#include "sources/kubernetes/parse_cluster.h"
#include "sources/kubernetes/parse_routes.h"
#include "sources/kubernetes/parse_services.h"
#include "sources/kubernetes/parse_workloads.h"

namespace shortcircuit::kubernetes {

// Compiled once, in kinds.cpp: they are most of what this header costs.
extern template class ListOf<Node>;
extern template class ListOf<Service>;
extern template class ListOf<EndpointSlice>;
extern template class ListOf<Ingress>;
extern template class ListOf<IngressClass>;
extern template class ListOf<Middleware>;
extern template class ListOf<IngressRoute>;
extern template class ListOf<TraefikService>;
extern template class ListOf<WebhookConfiguration>;
extern template class ListOf<Workload>;
extern template class ListOf<Pod>;
extern template class ListOf<PersistentVolumeClaim>;
extern template class ListOf<StorageClass>;
extern template class ListOf<ConfigMap>;

// A kind of Traefik: in its own API group since 2.10, in the old one until 2.11; both may be there.
template <class T>
struct TraefikKind {
  TraefikKind(const std::string& plural, T (*parse)(JsonView))
      : now(plural, "/apis/traefik.io/v1alpha1/" + plural, parse),
        old(plural + "-containous", "/apis/traefik.containo.us/v1alpha1/" + plural,
            [parse](JsonView object) {
              std::vector<T> items{parse(object)};
              items.front().old_group = true;
              return items;
            }) {}
  ListOf<T> now;
  ListOf<T> old;
};

struct Lists {
  VersionAnswer version;
  ListOf<Node> nodes{"nodes", "/api/v1/nodes", parse_node};
  ListOf<Service> services{"services", "/api/v1/services", parse_service};
  ListOf<EndpointSlice> endpoint_slices{
      "endpointslices", "/apis/discovery.k8s.io/v1/endpointslices", parse_endpoint_slice};
  ListOf<EndpointSlice> endpoints{"endpoints", "/api/v1/endpoints", parse_endpoints};
  ListOf<Ingress> ingresses{"ingresses", "/apis/networking.k8s.io/v1/ingresses", parse_ingress};
  ListOf<IngressClass> ingress_classes{
      "ingressclasses", "/apis/networking.k8s.io/v1/ingressclasses", parse_ingress_class};
  TraefikKind<Middleware> middlewares{"middlewares", parse_middleware};
  TraefikKind<Middleware> middleware_tcps{"middlewaretcps", parse_middleware};
  TraefikKind<IngressRoute> ingress_routes{"ingressroutes", parse_ingress_route};
  TraefikKind<IngressRoute> ingress_route_tcps{"ingressroutetcps", parse_ingress_route};
  TraefikKind<IngressRoute> ingress_route_udps{"ingressrouteudps", parse_ingress_route};
  TraefikKind<TraefikService> traefik_services{"traefikservices", parse_traefik_service};
  ListOf<WebhookConfiguration> validating_webhooks{
      "validatingwebhookconfigurations",
      "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations",
      parse_validating_webhook};
  ListOf<WebhookConfiguration> mutating_webhooks{
      "mutatingwebhookconfigurations",
      "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations",
      parse_mutating_webhook};
  ListOf<Workload> daemon_sets{"daemonsets", "/apis/apps/v1/daemonsets", parse_daemon_set};
  ListOf<Workload> deployments{"deployments", "/apis/apps/v1/deployments", parse_deployment};
  ListOf<Workload> stateful_sets{"statefulsets", "/apis/apps/v1/statefulsets", parse_stateful_set};
  ListOf<Workload> cron_jobs{"cronjobs", "/apis/batch/v1/cronjobs", parse_cron_job};
  ListOf<Pod> pods{"pods", "/api/v1/pods", parse_pod};
  ListOf<Pod> pods_operator{"pods-operator", "/api/v1/pods", parse_pod};
  ListOf<Pod> pods_ingress{"pods-ingress", "/api/v1/pods", parse_pod};
  ListOf<PersistentVolumeClaim> claims{"persistentvolumeclaims", "/api/v1/persistentvolumeclaims",
                                       parse_claim};
  ListOf<StorageClass> storage_classes{"storageclasses", "/apis/storage.k8s.io/v1/storageclasses",
                                       parse_storage_class};
  ListOf<ConfigMap> config_maps{"configmaps", "/api/v1/configmaps", parse_kept_config_map};

  Lists();
  // Those that the configuration asks for.
  std::vector<List*> all(const Config& config);
};

// Lists of pods that depend on what the first lists said: of namespaces in which a claim waits
// (whether a pod uses it decides if that is a fault), and those that answer webhooks. One list of
// all pods, where that would be too many.
std::vector<std::unique_ptr<ListOf<Pod>>> further_pods(const Lists& lists);

}  // namespace shortcircuit::kubernetes
