// The configuration as text: as it is in force, without secrets, and as a reference of its keys.
#pragma once

#include <string>

#include "config/config.h"

namespace shortcircuit {

// YAML that load_config() reads again. Secrets given by file stay as the file's name; one given
// by value shows as ${REDACTED}.
std::string redacted_yaml(const Config& config);

// exporter/CONFIGURATION.md, which a test compares with the file.
std::string configuration_reference();

}  // namespace shortcircuit
