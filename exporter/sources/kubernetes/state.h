// What the exporter keeps of a Kubernetes cluster: plain values, no JSON, no secrets.
// Every list knows whether it could be read, since a 403 on one kind must not blind the others.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/result.h"
#include "base/shared_vector.h"
#include "base/time.h"

namespace shortcircuit::kubernetes {

template <class T>
struct Listed {
  enum class Status {
    failed,  // could not be read: unknown (`error` says why)
    absent,  // the kind is not installed (404): an empty list that is known
    listed,
  };
  Status status = Status::failed;
  SharedVector<T> items;
  Error error;

  [[nodiscard]] bool known() const { return status != Status::failed; }
  bool operator==(const Listed&) const = default;
};

struct ObjectName {
  std::string namespace_name;  // "" for cluster-wide objects
  std::string name;
  [[nodiscard]] std::string text() const {
    return namespace_name.empty() ? name : namespace_name + "/" + name;
  }
  auto operator<=>(const ObjectName&) const = default;
};

using Labels = std::map<std::string, std::string>;

struct Taint {
  std::string key;
  std::string value;
  std::string effect;  // NoSchedule, PreferNoSchedule, NoExecute
  bool operator==(const Taint&) const = default;
};

struct Toleration {
  std::string key;        // "" with Exists: everything
  std::string operation;  // Exists or Equal ("" = Equal)
  std::string value;
  std::string effect;  // "" = every effect
  bool operator==(const Toleration&) const = default;
};

struct Node {
  std::string name;
  std::optional<Time> created;
  std::vector<IpAddress> internal_addresses;
  std::vector<IpAddress> external_addresses;
  std::vector<Prefix> pod_cidrs;
  std::vector<Taint> taints;
  Labels labels;
  // The flannel annotations (public-ip, public-ip-overwrite, node-public-ip; the same of IPv6) that
  // are set, by annotation name, as written.
  std::map<std::string, std::string> flannel_addresses;
  std::optional<bool> ready;  // nothing: the condition is Unknown or absent
  bool operator==(const Node&) const = default;
};

struct ServicePort {
  std::string name;  // "" = unnamed
  int port = 0;
  std::string target_port;  // number or name, as text; "" = same as port
  std::string protocol = "TCP";
  bool operator==(const ServicePort&) const = default;
};

struct Service {
  ObjectName name;
  std::optional<Time> created;
  std::string type;                      // ClusterIP, NodePort, LoadBalancer, ExternalName
  std::vector<std::string> cluster_ips;  // "None" = headless
  std::string external_name;
  Labels selector;
  std::vector<ServicePort> ports;
  std::vector<std::string> load_balancer_addresses;  // status.loadBalancer.ingress[].ip
  std::vector<std::string> load_balancer_host_names;
  std::string load_balancer_class;
  std::vector<std::string> external_ips;
  std::string external_traffic_policy;   // Cluster, Local; "" = not said (Cluster)
  std::vector<std::string> ip_families;  // IPv4, IPv6; empty = not said
  Labels annotations;                    // only svccontroller.k3s.cattle.io/*
  [[nodiscard]] bool headless() const { return !cluster_ips.empty() && cluster_ips[0] == "None"; }
  bool operator==(const Service&) const = default;
};

struct EndpointPort {
  std::string name;  // "" = unnamed
  std::optional<int> port;
  std::string protocol = "TCP";
  bool operator==(const EndpointPort&) const = default;
};

struct EndpointEntry {
  std::vector<std::string> addresses;
  bool ready = true;        // null means ready
  std::string node_name;    // "" = not said
  std::string target_kind;  // Pod when a controller put it there
  std::string target_name;
  bool operator==(const EndpointEntry&) const = default;
};

// Also made of one subset of an Endpoints object.
struct EndpointSlice {
  ObjectName name;
  std::string service;       // name of its Service, same namespace
  std::string address_type;  // IPv4, IPv6, FQDN
  std::string managed_by;    // label endpointslice.kubernetes.io/managed-by
  std::vector<EndpointEntry> endpoints;
  std::vector<EndpointPort> ports;
  bool operator==(const EndpointSlice&) const = default;
};

struct IngressBackend {
  std::string service;
  std::string port_name;  // either a name
  int port_number = 0;    // or a number
  bool operator==(const IngressBackend&) const = default;
};

struct IngressPath {
  std::string path;  // "" = /
  std::string path_type;
  std::optional<IngressBackend> backend;
  bool operator==(const IngressPath&) const = default;
};

struct IngressRule {
  std::string host;  // "" = every host; may start with `*.`
  std::vector<IngressPath> paths;
  bool operator==(const IngressRule&) const = default;
};

struct Ingress {
  ObjectName name;
  std::optional<Time> created;
  std::optional<std::string> class_name;        // spec.ingressClassName
  std::optional<std::string> class_annotation;  // kubernetes.io/ingress.class
  std::vector<IngressRule> rules;
  std::optional<IngressBackend> default_backend;
  std::vector<std::string> tls_hosts;  // may start with `*.`
  bool tls_for_every_host = false;     // an entry of spec.tls without hosts
  Labels traefik_annotations;          // only traefik.ingress.kubernetes.io/*
  std::vector<std::string> load_balancer_addresses;
  bool operator==(const Ingress&) const = default;
};

struct IngressClass {
  std::string name;
  std::string controller;
  bool is_default = false;
  bool operator==(const IngressClass&) const = default;
};

struct MiddlewareReference {
  std::string name;            // may carry a provider: `auth@file`
  std::string namespace_name;  // "" = the object's own
  bool operator==(const MiddlewareReference&) const = default;
};

struct ServiceReference {
  std::string name;              // may carry a provider: `api@internal`
  std::string namespace_name;    // "" = the object's own
  std::string kind = "Service";  // Service or TraefikService
  std::string port;              // number or name as text; "" = none written
  bool port_is_text = false;     // written as text: a name to Traefik, even `"8080"`
  // Nobody waits for its answer while its siblings work: a mirror, a fallback, or of weight 0.
  bool idle = false;
  bool operator==(const ServiceReference&) const = default;
};

// `old_group`: of the API group traefik.containo.us, which Traefik reads up to version 2.11 only.
struct Middleware {
  ObjectName name;
  bool old_group = false;
  std::vector<MiddlewareReference> chain;       // of a Chain middleware
  std::string forward_address;                  // forwardAuth.address: scheme, host and port only
  std::optional<ServiceReference> error_pages;  // errors.service
  bool operator==(const Middleware&) const = default;
};

struct IngressRouteRule {
  std::string match;
  std::vector<MiddlewareReference> middlewares;
  std::vector<ServiceReference> services;
  bool operator==(const IngressRouteRule&) const = default;
};

// IngressRoute, IngressRouteTCP and IngressRouteUDP.
struct IngressRoute {
  ObjectName name;
  bool old_group = false;
  std::optional<Time> created;
  std::optional<std::string> class_annotation;
  std::vector<std::string> entry_points;
  std::vector<IngressRouteRule> rules;
  bool tls = false;
  bool operator==(const IngressRoute&) const = default;
};

struct TraefikService {
  ObjectName name;
  bool old_group = false;
  std::vector<ServiceReference>
      services;  // legs of weighted, highestRandomWeight, mirroring, failover
  bool operator==(const TraefikService&) const = default;
};

struct CaBundle {
  enum class Status { missing, not_pem, present } status = Status::missing;
  std::optional<Time> expires;  // the latest expiry of its certificates
  bool operator==(const CaBundle&) const = default;
};

struct Webhook {
  std::string name;
  std::string failure_policy;  // Fail (default) or Ignore
  std::optional<ObjectName> service;
  int service_port = 443;
  std::string url;  // without user information
  CaBundle ca;
  bool operator==(const Webhook&) const = default;
};

struct WebhookConfiguration {
  std::string kind;  // ValidatingWebhookConfiguration or MutatingWebhookConfiguration
  std::string name;
  std::vector<Webhook> webhooks;
  bool ca_injected = false;  // cert-manager.io/inject-ca-from*: another controller fills caBundle
  bool operator==(const WebhookConfiguration&) const = default;
};

// A literal proxy URL (http, https, socks*) found in a workload or ConfigMap.
struct ProxySetting {
  std::string where;  // `container scraper, env HTTPS_PROXY` or `key CALTRANS_PROXY`
  std::string url;    // scheme, host and port only: no user information, no path
  bool operator==(const ProxySetting&) const = default;
};

// Deployment, StatefulSet, DaemonSet, CronJob.
struct Workload {
  std::string kind;
  ObjectName name;
  Labels labels;
  std::vector<ProxySetting> proxies;
  std::vector<Toleration> tolerations;  // of the pod template
  Labels node_selector;
  Labels template_labels;
  int desired = 0;
  int ready = 0;
  bool operator==(const Workload&) const = default;
};

// Only ConfigMaps that hold a proxy setting are kept.
struct ConfigMap {
  ObjectName name;
  std::vector<ProxySetting> proxies;
  bool operator==(const ConfigMap&) const = default;
};

struct Pod {
  ObjectName name;
  Labels labels;
  std::string node_name;
  std::string phase;
  bool ready = false;
  std::string waiting_reason;  // of the worst container: CrashLoopBackOff, ImagePullBackOff …
  // When a container began that is not ready and whose run before ended by a crash soon after its
  // start: the moment between two back-offs of a crash loop. The latest one.
  std::optional<Time> restarted_after_crash;
  std::int64_t restarts = 0;
  std::string owner_kind;
  std::string owner_name;
  std::vector<std::string> claims;  // PersistentVolumeClaims it mounts
  std::vector<int> host_ports;
  std::optional<Time> created;
  bool operator==(const Pod&) const = default;
};

struct PersistentVolumeClaim {
  ObjectName name;
  std::optional<Time> created;
  std::string storage_class;
  std::string phase;  // Pending, Bound, Lost
  // The scheduler chose a node for its first pod (annotation), so the provisioner was asked. Taken
  // back when the volume cannot be made there.
  bool node_selected = false;
  bool operator==(const PersistentVolumeClaim&) const = default;
};

struct StorageClass {
  std::string name;
  std::string provisioner;
  bool wait_for_first_consumer = false;
  bool is_default = false;
  bool operator==(const StorageClass&) const = default;
};

struct State {
  static constexpr Duration history{10min};  // Observed::earlier
  std::string version;                       // gitVersion
  Listed<Node> nodes;
  Listed<Service> services;
  Listed<EndpointSlice> endpoint_slices;
  Listed<EndpointSlice> endpoints;  // core/v1 Endpoints, subset by subset
  Listed<Ingress> ingresses;
  Listed<IngressClass> ingress_classes;
  Listed<Middleware> middlewares;
  Listed<Middleware> middleware_tcps;
  Listed<IngressRoute> ingress_routes;
  Listed<IngressRoute> ingress_route_tcps;
  Listed<IngressRoute> ingress_route_udps;
  Listed<TraefikService> traefik_services;
  Listed<WebhookConfiguration> validating_webhooks;
  Listed<WebhookConfiguration> mutating_webhooks;
  Listed<Workload> daemon_sets;
  Listed<Workload> deployments;
  Listed<Workload> stateful_sets;
  Listed<Workload> cron_jobs;
  Listed<Pod> pods;
  Listed<PersistentVolumeClaim> claims;
  Listed<StorageClass> storage_classes;
  Listed<ConfigMap> config_maps;
  // The kinds that could not be read, by plural name, with the reason (metric and status page).
  std::map<std::string, Error> blind;
  bool operator==(const State&) const = default;
};

}  // namespace shortcircuit::kubernetes
