#include "sources/kubernetes/source.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <set>

#include "sources/kubernetes/lists.h"
#include "sources/kubernetes/parse_cluster.h"
#include "sources/kubernetes/parse_routes.h"
#include "sources/kubernetes/parse_services.h"
#include "sources/kubernetes/parse_workloads.h"

namespace shortcircuit::kubernetes {
namespace {

// One object gives several slices.
class EndpointsList : public List {
 public:
  EndpointsList() : List("endpoints", "/api/v1/endpoints") {}
  void add(JsonView object) override {
    for (EndpointSlice& slice : parse_endpoints(object)) items.push_back(std::move(slice));
  }
  void clear() override { items.clear(); }
  std::vector<EndpointSlice> items;
};

// Most ConfigMaps hold no proxy: those are not kept.
class ConfigMapList : public List {
 public:
  ConfigMapList() : List("configmaps", "/api/v1/configmaps") { limit = 100; }  // up to 1 MiB each
  void add(JsonView object) override {
    ConfigMap map = parse_config_map(object);
    if (!map.proxies.empty()) items.push_back(std::move(map));
  }
  void clear() override { items.clear(); }
  std::vector<ConfigMap> items;
};

// A kind of Traefik: in its own API group since 2.10, in the old one until 2.11; both may be there.
template <class T>
struct TraefikKind {
  TraefikKind(const std::string& plural, T (*parse)(JsonView))
      : now(plural, "/apis/traefik.io/v1alpha1/" + plural, parse),
        old(plural + "-containous", "/apis/traefik.containo.us/v1alpha1/" + plural, parse) {}
  ListOf<T> now;
  ListOf<T> old;
};

constexpr const char* load_balancer_pods = "svccontroller.k3s.cattle.io/svcname";
constexpr const char* ingress_pods = "app.kubernetes.io/name=traefik";
// Piraeus 2 names all its pods after its namespace's default; others after the operator.
constexpr const char* operator_pods =
    "app.kubernetes.io/name in (piraeus-datastore,piraeus-operator,piraeus,linstor-operator)";

struct Lists {
  VersionAnswer version;
  ListOf<Node> nodes{"nodes", "/api/v1/nodes", parse_node};
  ListOf<Service> services{"services", "/api/v1/services", parse_service};
  ListOf<EndpointSlice> endpoint_slices{
      "endpointslices", "/apis/discovery.k8s.io/v1/endpointslices", parse_endpoint_slice};
  EndpointsList endpoints;
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
  ListOf<Pod> pods{"pods", "/api/v1/pods", parse_pod, load_balancer_pods};
  ListOf<Pod> pods_operator{"pods-operator", "/api/v1/pods", parse_pod, operator_pods};
  ListOf<Pod> pods_ingress{"pods-ingress", "/api/v1/pods", parse_pod, ingress_pods};
  ListOf<PersistentVolumeClaim> claims{"persistentvolumeclaims", "/api/v1/persistentvolumeclaims",
                                       parse_claim};
  ListOf<StorageClass> storage_classes{"storageclasses", "/apis/storage.k8s.io/v1/storageclasses",
                                       parse_storage_class};
  ConfigMapList config_maps;

  Lists() {
    endpoint_slices.fall_back_to("/apis/discovery.k8s.io/v1beta1/endpointslices", "v1beta1");
    cron_jobs.fall_back_to("/apis/batch/v1beta1/cronjobs", "v1beta1");
  }

  std::vector<List*> all() {
    return {&version,
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
            &pods,
            &pods_operator,
            &pods_ingress,
            &claims,
            &storage_classes,
            &config_maps};
  }
};

// The pods of namespaces in which a claim waits: whether one of them uses it decides if that is a
// fault. Beyond a few namespaces one list of all pods costs less.
std::vector<std::unique_ptr<ListOf<Pod>>> claim_pods(
    const std::vector<PersistentVolumeClaim>& claims) {
  constexpr std::size_t most_namespaces = 10;
  std::set<std::string> namespaces;
  for (const auto& claim : claims) {
    if (claim.phase == "Pending") namespaces.insert(claim.name.namespace_name);
  }
  std::vector<std::unique_ptr<ListOf<Pod>>> lists;
  if (namespaces.size() > most_namespaces) {
    lists.push_back(std::make_unique<ListOf<Pod>>("pods-claims", "/api/v1/pods", parse_pod));
    return lists;
  }
  for (const std::string& name : namespaces) {
    lists.push_back(std::make_unique<ListOf<Pod>>(
        "pods-claims-" + name, fmt::format("/api/v1/namespaces/{}/pods", name), parse_pod));
  }
  return lists;
}

// Turns lists into what the State says of their kinds, and keeps what could not be read.
class Settling {
  template <class L>
  static auto as_listed(L& list) {
    using T = typename decltype(list.items)::value_type;
    Listed<T> listed;
    listed.items = std::move(list.items);
    listed.error = list.error;
    if (list.outcome == List::Outcome::listed) listed.status = Listed<T>::Status::listed;
    if (list.outcome == List::Outcome::not_found) listed.status = Listed<T>::Status::absent;
    return listed;
  }

  template <class T>
  static void fail_kind(Listed<T>& listed, Error error) {
    listed.status = Listed<T>::Status::failed;
    listed.items.clear();
    listed.error = std::move(error);
  }

  template <class T>
  Listed<T> noted(const std::string& plural, Listed<T> listed) {
    if (!listed.known()) {
      // What a recording lacks is unknown, but nothing failed.
      if (!(context_.replay && listed.error.http_status == 404)) context_.note(listed.error);
      state_.blind.emplace(plural, listed.error);
    }
    return listed;
  }

 public:
  Settling(PollContext& context, State& state) : context_(context), state_(state) {}

