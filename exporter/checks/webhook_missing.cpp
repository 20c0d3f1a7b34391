#include <fmt/format.h>

#include <set>

#include "checks/check.h"
#include "checks/unknown.h"

namespace shortcircuit {
namespace {

Finding finding(std::string reason, std::string name, std::string message, std::string cure,
                Severity severity) {
  return {.severity = severity,
          .reason = std::move(reason),
          .kind = "WebhookConfiguration",
          .object = std::move(name),
          .message = std::move(message),
          .cure = std::move(cure)};
}

Verdict judge_webhook_missing(const Fleet& fleet) {
  if (fleet.config.kubernetes.empty()) return not_applicable();
  Verdict verdict;
  if (!need(fleet.snapshot.kubernetes, "Kubernetes", verdict)) return verdict;
  const auto& cluster = *fleet.cluster();
  const bool validating =
      need(cluster.validating_webhooks, "validatingwebhookconfigurations", verdict);
  const bool mutating = need(cluster.mutating_webhooks, "mutatingwebhookconfigurations", verdict);
  std::set<std::string> names;
  std::set<std::string> present;  // kind/name
  for (const auto* list : {&cluster.validating_webhooks, &cluster.mutating_webhooks}) {
    for (const auto& configuration : list->items) {
      names.insert(configuration.name);
      present.insert(configuration.kind + "/" + configuration.name);
    }
  }
  std::set<std::string> expected_absent;
  for (const std::string& name : fleet.config.expect.webhooks) {
    // The name may belong to the kind that cannot be read: then nobody knows.
    if (names.contains(name) || !validating || !mutating) continue;
    expected_absent.insert(name);
    verdict.findings.push_back(finding(
        "expected_absent", name,
        fmt::format("The webhook configuration {} is expected and does not exist: nothing it "
                    "guards is checked, and the "
                    "operator that owns it may crash until it is there.",
                    name),
        fmt::format(
            "kubectl get validatingwebhookconfigurations,mutatingwebhookconfigurations   # install "
            "{} again from the manifest or chart of its operator",
            name),
        Severity::critical));
  }
  for (const auto& [key, last_seen] : fleet.snapshot.memory.webhooks_last_seen) {
    const bool kind_known = key.starts_with("Validating") ? validating : mutating;
    const std::string name = key.substr(key.find('/') + 1);
    if (!kind_known || present.contains(key) || expected_absent.contains(name)) continue;
    verdict.findings.push_back(
        finding("disappeared", name,
                fmt::format("The webhook configuration {} existed at {} and is gone.", name,
                            format_rfc3339(last_seen)),
                "# if it was removed on purpose nothing is to be done (this is forgotten after a "
                "day); else install its operator's "
                "manifest again, and name it under expect.webhooks",
                Severity::warning));
  }
  return verdict;
}

}  // namespace

const CheckDefinition webhook_missing_check{
    .name = "webhook_missing",
    .layer = Layer::webhook,
    .question = "Is a webhook configuration gone that should be there?",
    .reasons = {{"expected_absent", "It is named under expect.webhooks and does not exist."},
                {"disappeared", "It was there within the last day and does not exist any more."}},
    .judge = judge_webhook_missing};

}  // namespace shortcircuit
