#include "sources/kubernetes/parse_cluster.h"

#include <array>

#include "base/text.h"
#include "sources/kubernetes/ca_bundle.h"
#include "sources/kubernetes/parse_common.h"

namespace shortcircuit::kubernetes {
namespace {

constexpr std::array<std::string_view, 6> flannel_annotations{
    "flannel.alpha.coreos.com/public-ip",
    "flannel.alpha.coreos.com/public-ipv6",
    "flannel.alpha.coreos.com/public-ip-overwrite",
    "flannel.alpha.coreos.com/public-ipv6-overwrite",
    "flannel.alpha.coreos.com/node-public-ip",
    "flannel.alpha.coreos.com/node-public-ipv6"};

std::optional<bool> ready_condition(JsonView conditions) {
  for (const JsonView& condition : conditions.items()) {
    if (condition["type"].string_or("") != "Ready") continue;
    const std::string status = condition["status"].string_or("Unknown");
    if (status == "True") return true;
    if (status == "False") return false;
  }
  return std::nullopt;
}

Webhook parse_webhook(JsonView view) {
  Webhook webhook;
  webhook.name = view["name"].string_or("");
  webhook.failure_policy = view["failurePolicy"].string_or("Fail");
  const JsonView client = view["clientConfig"];
  if (const JsonView service = client["service"]; !service.missing()) {
    webhook.service = ObjectName{.namespace_name = service["namespace"].string_or(""),
                                 .name = service["name"].string()};
    if (const int port = port_number(service["port"]); port != 0) webhook.service_port = port;
  }
  // A query may carry a token.
  const std::string url = client["url"].string_or("");
  webhook.url = without_userinfo(url.substr(0, url.find_first_of("?#")));
  webhook.ca = read_ca_bundle(client["caBundle"].string_or(""));
  return webhook;
}

WebhookConfiguration webhook_configuration(JsonView object, std::string kind) {
  WebhookConfiguration configuration;
  configuration.kind = std::move(kind);
  configuration.name = object_name(object).name;
  for (const JsonView& webhook : object["webhooks"].items()) {
    configuration.webhooks.push_back(parse_webhook(webhook));
  }
  for (const std::string_view prefix :
       {"cert-manager.io/inject-ca-from", "cert-manager.io/inject-apiserver-ca",
        "certmanager.k8s.io/inject-ca-from"}) {
    if (!annotations_with_prefix(object, prefix).empty()) configuration.ca_injected = true;
  }
  return configuration;
}

}  // namespace

Node parse_node(JsonView object) {
  Node node;
  node.name = object_name(object).name;
  node.created = creation_time(object);
  node.labels = string_map(object["metadata"]["labels"]);
  for (const std::string_view name : flannel_annotations) {
    if (auto value = annotation(object, name)) {
      node.flannel_addresses.emplace(name, std::move(*value));
    }
  }
  const JsonView spec = object["spec"];
  std::vector<std::string> pod_cidrs = spec["podCIDRs"].strings();
  if (pod_cidrs.empty()) pod_cidrs.push_back(spec["podCIDR"].string_or(""));
  for (const std::string& cidr : pod_cidrs) {
    if (const auto prefix = Prefix::parse(cidr)) node.pod_cidrs.push_back(*prefix);
  }
  for (const JsonView& taint : spec["taints"].items()) {
    node.taints.push_back({.key = taint["key"].string(),
                           .value = taint["value"].string_or(""),
                           .effect = taint["effect"].string_or("")});
  }
  const JsonView status = object["status"];
  for (const JsonView& entry : status["addresses"].items()) {
    const auto address = IpAddress::parse(entry["address"].string_or(""));
    if (!address) continue;
    const std::string type = entry["type"].string_or("");
    if (type == "InternalIP") node.internal_addresses.push_back(*address);
    if (type == "ExternalIP") node.external_addresses.push_back(*address);
  }
  node.ready = ready_condition(status["conditions"]);
  return node;
}

PersistentVolumeClaim parse_claim(JsonView object) {
  PersistentVolumeClaim claim;
  claim.name = object_name(object);
  claim.created = creation_time(object);
  claim.storage_class = object["spec"]["storageClassName"].string_or(
      annotation(object, "volume.beta.kubernetes.io/storage-class").value_or(""));
  claim.phase = object["status"]["phase"].string_or("");
  claim.node_selected = annotation(object, "volume.kubernetes.io/selected-node").has_value();
  return claim;
}

StorageClass parse_storage_class(JsonView object) {
  return {.name = object_name(object).name,
          .provisioner = object["provisioner"].string_or(""),
          .wait_for_first_consumer =
              object["volumeBindingMode"].string_or("") == "WaitForFirstConsumer",
          .is_default =
              is_true(annotation(object, "storageclass.kubernetes.io/is-default-class")) ||
              is_true(annotation(object, "storageclass.beta.kubernetes.io/is-default-class"))};
}

WebhookConfiguration parse_validating_webhook(JsonView object) {
  return webhook_configuration(object, "ValidatingWebhookConfiguration");
}

WebhookConfiguration parse_mutating_webhook(JsonView object) {
  return webhook_configuration(object, "MutatingWebhookConfiguration");
}

}  // namespace shortcircuit::kubernetes
