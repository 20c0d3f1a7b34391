#include <fmt/format.h>

#include <array>

#include "checks/check.h"
#include "checks/unknown.h"

namespace shortcircuit {
namespace {

// Labels that the operators of LINSTOR put on their pods (Piraeus v1 and v2, LINBIT's own chart).
bool belongs_to_linstor(const kubernetes::Pod& pod) {
  constexpr std::array<std::string_view, 4> names{"piraeus-datastore", "piraeus-operator", "piraeus", "linstor"};
  constexpr std::array<std::string_view, 2> labels{"app.kubernetes.io/name", "app.kubernetes.io/part-of"};
  for (const std::string_view label : labels) {
    const auto found = pod.labels.find(std::string(label));
    if (found == pod.labels.end()) continue;
    for (const std::string_view name : names) {
      if (found->second.starts_with(name)) return true;
    }
  }
  return false;
}

Verdict judge_operators(const Fleet& fleet) {
  if (fleet.config.kubernetes.empty()) return not_applicable();
  Verdict verdict;
  if (!need(fleet.snapshot.kubernetes, "Kubernetes", verdict)) return verdict;
  const auto& cluster = *fleet.cluster();
  if (!need(cluster.pods, "pods", verdict)) return verdict;
  for (const auto& pod : cluster.pods.items) {
    if (pod.waiting_reason != "CrashLoopBackOff" || !belongs_to_linstor(pod)) continue;
    verdict.findings.push_back(
        {.severity = Severity::critical,
         .reason = "crash_loop",
         .kind = "Pod",
         .object = pod.name.text(),
         .message = fmt::format("Pod {} crashes again and again ({} restarts): no volume is made or moved meanwhile.",
                                pod.name.text(), pod.restarts),
         .cure = fmt::format("kubectl -n {} logs {} --previous; a webhook configuration that is missing or has no "
                             "backend is the usual cause", pod.name.namespace_name, pod.name.name)});
  }
  return verdict;
}

}  // namespace

const CheckDefinition operator_crash_looping_check{
    .name = "operator_crash_looping",
    .layer = Layer::webhook,
    .question = "Does LINSTOR's operator crash again and again?",
    .reasons = {{"crash_loop", "A pod of the operator is in CrashLoopBackOff."}},
    .judge = judge_operators};

}  // namespace shortcircuit