  // A kind of every cluster: 404 is a failure.
  template <class L>
  auto core(const std::string& plural, L& list) {
    auto listed = as_listed(list);
    if (list.outcome == List::Outcome::not_found) {
      fail_kind(listed, {Failure::status,
                         context_.replay
                             ? plural + ": this recording does not hold it"
                             : plural + ": HTTP 404: every cluster has this kind: check that the "
                                        "URL is that of a Kubernetes API server",
                         404});
    }
    return noted(plural, std::move(listed));
  }

  // A kind that a server may lack.
  template <class L>
  auto optional(const std::string& plural, L& list) {
    return noted(plural, as_listed(list));
  }

  // Objects of the new group win over those of the same name in the old one. A role that knows the
  // new group only is answered 403 for the old one, installed or not: that does not blind.
  template <class T>
  Listed<T> traefik(const std::string& plural, TraefikKind<T>& kind) {
    using Status = Listed<T>::Status;
    Listed<T> now = as_listed(kind.now);
    Listed<T> old = as_listed(kind.old);
    if (now.status == Status::listed && old.status == Status::failed &&
        old.error.failure == Failure::auth) {
      old.status = Status::absent;
    }
    if (now.status != Status::failed && old.status == Status::failed) fail_kind(now, old.error);
    if (now.status == Status::failed) return noted(plural, std::move(now));
    if (old.status != Status::listed) return now;
    std::set<ObjectName> present;
    for (const T& object : now.items) present.insert(object.name);
    now.status = Status::listed;
    for (T& object : old.items) {
      object.old_group = true;
      if (!present.contains(object.name)) now.items.push_back(std::move(object));
    }
    return now;
  }

  // One kind from several lists that overlap. Only the first must be there (in a recording it
  // holds everything); if any other fails, what it would have held is unknown.
  Listed<Pod> pods(Lists& lists, const std::vector<std::unique_ptr<ListOf<Pod>>>& of_claims) {
    Listed<Pod> pods = core("pods", lists.pods);
    std::vector<ListOf<Pod>*> others{&lists.pods_operator, &lists.pods_ingress};
    for (const auto& list : of_claims) others.push_back(list.get());
    std::set<ObjectName> present;
    for (const Pod& pod : pods.items) present.insert(pod.name);
    for (ListOf<Pod>* other : others) {
      if (!pods.known()) return pods;
      if (other->outcome == List::Outcome::failed) {
        fail_kind(pods, other->error);
        return noted("pods", std::move(pods));
      }
      for (Pod& pod : other->items) {
        if (present.insert(pod.name).second) pods.items.push_back(std::move(pod));
      }
    }
    return pods;
  }

 private:
  PollContext& context_;
  State& state_;
};

Error first_error(const std::vector<List*>& lists) {
  for (const List* list : lists) {
    if (list->outcome == List::Outcome::failed) return list->error;
  }
  return {Failure::status,
          "HTTP 404 for every kind: check that the URL is that of a Kubernetes API server", 404};
}

}  // namespace

Result<State> Source::poll(PollContext& context) {
  std::string base = config_.endpoint.url;
  while (base.ends_with('/')) base.pop_back();
  Lists lists;
  const std::vector<List*> all = lists.all();
  read_lists(all, context, base);
  const bool any = std::any_of(all.begin() + 1, all.end(), [](const List* list) {
    return list->outcome == List::Outcome::listed;
  });
  if (!any) return std::unexpected(first_error(all));
  const auto of_claims = claim_pods(lists.claims.items);
  std::vector<List*> further;
  for (const auto& list : of_claims) further.push_back(list.get());
  read_lists(further, context, base);
  if (context.stop.stop_requested()) return fail(Failure::cancelled, "stopped");

  State state;
  Settling settle(context, state);
  state.version = lists.version.version;
  if (lists.version.outcome == List::Outcome::failed) context.note(lists.version.error);
  state.nodes = settle.core("nodes", lists.nodes);
  state.services = settle.core("services", lists.services);
  state.endpoint_slices = settle.optional("endpointslices", lists.endpoint_slices);
  state.endpoints = settle.core("endpoints", lists.endpoints);
  state.ingresses = settle.core("ingresses", lists.ingresses);
  state.ingress_classes = settle.core("ingressclasses", lists.ingress_classes);
  state.middlewares = settle.traefik("middlewares", lists.middlewares);
  state.middleware_tcps = settle.traefik("middlewaretcps", lists.middleware_tcps);
  state.ingress_routes = settle.traefik("ingressroutes", lists.ingress_routes);
  state.ingress_route_tcps = settle.traefik("ingressroutetcps", lists.ingress_route_tcps);
  state.ingress_route_udps = settle.traefik("ingressrouteudps", lists.ingress_route_udps);
  state.traefik_services = settle.traefik("traefikservices", lists.traefik_services);
  state.validating_webhooks =
      settle.core("validatingwebhookconfigurations", lists.validating_webhooks);
  state.mutating_webhooks = settle.core("mutatingwebhookconfigurations", lists.mutating_webhooks);
  state.daemon_sets = settle.core("daemonsets", lists.daemon_sets);
  state.deployments = settle.core("deployments", lists.deployments);
  state.stateful_sets = settle.core("statefulsets", lists.stateful_sets);
  state.cron_jobs = settle.core("cronjobs", lists.cron_jobs);
  state.pods = settle.pods(lists, of_claims);
  state.claims = settle.core("persistentvolumeclaims", lists.claims);
  state.storage_classes = settle.core("storageclasses", lists.storage_classes);
  state.config_maps = settle.core("configmaps", lists.config_maps);
  return state;
}

}  // namespace shortcircuit::kubernetes
