// Which taints keep the load balancer's pods off a node. Pure.
#pragma once

#include <optional>
#include <vector>

#include "sources/kubernetes/state.h"

namespace shortcircuit {

// What servicelb gives its pods; for when its DaemonSet cannot be read.
const std::vector<kubernetes::Toleration>& built_in_tolerations();

// The node's first hard taint that a DaemonSet's pods with these tolerations do not bear.
std::optional<kubernetes::Taint> not_tolerated(
    const kubernetes::Node& node, const std::vector<kubernetes::Toleration>& tolerations);

}  // namespace shortcircuit
