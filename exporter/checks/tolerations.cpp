#include "checks/tolerations.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace shortcircuit {

using kubernetes::Taint;
using kubernetes::Toleration;

namespace {

// https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/
bool tolerates(const Toleration& toleration, const Taint& taint) {
  if (!toleration.effect.empty() && toleration.effect != taint.effect) return false;
  if (toleration.key.empty()) return toleration.operation == "Exists";
  if (toleration.key != taint.key) return false;
  return toleration.operation == "Exists" || toleration.value == taint.value;
}

// The DaemonSet controller adds these to every pod that it makes.
bool tolerated_by_every_daemon(const Taint& taint) {
  constexpr std::array<std::string_view, 7> keys{
      "node.kubernetes.io/not-ready",          "node.kubernetes.io/unreachable",
      "node.kubernetes.io/disk-pressure",      "node.kubernetes.io/memory-pressure",
      "node.kubernetes.io/pid-pressure",       "node.kubernetes.io/unschedulable",
      "node.kubernetes.io/network-unavailable"};
  return std::find(keys.begin(), keys.end(), taint.key) != keys.end();
}

}  // namespace

const std::vector<Toleration>& built_in_tolerations() {
  static const std::vector<Toleration> tolerations{
      {.key = "node-role.kubernetes.io/master", .operation = "Exists", .effect = "NoSchedule"},
      {.key = "node-role.kubernetes.io/control-plane",
       .operation = "Exists",
       .effect = "NoSchedule"},
      {.key = "CriticalAddonsOnly", .operation = "Exists"}};
  return tolerations;
}

std::optional<Taint> not_tolerated(const kubernetes::Node& node,
                                   const std::vector<Toleration>& tolerations) {
  for (const Taint& taint : node.taints) {
    if (taint.effect == "PreferNoSchedule" || tolerated_by_every_daemon(taint)) continue;
    const bool tolerated =
        std::any_of(tolerations.begin(), tolerations.end(),
                    [&](const Toleration& toleration) { return tolerates(toleration, taint); });
    if (!tolerated) return taint;
  }
  return std::nullopt;
}

}  // namespace shortcircuit
