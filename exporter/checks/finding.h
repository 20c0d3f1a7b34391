// The one form that every judgement has: which check, which layer, which object, a bounded reason,
// one sentence, one cure. Metrics, alerts, the status page and the command line all speak from it.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"

namespace shortcircuit {

// In walking order: the first eight are the ones that hid each other, then the rest.
enum class Layer {
  load_balancer,
  external_name,
  middleware,
  webhook,
  endpoint_address,
  endpoint_port,
  proxy_chain,
  path_mtu,
  backend,
  mesh,
  etcd,
  storage,
};
inline constexpr std::array<std::string_view, 12> layer_names{
    "load_balancer",    "external_name", "middleware",  "webhook",
    "endpoint_address", "endpoint_port", "proxy_chain", "path_mtu",
    "backend",          "mesh",          "etcd",        "storage"};
constexpr std::string_view name_of(Layer layer) {
  return layer_names[static_cast<std::size_t>(layer)];
}

enum class Severity { critical, warning, info };
inline constexpr std::array<std::string_view, 3> severity_names{"critical", "warning", "info"};
constexpr std::string_view name_of(Severity severity) {
  return severity_names[static_cast<std::size_t>(severity)];
}

// One of several things that a finding speaks of at once, each with a beginning of its own.
struct FindingPart {
  std::string name;  // an address
  Time since;        // set by the ledger
};

struct Finding {
  std::string_view check;              // set by judge() from the check's definition
  Layer layer = Layer::load_balancer;  // likewise
  Severity severity = Severity::critical;
  std::string reason;              // one of the check's closed list
  std::string kind;                // Node, Service, Middleware, Path …
  std::string object;              // `namespace/name`, `name` or `from → peer`
  std::string message;             // one plain sentence
  std::string cure;                // one command, safe to paste: see cure.h
  Time since;                      // set by the ledger: first seen without interruption
  std::vector<FindingPart> parts;  // what may come and go while the finding stands; mostly none
  std::vector<std::string> hosts;  // public hosts (with path) that it takes down; set by the walk
};

// What a check can say. Unknown is its own answer and never becomes "healthy".
struct Verdict {
  // false: nothing that this check looks at is configured, so it has nothing to say.
  bool applicable = true;
  std::vector<Finding> findings;
  // What could not be judged and why: `Kubernetes services: HTTP 403`. Not empty = unknown in part.
  std::vector<std::string> unknown;
};

inline Verdict not_applicable() { return {.applicable = false, .findings = {}, .unknown = {}}; }

}  // namespace shortcircuit
