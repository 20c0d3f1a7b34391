#include "sources/kubernetes/parse_workloads.h"

#include <fmt/format.h>

#include "sources/kubernetes/parse_common.h"
#include "sources/kubernetes/proxy_setting.h"

namespace shortcircuit::kubernetes {
namespace {

void add_proxies(JsonView containers, std::vector<ProxySetting>& proxies) {
  for (const JsonView& container : containers.items()) {
    for (const JsonView& variable : container["env"].items()) {
      const std::string name = variable["name"].string();
      if (auto url = proxy_in_environment(name, variable["value"].string_or(""))) {
        proxies.push_back(
            {.where = fmt::format("container {}, env {}", container["name"].string_or("?"), name),
             .url = std::move(*url)});
      }
    }
  }
}

Workload workload(JsonView object, std::string kind, JsonView pod_template) {
  Workload result;
  result.kind = std::move(kind);
  result.name = object_name(object);
  result.labels = string_map(object["metadata"]["labels"]);
  result.template_labels = string_map(pod_template["metadata"]["labels"]);
  const JsonView spec = pod_template["spec"];
  add_proxies(spec["initContainers"], result.proxies);
  add_proxies(spec["containers"], result.proxies);
  for (const JsonView& toleration : spec["tolerations"].items()) {
    result.tolerations.push_back({.key = toleration["key"].string_or(""),
                                  .operation = toleration["operator"].string_or(""),
                                  .value = toleration["value"].string_or(""),
                                  .effect = toleration["effect"].string_or("")});
  }
  result.node_selector = string_map(spec["nodeSelector"]);
  return result;
}

Workload replicated(JsonView object, std::string kind) {
  Workload result = workload(object, std::move(kind), object["spec"]["template"]);
  result.desired = count_number(object["spec"]["replicas"], 1);
  result.ready = count_number(object["status"]["readyReplicas"], 0);
  return result;
}

bool is_ready(JsonView pod) {
  if (!pod["metadata"]["deletionTimestamp"].missing()) return false;
  for (const JsonView& condition : pod["status"]["conditions"].items()) {
    if (condition["type"].string_or("") == "Ready") {
      return condition["status"].string_or("") == "True";
    }
  }
  return false;
}

int badness(std::string_view reason) {
  if (reason.empty()) return 0;
  if (reason == "ContainerCreating" || reason == "PodInitializing") return 1;
  return reason == "CrashLoopBackOff" ? 3 : 2;
}

// A container that crashes again and again is `terminated` for a moment before each back-off. That
// is the same fault: two crashes in a row are called CrashLoopBackOff already then, so that the
// reason does not come and go.
std::string waiting_reason(JsonView container) {
  const JsonView state = container["state"];
  if (!state["waiting"].missing()) return state["waiting"]["reason"].string_or("");
  const auto crashed = [](JsonView terminated) {
    return !terminated.missing() && terminated["exitCode"].integer_or(0) != 0;
  };
  if (!crashed(state["terminated"])) return "";
  if (crashed(container["lastState"]["terminated"])) return "CrashLoopBackOff";
  return state["terminated"]["reason"].string_or("Error");
}

// The kubelet forgets earlier crashes once a container has run for so long.
constexpr auto back_off_forgotten_after = 10min;

// See Pod::restarted_after_crash. A container that never began has no start, or the zero time.
std::optional<Time> restarted_after_crash(JsonView container) {
  const JsonView running = container["state"]["running"];
  const JsonView last = container["lastState"]["terminated"];
  if (running.missing() || last.missing() || container["ready"].boolean_or(false)) return {};
  if (last["exitCode"].integer_or(0) == 0 || container["restartCount"].integer_or(0) < 2) return {};
  const auto began = parse_rfc3339(last["startedAt"].string_or(""));
  const auto ended = parse_rfc3339(last["finishedAt"].string_or(""));
  const bool ran_long =
      began && ended && *began > Time{} && *ended - *began >= back_off_forgotten_after;
  if (ran_long) return {};
  return parse_rfc3339(running["startedAt"].string_or(""));
}

}  // namespace

Workload parse_daemon_set(JsonView object) {
  Workload result = workload(object, "DaemonSet", object["spec"]["template"]);
  result.desired = count_number(object["status"]["desiredNumberScheduled"], 0);
  result.ready = count_number(object["status"]["numberReady"], 0);
  return result;
}

Workload parse_deployment(JsonView object) { return replicated(object, "Deployment"); }
Workload parse_stateful_set(JsonView object) { return replicated(object, "StatefulSet"); }

Workload parse_cron_job(JsonView object) {
  return workload(object, "CronJob", object["spec"]["jobTemplate"]["spec"]["template"]);
}

ConfigMap parse_config_map(JsonView object) {
  ConfigMap map;
  map.name = object_name(object);
  for (const auto& [key, value] : object["data"].members()) {
    if (auto url = proxy_in_config_map(key, value.string_or(""))) {
      map.proxies.push_back({.where = fmt::format("key {}", key), .url = std::move(*url)});
    }
  }
  return map;
}

std::vector<ConfigMap> parse_kept_config_map(JsonView object) {
  ConfigMap map = parse_config_map(object);
  if (map.proxies.empty()) return {};
  return {std::move(map)};
}

Pod parse_pod(JsonView object) {
  Pod pod;
  pod.name = object_name(object);
  pod.created = creation_time(object);
  pod.labels = string_map(object["metadata"]["labels"]);
  for (const JsonView& owner : object["metadata"]["ownerReferences"].items()) {
    if (!owner["controller"].boolean_or(false)) continue;
    pod.owner_kind = owner["kind"].string_or("");
    pod.owner_name = owner["name"].string_or("");
  }
  const JsonView spec = object["spec"];
  pod.node_name = spec["nodeName"].string_or("");
  for (const JsonView& volume : spec["volumes"].items()) {
    const JsonView claim = volume["persistentVolumeClaim"];
    if (!claim.missing()) pod.claims.push_back(claim["claimName"].string_or(""));
  }
  for (const std::string_view list : {"initContainers", "containers"}) {
    for (const JsonView& container : spec[list].items()) {
      for (const JsonView& port : container["ports"].items()) {
        if (const int number = port_number(port["hostPort"]); number != 0) {
          pod.host_ports.push_back(number);
        }
      }
    }
  }
  const JsonView status = object["status"];
  pod.phase = status["phase"].string_or("");
  pod.ready = is_ready(object);
  for (const std::string_view list : {"initContainerStatuses", "containerStatuses"}) {
    for (const JsonView& container : status[list].items()) {
      pod.restarts += container["restartCount"].integer_or(0);
      std::string reason = waiting_reason(container);
      if (badness(reason) > badness(pod.waiting_reason)) pod.waiting_reason = std::move(reason);
      pod.restarted_after_crash =
          std::max(pod.restarted_after_crash, restarted_after_crash(container));
    }
  }
  return pod;
}

}  // namespace shortcircuit::kubernetes
