// Makes the finalized configuration from a file, or says everything that is wrong with it.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "config/problem.h"
#include "config/yaml_reader.h"

namespace shortcircuit {

struct LoadOptions {
  // A replay reads no server: a kubeconfig is not opened, and a secret's variable may be unset.
  bool for_replay = false;
  Environment environment = process_environment;
};

// Problems are in the order of their places in the file; those of a kubeconfig come last.
using LoadedConfig = std::expected<Config, std::vector<ConfigProblem>>;
LoadedConfig load_config(const std::string& path, const LoadOptions& options = {});
// `file` names the text in messages, and its folder is where relative paths begin.
LoadedConfig parse_config(std::string_view text, const std::string& file,
                          const LoadOptions& options = {});

// Every key that load_config() knows, in the order of the reference.
std::vector<KeyDescription> describe_config();

}  // namespace shortcircuit
