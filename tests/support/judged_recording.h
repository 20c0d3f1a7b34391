// A recording, polled and judged in this process: what `check --replay` does, without a process.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "app/publication.h"

namespace shortcircuit {

struct ReplayedStep {
  std::string name;
  std::shared_ptr<const Publication> publication;
};

// Every step in order; a failed requirement of the test when the recording cannot be opened.
std::vector<ReplayedStep> replay_all(const std::string& directory);

// Names of the recordings below tests/recordings.
std::vector<std::string> recording_names();
std::string recording_path(const std::string& name);

}  // namespace shortcircuit
