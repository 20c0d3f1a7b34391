// What the exporter has to be allowed in a cluster, made from the lists that it asks for, so that a
// manifest can grant that and nothing else. Pure.
#pragma once

#include <map>
#include <set>
#include <span>
#include <string>

#include "sources/kubernetes/config.h"

namespace shortcircuit::kubernetes {

// Resources by API group ("" = core), all of them to be listed, and watched where
// the configuration says so, in every namespace.
std::map<std::string, std::set<std::string>> listed_resources(const Config& config);

// A ClusterRole and the ClusterRoleBinding that gives it to the service account
// `shortcircuit/shortcircuit-exporter`, as YAML; a comment alone when no cluster is read.
std::string rbac_manifest(std::span<const Config> clusters);

}  // namespace shortcircuit::kubernetes
