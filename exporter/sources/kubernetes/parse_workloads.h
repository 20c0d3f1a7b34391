// Workloads, their pods and ConfigMaps. See parse_common.h; of environments and ConfigMaps only
// proxy settings are kept (proxy_setting.h).
#pragma once

#include "base/json.h"
#include "sources/kubernetes/state.h"

namespace shortcircuit::kubernetes {

Workload parse_daemon_set(JsonView object);
Workload parse_deployment(JsonView object);
Workload parse_stateful_set(JsonView object);
Workload parse_cron_job(JsonView object);
ConfigMap parse_config_map(JsonView object);
std::vector<ConfigMap> parse_kept_config_map(JsonView object);  // none when it holds no proxy
Pod parse_pod(JsonView object);

}  // namespace shortcircuit::kubernetes
