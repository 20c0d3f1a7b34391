// What a recording keeps of the API server's answers: the fields that the parsers read, and of
// annotations, environments and ConfigMaps only the entries that they keep. Everything else may be
// a secret: last-applied-configuration, tokens in environments, headers in middlewares.
#include <algorithm>
#include <array>

#include "base/json.h"
#include "base/matched_values.h"
#include "base/text.h"
#include "sources/kubernetes/ca_bundle.h"
#include "sources/kubernetes/parse_routes.h"
#include "sources/kubernetes/parse_workloads.h"
#include "sources/kubernetes/proxy_setting.h"
#include "sources/kubernetes/source.h"

namespace shortcircuit::kubernetes {
namespace {

using Fields = std::vector<std::string>;

// Whole names, or prefixes when they end in `/`.
constexpr std::array<std::string_view, 17> kept_annotations{
    "flannel.alpha.coreos.com/public-ip",
    "flannel.alpha.coreos.com/public-ip-overwrite",
    "flannel.alpha.coreos.com/node-public-ip",
    "flannel.alpha.coreos.com/public-ipv6",
    "flannel.alpha.coreos.com/public-ipv6-overwrite",
    "flannel.alpha.coreos.com/node-public-ipv6",
    "svccontroller.k3s.cattle.io/",
    "traefik.ingress.kubernetes.io/",
    "kubernetes.io/ingress.class",
    "ingressclass.kubernetes.io/is-default-class",
    "storageclass.kubernetes.io/is-default-class",
    "storageclass.beta.kubernetes.io/is-default-class",
    "volume.beta.kubernetes.io/storage-class",
    "volume.kubernetes.io/selected-node",
    "cert-manager.io/inject-ca-from",
    "cert-manager.io/inject-ca-from-secret",
    "cert-manager.io/inject-apiserver-ca"};

bool keeps_annotation(std::string_view name) {
  return std::ranges::any_of(kept_annotations, [&](std::string_view kept) {
    return kept.ends_with('/') ? name.starts_with(kept) : name == kept;
  });
}

Fields below(std::string_view place, std::initializer_list<std::string_view> names) {
  Fields fields;
  for (const std::string_view name : names) {
    fields.push_back(std::string(place) + "/" + std::string(name));
  }
  return fields;
}

Fields backend(std::string_view place) {
  return below(place, {"service/name", "service/port/name", "service/port/number"});
}

Fields pod_template(std::string_view place) {
  return below(place, {"metadata/labels", "spec/tolerations/key", "spec/tolerations/operator",
                       "spec/tolerations/value", "spec/tolerations/effect", "spec/nodeSelector",
                       "spec/containers/name", "spec/containers/env/name",
                       "spec/containers/env/value", "spec/initContainers/name",
                       "spec/initContainers/env/name", "spec/initContainers/env/value"});
}

Fields joined(std::initializer_list<Fields> lists) {
  Fields all;
  for (const Fields& list : lists) all.insert(all.end(), list.begin(), list.end());
  return all;
}

// Of an item of the kind; nothing when the kind is unknown.
std::optional<Fields> fields_of(std::string_view kind) {
  if (kind == "nodes") {
    return joined(
        {below("spec", {"podCIDR", "podCIDRs", "taints/key", "taints/value", "taints/effect"}),
         below("status",
               {"addresses/type", "addresses/address", "conditions/type", "conditions/status"})});
  }
  if (kind == "services") {
    return joined(
        {below("spec", {"type", "clusterIP", "clusterIPs", "externalName", "selector", "ports/name",
                        "ports/port", "ports/protocol", "ports/targetPort", "loadBalancerClass",
                        "externalIPs", "externalTrafficPolicy", "ipFamilies"}),
         below("status/loadBalancer/ingress", {"ip", "hostname"})});
  }
  if (kind == "endpointslices") {
    return joined({{"addressType"},
                   below("endpoints", {"addresses", "conditions/ready", "nodeName", "topology",
                                       "targetRef/kind", "targetRef/name"}),
                   below("ports", {"name", "port", "protocol"})});
  }
  if (kind == "endpoints") {
    return joined(
        {below("subsets/addresses", {"ip", "nodeName", "targetRef/kind", "targetRef/name"}),
         below("subsets/notReadyAddresses", {"ip", "nodeName", "targetRef/kind", "targetRef/name"}),
         below("subsets/ports", {"name", "port", "protocol"})});
  }
  if (kind == "ingresses") {
    return joined({{"spec/ingressClassName", "spec/tls/hosts", "spec/rules/host"},
                   below("spec/rules/http/paths", {"path", "pathType"}),
                   backend("spec/rules/http/paths/backend"),
                   backend("spec/defaultBackend"),
                   {"status/loadBalancer/ingress/ip"}});
  }
  if (kind == "ingressclasses") return Fields{"spec/controller"};
  if (kind == "middlewares" || kind == "middlewaretcps") {
    return joined({below("spec/chain/middlewares", {"name", "namespace"}),
                   {"spec/forwardAuth/address"},
                   below("spec/errors/service", {"name", "namespace", "kind", "port"})});
  }
  if (kind.starts_with("ingressroute")) {
    return joined({{"spec/entryPoints", "spec/tls/secretName", "spec/routes/match"},
                   below("spec/routes/middlewares", {"name", "namespace"}),
                   below("spec/routes/services", {"name", "namespace", "kind", "port", "weight"})});
  }
  if (kind == "traefikservices") {
    Fields fields;
    for (const std::string_view leg :
         {"spec/weighted/services", "spec/highestRandomWeight/services", "spec/mirroring",
          "spec/mirroring/mirrors", "spec/failover/service", "spec/failover/fallback"}) {
      fields = joined({fields, below(leg, {"name", "namespace", "kind", "port", "weight"})});
    }
    return fields;
  }
  if (kind.ends_with("webhookconfigurations")) {
    return joined({{"webhooks/name", "webhooks/failurePolicy"},
                   below("webhooks/clientConfig", {"url", "caBundle", "service/namespace",
                                                   "service/name", "service/port"})});
  }
  if (kind == "daemonsets" || kind == "deployments" || kind == "statefulsets") {
    return joined({{"spec/replicas"},
                   pod_template("spec/template"),
                   below("status", {"readyReplicas", "desiredNumberScheduled", "numberReady"})});
  }
  if (kind == "cronjobs") return pod_template("spec/jobTemplate/spec/template");
  if (kind == "pods") {
    Fields fields =
        joined({below("metadata", {"deletionTimestamp", "ownerReferences/kind",
                                   "ownerReferences/name", "ownerReferences/controller"}),
                below("spec", {"nodeName", "volumes/persistentVolumeClaim/claimName",
                               "containers/ports/hostPort", "initContainers/ports/hostPort"}),
                below("status", {"phase", "conditions/type", "conditions/status"})});
    for (const std::string_view list :
         {"status/initContainerStatuses", "status/containerStatuses"}) {
      fields =
          joined({fields, below(list, {"restartCount", "ready", "state/waiting/reason",
                                       "state/terminated/reason", "state/terminated/exitCode",
                                       "state/running/startedAt", "lastState/terminated/exitCode",
                                       "lastState/terminated/startedAt",
                                       "lastState/terminated/finishedAt"})});
    }
    return fields;
  }
  if (kind == "persistentvolumeclaims") return Fields{"spec/storageClassName", "status/phase"};
  if (kind == "storageclasses") return Fields{"provisioner", "volumeBindingMode"};
  if (kind == "configmaps") return Fields{"data"};
  return std::nullopt;
}

// `pods-operator-page-2` → `pods`; no plural name has a `-`.
std::string_view kind_of(std::string_view answer) { return answer.substr(0, answer.find('-')); }

JsonEdit replaced_or_dropped(std::optional<std::string> text) {
  const bool keep = text.has_value();
  return {.keep = keep, .text = std::move(text)};
}

JsonEdit edited(std::string_view kind, std::string_view path, JsonView value) {
  constexpr std::string_view annotations = "items/metadata/annotations/";
  constexpr std::string_view data = "items/data/";
  if (path.starts_with(annotations)) {
    return {.keep = keeps_annotation(path.substr(annotations.size())), .text = std::nullopt};
  }
  if (kind == "configmaps" && path == "items" && value.is_object()) {
    return {.keep = !parse_config_map(value).proxies.empty(), .text = std::nullopt};
  }
  if (kind == "configmaps" && path.starts_with(data)) {
    return replaced_or_dropped(proxy_in_config_map(path.substr(data.size()), value.string_or("")));
  }
  if (path.ends_with("/env") && value.is_object()) {
    const bool proxy =
        proxy_in_environment(value["name"].string(), value["value"].string_or("")).has_value();
    return {.keep = proxy, .text = std::nullopt};
  }
  if (path.ends_with("/env/value")) {  // of a proxy: a name that allows every form of value
    return replaced_or_dropped(proxy_in_environment("HTTP_PROXY", value.string_or("")));
  }
  if (path == "items/spec/routes/match") {
    return {.keep = true, .text = without_matched_values(value.string_or(""))};
  }
  if (path == "items/spec/forwardAuth/address") {
    return {.keep = true, .text = forward_endpoint(value.string_or(""))};
  }
  if (path.ends_with("/clientConfig/caBundle")) {
    return {.keep = true, .text = certificates_only(value.string_or(""))};
  }
  if (path.ends_with("/clientConfig/url")) {
    const std::string url = value.string_or("");
    return {.keep = true, .text = url.substr(0, url.find_first_of("?#"))};
  }
  return {};
}

}  // namespace

Result<std::string> reduce_for_recording(std::string_view answer, std::string_view body) {
  if (answer == "version") return keep_fields(body, {"gitVersion"});
  const std::string_view kind = kind_of(answer);
  const auto fields = fields_of(kind);
  if (!fields) return fail(Failure::internal, "no rule for recording this answer of Kubernetes");
  Fields all = joined({{"kind", "metadata/continue"},
                       below("items/metadata",
                             {"name", "namespace", "creationTimestamp", "labels", "annotations"})});
  for (const std::string& field : *fields) all.push_back("items/" + field);
  return keep_fields(
      body, std::vector<std::string_view>(all.begin(), all.end()),
      [&](std::string_view path, JsonView value) { return edited(kind, path, value); });
}

}  // namespace shortcircuit::kubernetes
