// What every command needs first: the configuration, and the recording if one is replayed.
#pragma once

#include <memory>

#include "app/options.h"
#include "config/config.h"
#include "http/recording.h"

namespace shortcircuit {

struct Setup {
  std::shared_ptr<const Config> config;
  std::shared_ptr<const Recording> recording;  // null: the network
};

// All problems of the configuration, one a line, in the error's message.
Result<Setup> read_setup(const Options& options);

}  // namespace shortcircuit
