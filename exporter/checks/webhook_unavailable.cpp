#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "checks/address.h"
#include "checks/check.h"
#include "checks/unknown.h"

namespace shortcircuit {
namespace {

using kubernetes::CaBundle;
using kubernetes::Webhook;
using kubernetes::WebhookConfiguration;

// A configuration holds several webhooks; each reason is said once for it.
class WebhookJudge {
 public:
  WebhookJudge(const Fleet& fleet, Verdict& verdict, bool services_known, bool endpoints_known)
      : fleet_(fleet),
        verdict_(verdict),
        addresses_(fleet),
        services_known_(services_known),
        endpoints_known_(endpoints_known) {}

  void judge(const WebhookConfiguration& configuration) {
    for (const Webhook& webhook : configuration.webhooks) {
      if (webhook.service) backend(configuration, webhook);
      else url(configuration, webhook);
      certificate(configuration, webhook);
    }
  }

  // An address may be a peer's, and the peers cannot be read.
  [[nodiscard]] bool needs_mesh() const { return needs_mesh_; }
  void finish() {
    for (auto& [key, finding] : found_) verdict_.findings.push_back(std::move(finding));
  }

 private:
  void add(const WebhookConfiguration& configuration, const Webhook& webhook,
           const std::string& reason, const std::string& what, std::string cure) {
    const bool ignored = webhook.failure_policy == "Ignore";
    const auto severity = ignored ? Severity::info : Severity::critical;
    // Both kinds of configurations may have one name; what is said of them is said once.
    const auto key = std::pair(configuration.name, reason);
    const auto known = found_.find(key);
    if (known != found_.end() && known->second.severity <= severity) return;
    found_[key] = {
        .severity = severity,
        .reason = reason,
        .kind = "WebhookConfiguration",
        .object = configuration.name,
        .message = fmt::format(
            "Webhook {} of {} cannot be called: {}; {}.", webhook.name, configuration.name, what,
            ignored ? "its failure policy is Ignore, so writes pass unchecked"
                    : "its failure policy is Fail, so every write it matches is refused"),
        .cure = std::move(cure)};
  }

  // A name may lead anywhere.
  void url(const WebhookConfiguration& configuration, const Webhook& webhook) {
    const auto url = parse_url(webhook.url);
    const auto address = url ? url->address() : std::nullopt;
    if (!address) return;
    const AddressJudgement judgement = addresses_.judge(*address);
    needs_mesh_ = needs_mesh_ || judgement.needs_mesh;
    if (judgement.state != AddressState::stale) return;
    add(configuration, webhook, "no_endpoints",
        fmt::format("its URL leads to {}, which {}", address->text(), judgement.because),
        fmt::format("kubectl edit {} {}   # webhooks[].clientConfig.url: {}", configuration.kind,
                    configuration.name, advice_for(fleet_, judgement.reason)));
  }

  void backend(const WebhookConfiguration& configuration, const Webhook& webhook) {
    if (!services_known_) return;
    const auto& name = *webhook.service;
    const auto* service = fleet_.endpoints.find(name);
    if (service == nullptr) {
      add(configuration, webhook, "service_absent",
          fmt::format("its Service {} does not exist", name.text()),
          fmt::format(
              "kubectl get {0} {1}   # install its operator again, or remove what is left of it: "
              "kubectl delete {0} {1}",
              configuration.kind, configuration.name));
      return;
    }
    if (service->service->type == "ExternalName") return;  // resolved by the API server's own DNS
    if (service->service->headless()) {
      add(configuration, webhook, "headless_service",
          fmt::format("its Service {} is headless and the API server has no cluster IP to call",
                      name.text()),
          fmt::format(
              "kubectl -n {} get service {} -o yaml   # delete it and create it again without "
              "clusterIP: None",
              name.namespace_name, name.name));
    }
    const auto& ports = service->service->ports;
    const auto port = std::find_if(ports.begin(), ports.end(), [&](const auto& candidate) {
      return candidate.port == webhook.service_port;
    });
    if (port == ports.end() && !service->service->headless()) {
      add(configuration, webhook, "no_endpoints",
          fmt::format("its Service {} has no port {}, so nothing stands behind it", name.text(),
                      webhook.service_port),
          fmt::format("kubectl -n {} edit service {}   # spec.ports[].port: {}",
                      name.namespace_name, name.name, webhook.service_port));
    } else if (!endpoints_known_ || !service->certain) {
      return;
    } else if (service->ready_addresses() == 0) {
      add(configuration, webhook, "no_endpoints",
          fmt::format("its Service {} has no ready endpoint", name.text()),
          fmt::format("kubectl -n {} get pods,endpoints   # mend the pods behind Service {}",
                      name.namespace_name, name.name));
    } else if (port != ports.end() && !service->service->headless() && !service->carries(*port)) {
      no_such_target(configuration, webhook, *service, *port);
    }
  }

