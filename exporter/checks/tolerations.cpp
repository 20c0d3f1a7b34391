#include "checks/tolerations.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "base/json.h"
#include "base/text.h"
#include "checks/cure.h"

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

// What the annotation holds; nothing when it is no such list in JSON.
std::optional<std::vector<Toleration>> parse_tolerations(const std::string& text) {
  std::vector<Toleration> tolerations;
  const auto read = read_json(text, [&](JsonView root) {
    if (!root.is_array()) root.wrong("a list");
    for (const JsonView& item : root.items()) {
      tolerations.push_back({.key = item["key"].string_or(""),
                             .operation = item["operator"].string_or(""),
                             .value = item["value"].string_or(""),
                             .effect = item["effect"].string_or("")});
    }
  });
  if (!read) return std::nullopt;
  return tolerations;
}

std::string list_of(const std::vector<Taint>& taints) {
  std::vector<std::string> items;
  for (const Taint& taint : taints) {
    std::string item = fmt::format(R"({{"key":"{}","operator":"Exists"}})", taint.key);
    if (std::ranges::find(items, item) == items.end()) items.push_back(std::move(item));
  }
  return "[" + join(items, ",") + "]";
}

// Two lists in JSON as one, in one line: between values a line break is a space.
std::string appended(std::string_view list, std::string_view more) {
  std::string first(trim(list));
  std::ranges::replace_if(first, [](char c) { return c == '\n' || c == '\r' || c == '\t'; }, ' ');
  first.pop_back();
  const bool empty = trim(std::string_view(first).substr(1)).empty();
  return first + (empty ? "" : ",") + std::string(more.substr(1));
}

constexpr const char* tolerations_annotation = "svccontroller.k3s.cattle.io/tolerations";

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

std::vector<Taint> not_tolerated(const std::vector<Taint>& taints,
                                 const std::vector<Toleration>& tolerations) {
  std::vector<Taint> found;
  for (const Taint& taint : taints) {
    if (taint.effect == "PreferNoSchedule" || tolerated_by_every_daemon(taint)) continue;
    const bool tolerated =
        std::any_of(tolerations.begin(), tolerations.end(),
                    [&](const Toleration& toleration) { return tolerates(toleration, taint); });
    if (!tolerated) found.push_back(taint);
  }
  return found;
}

std::string cure_of_taints(const kubernetes::Service& service, const std::vector<Taint>& taints) {
  const auto& name = service.name;
  const auto annotated = service.annotations.find(tolerations_annotation);
  const bool is_set = annotated != service.annotations.end() && !trim(annotated->second).empty();
  const auto existing = is_set ? parse_tolerations(annotated->second) : std::vector<Toleration>{};
  if (!existing) {
    return fmt::format("kubectl -n {} edit service {}   # add to the list in its annotation {}: {}",
                       name.namespace_name, name.name, tolerations_annotation, list_of(taints));
  }
  const auto missing = not_tolerated(taints, *existing);
  if (missing.empty()) {
    return fmt::format(
        "kubectl -n {} get service {} -o yaml   # its annotation {} tolerates that already, and "
        "this K3s is too old to read it, or has not yet; point DNS at a node that is covered",
        name.namespace_name, name.name, tolerations_annotation);
  }
  return fmt::format(
      "kubectl -n {} annotate {}service {} {}   # newer K3s; a toleration patched onto the "
      "DaemonSet is reverted within seconds; or point DNS at a node that is covered",
      name.namespace_name, is_set ? "--overwrite " : "", name.name,
      shell_word(
          fmt::format("{}={}", tolerations_annotation,
                      is_set ? appended(annotated->second, list_of(missing)) : list_of(missing))));
}

}  // namespace shortcircuit
