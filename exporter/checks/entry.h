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
  kubernetes::ObjectName service;  // the LoadBalancer Service that should answer
  std::optional<kubernetes::Taint> taint;
  bool public_address = false;
};

// Configured addresses and DNS answers, each once. Empty when Kubernetes is unknown.
std::vector<Entry> judge_entry_addresses(const Fleet& fleet);

}  // namespace shortcircuit
