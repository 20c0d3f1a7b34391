#include "sources/kubernetes/rbac.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/text.h"
#include "sources/kubernetes/kinds.h"

namespace shortcircuit::kubernetes {
namespace {

constexpr const char* heading =
    "# Made by `shortcircuit-exporter --print.rbac --config FILE`: what that configuration makes\n"
    "# the exporter ask the Kubernetes API for, and nothing else. Another configuration may need "
    "less.\n";

constexpr const char* metadata =
    "metadata:\n"
    "  name: shortcircuit-exporter\n"
    "  labels:\n"
    "    app.kubernetes.io/name: shortcircuit-exporter\n"
    "    app.kubernetes.io/component: cluster\n";

constexpr const char* binding =
    "roleRef:\n"
    "  apiGroup: rbac.authorization.k8s.io\n"
    "  kind: ClusterRole\n"
    "  name: shortcircuit-exporter\n"
    "subjects:\n"
    "  - kind: ServiceAccount\n"
    "    name: shortcircuit-exporter\n"
    "    namespace: shortcircuit\n";

}  // namespace

std::map<std::string, std::set<std::string>> listed_resources(const Config& config) {
  std::map<std::string, std::set<std::string>> resources;
  Lists lists;
  for (const List* list : lists.all(config)) {
    // `/api/v1/pods` or `/apis/<group>/<version>/<resource>`; older paths differ in the version
    // only. `/version` is open to everybody.
    const auto parts = split(list->path, '/');
    if (parts.size() == 4 && parts[1] == "api") resources[""].insert(parts[3]);
    if (parts.size() == 5 && parts[1] == "apis") resources[parts[2]].insert(parts[4]);
  }
  return resources;
}

std::string rbac_manifest(std::span<const Config> clusters) {
  std::map<std::string, std::set<std::string>> resources;
  bool watch = false;
  for (const Config& config : clusters) {
    watch = watch || config.watch;
    for (const auto& [group, names] : listed_resources(config)) {
      resources[group].insert(names.begin(), names.end());
    }
  }
  std::string text = heading;
  if (resources.empty()) return text + "# It does not ask the Kubernetes API: no rights needed.\n";
  const std::string head = "apiVersion: rbac.authorization.k8s.io/v1\n";
  text += head + "kind: ClusterRole\n" + metadata + "rules:\n";
  for (const auto& [group, names] : resources) {
    text += fmt::format("  - apiGroups: [{}]\n    resources: [{}]\n    verbs: [{}]\n",
                        group.empty() ? "\"\"" : group, fmt::join(names, ", "),
                        watch ? "list, watch" : "list");
  }
  return text + "---\n" + head + "kind: ClusterRoleBinding\n" + metadata + binding;
}

}  // namespace shortcircuit::kubernetes
