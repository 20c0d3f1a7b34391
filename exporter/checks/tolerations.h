// Which taints keep the load balancer's pods off a node. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sources/kubernetes/state.h"

namespace shortcircuit {

// What servicelb gives its pods; for when its DaemonSet cannot be read.
const std::vector<kubernetes::Toleration>& built_in_tolerations();

// The hard ones of these taints that a DaemonSet's pods with these tolerations do not bear.
std::vector<kubernetes::Taint> not_tolerated(
    const std::vector<kubernetes::Taint>& taints,
    const std::vector<kubernetes::Toleration>& tolerations);

// The command that makes servicelb's pods of the Service bear the taints too: what the Service's
// annotation says already is kept.
std::string cure_of_taints(const kubernetes::Service& service,
                           const std::vector<kubernetes::Taint>& taints);

}  // namespace shortcircuit
