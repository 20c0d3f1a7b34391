#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <vector>

#include "checks/check.h"
#include "checks/unknown.h"

namespace shortcircuit {
namespace {

bool mentions_linstor(std::string_view text) {
  return text.find("piraeus") != std::string_view::npos ||
         text.find("linstor") != std::string_view::npos;
}

// By the labels that Piraeus and LINBIT's charts set, or by name. What the operator runs
// (satellites, the CSI driver) says so by its component.
bool belongs_to_operator(const kubernetes::Pod& pod) {
  const auto label = [&](const char* name) {
    const auto found = pod.labels.find(std::string("app.kubernetes.io/") + name);
    return found == pod.labels.end() ? std::string() : found->second;
  };
  const bool labelled = mentions_linstor(label("name")) || mentions_linstor(label("part-of"));
  if (!labelled && !mentions_linstor(pod.name.name)) return false;
  const std::string component = label("component");
  return pod.name.name.find("operator") != std::string::npos ||
         component.find("operator") != std::string::npos || (labelled && component.empty());
}

// The pods that answer webhooks: what crash-loops there refuses writes.
bool answers_webhook(const kubernetes::Pod& pod,
                     const std::vector<const kubernetes::Service*>& services) {
  return std::any_of(services.begin(), services.end(), [&](const kubernetes::Service* service) {
    if (service->name.namespace_name != pod.name.namespace_name || service->selector.empty())
      return false;
    return std::all_of(service->selector.begin(), service->selector.end(), [&](const auto& wanted) {
      const auto found = pod.labels.find(wanted.first);
      return found != pod.labels.end() && found->second == wanted.second;
    });
  });
}

// Also while a container runs between two crashes; one that goes on running has ended its loop.
bool crash_loops(const kubernetes::Pod& pod, Time now) {
  constexpr auto loop_has_ended = 10min;
  return pod.waiting_reason == "CrashLoopBackOff" ||
         (pod.restarted_after_crash && is_recent(*pod.restarted_after_crash, now, loop_has_ended));
}

std::vector<const kubernetes::Service*> webhook_services(const Fleet& fleet) {
  std::vector<const kubernetes::Service*> services;
  const auto& cluster = *fleet.cluster();
  for (const auto* list : {&cluster.validating_webhooks, &cluster.mutating_webhooks}) {
    for (const auto& configuration : list->items) {
      for (const auto& webhook : configuration.webhooks) {
        const auto* endpoints = webhook.service ? fleet.endpoints.find(*webhook.service) : nullptr;
        if (endpoints != nullptr) services.push_back(endpoints->service);
      }
    }
  }
  return services;
}

Verdict judge_operators(const Fleet& fleet) {
  if (fleet.config.kubernetes.empty()) return not_applicable();
  Verdict verdict;
  if (!need(fleet.snapshot.kubernetes, "Kubernetes", verdict)) return verdict;
  const auto& cluster = *fleet.cluster();
  if (!need(cluster.pods, "pods", verdict)) return verdict;
  const auto services = webhook_services(fleet);
  for (const auto& pod : cluster.pods.items) {
    if (!crash_loops(pod, fleet.snapshot.time)) continue;
    const bool of_linstor = belongs_to_operator(pod);
    if (!of_linstor && !answers_webhook(pod, services)) continue;
    verdict.findings.push_back(
        {.severity = Severity::critical,
         .reason = "crash_loop",
         .kind = "Pod",
         .object = pod.name.text(),
         .message = fmt::format("Pod {} crashes again and again ({} restarts): {}.",
                                pod.name.text(), pod.restarts,
                                of_linstor ? "no volume is made or moved meanwhile"
                                           : "the webhook that it answers is unreliable"),
         .cure = fmt::format(
             "kubectl -n {} logs {} --previous   # a webhook configuration that is missing or has "
             "no backend is the usual cause",
             pod.name.namespace_name, pod.name.name)});
  }
  return verdict;
}

}  // namespace

const CheckDefinition operator_crash_looping_check{
    .name = "operator_crash_looping",
    .layer = Layer::webhook,
    .question = "Does LINSTOR's operator, or what answers a webhook, crash again and again?",
    .reasons = {{"crash_loop",
                 "A pod of the operator, or behind a webhook, is in CrashLoopBackOff or between "
                 "two crashes."}},
    .judge = judge_operators};

}  // namespace shortcircuit
