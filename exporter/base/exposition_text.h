// Reads the Prometheus text format, as etcd and tailscaled serve it.
// Format: https://prometheus.io/docs/instrumenting/exposition_formats/ (text 0.0.4).
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace shortcircuit {

struct Sample {
  std::string name;
  std::map<std::string, std::string> labels;
  double value = 0;
};

// Only samples whose name starts with one of `prefixes` (all when empty) are kept.
// Failure::syntax with the line number for a line that is neither comment nor sample.
Result<std::vector<Sample>> parse_exposition(std::string_view text,
                                             const std::vector<std::string_view>& prefixes = {});

}  // namespace shortcircuit