  // Ready endpoints, and none of them has the Service's port: kube-proxy refuses the call.
  void no_such_target(const WebhookConfiguration& configuration, const Webhook& webhook,
                      const ServiceEndpoints& service, const kubernetes::ServicePort& port) {
    const auto& name = service.service->name;
    add(configuration, webhook, "no_endpoints",
        fmt::format(
            "none of the ready endpoints of its Service {} has its port {}{}", name.text(),
            port.port,
            port.target_port.empty() ? "" : fmt::format(" (targetPort {})", port.target_port)),
        service.hand_kept()
            ? fmt::format("{}   # ports[].name: as in the Service", service.edit_command())
            : fmt::format("kubectl -n {} edit service {}   # spec.ports[].targetPort: a port that "
                          "the pods' containers have",
                          name.namespace_name, name.name));
  }

  void certificate(const WebhookConfiguration& configuration, const Webhook& webhook) {
    const std::string edit =
        configuration.ca_injected
            ? fmt::format(
                  "kubectl -n cert-manager logs deployment/cert-manager-cainjector   # it should "
                  "write webhooks[].clientConfig.caBundle of {} {}",
                  configuration.kind, configuration.name)
            : fmt::format(
                  "kubectl get {} {} -o yaml   # let the operator's certificate job, or "
                  "cert-manager's "
                  "inject-ca-from annotation, write webhooks[].clientConfig.caBundle again",
                  configuration.kind, configuration.name);
    switch (webhook.ca.status) {
      case CaBundle::Status::missing:
        // A URL may carry a certificate of a public authority; a Service in the cluster never does.
        if (webhook.service) add(configuration, webhook, "ca_missing", "it has no caBundle", edit);
        break;
      case CaBundle::Status::not_pem:
        add(configuration, webhook, "ca_not_pem", "its caBundle is no PEM certificate", edit);
        break;
      case CaBundle::Status::present:
        if (webhook.ca.expires && *webhook.ca.expires <= fleet_.snapshot.time) {
          add(configuration, webhook, "ca_expired",
              fmt::format("its caBundle expired at {}", format_rfc3339(*webhook.ca.expires)), edit);
        }
        break;
    }
  }

  const Fleet& fleet_;
  Verdict& verdict_;
  AddressJudge addresses_;
  bool needs_mesh_ = false;
  bool services_known_;
  bool endpoints_known_;
  std::map<std::pair<std::string, std::string>, Finding> found_;  // by name and reason
};

Verdict judge_webhook_unavailable(const Fleet& fleet) {
  if (fleet.config.kubernetes.empty()) return not_applicable();
  Verdict verdict;
  if (!need(fleet.snapshot.kubernetes, "Kubernetes", verdict)) return verdict;
  const auto& cluster = *fleet.cluster();
  need(cluster.validating_webhooks, "validatingwebhookconfigurations", verdict);
  need(cluster.mutating_webhooks, "mutatingwebhookconfigurations", verdict);
  const bool services_known = need(cluster.services, "services", verdict);
  if (services_known && (!fleet.endpoints.known() || !cluster.endpoint_slices.known())) {
    verdict.unknown.push_back("Kubernetes endpointslices: " +
                              cluster.endpoint_slices.error.message);
  }
  WebhookJudge judge(fleet, verdict, services_known, fleet.endpoints.known());
  for (const auto* list : {&cluster.validating_webhooks, &cluster.mutating_webhooks}) {
    for (const auto& configuration : list->items) judge.judge(configuration);
  }
  if (judge.needs_mesh()) {
    if (fleet.config.headscale.empty()) {
      verdict.unknown.push_back("tailscale: no tailscaled could be read");
    } else {
      need(fleet.snapshot.headscale, "Headscale", verdict);
    }
  }
  judge.finish();
  return verdict;
}

}  // namespace

const CheckDefinition webhook_unavailable_check{
    .name = "webhook_unavailable",
    .layer = Layer::webhook,
    .question = "Can the API server call every webhook that is configured?",
    .reasons = {{"service_absent", "The Service it names does not exist."},
                {"no_endpoints",
                 "Its Service has no ready endpoint, or none on that port, or its URL leads to an "
                 "address that nobody has."},
                {"headless_service",
                 "Its Service has no cluster IP, so the API server cannot route to it."},
                {"ca_missing", "It has no caBundle to check the Service's certificate with."},
                {"ca_expired", "Every certificate of its caBundle is expired."},
                {"ca_not_pem", "Its caBundle is no PEM certificate."}},
    .judge = judge_webhook_unavailable};

}  // namespace shortcircuit
