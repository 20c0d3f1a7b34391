// The entry addresses: what public names point at, and whether a load balancer answers there.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "fleet/fleet.h"

namespace shortcircuit {

struct Entry {
  enum class Status { covered, uncovered, unknown };
  IpAddress address;
  Status status = Status::unknown;
  std::string reason;  // of entry_without_load_balancer; for unknown: why, as a sentence's half
  std::string node;    // "" = no node has the address
  // The peer that has it and is offline or expired; "" = none. Where the address is covered all the
  // same, the peer's own finding says it.
  std::string away;
  kubernetes::ObjectName service;         // the LoadBalancer Service that should answer
  std::vector<kubernetes::Taint> taints;  // those that keep the load balancer's pods away
  bool public_address = false;            // no node's, and public: a router in front may forward it
  // More about no_pod: a balancer's pod is there and passes nothing on.
  bool only_local = false;    // externalTrafficPolicy Local, and no ready pod of the Service there
  bool other_family = false;  // the Service is of the other IP family alone
  // Load balancers are there and lead to `service`, none of whose pods is ready. backend_missing
  // says it, not this check; `reason` is empty.
  bool nobody_behind = false;
};

// Configured addresses and DNS answers, each once. Empty when Kubernetes is unknown.
std::vector<Entry> judge_entry_addresses(const Fleet& fleet);

}  // namespace shortcircuit
