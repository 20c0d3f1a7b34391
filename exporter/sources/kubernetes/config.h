// The finalized configuration of one kubernetes target. Made by config/load only.
#pragma once

#include "sources/common_config.h"

namespace shortcircuit::kubernetes {

// `endpoint` is complete, wherever it came from.
struct Config : CommonConfig {
  std::string kubeconfig;  // the file it came from; "" = none
  std::string context;     // "" = the file's current-context
  // Kinds that not everybody wants to open to a monitor. Off: what is judged from them is unknown.
  bool pods = true;
  bool config_maps = true;
  // Changes are followed instead of listing everything in each poll …
  bool watch = true;
  // … but so often everything is listed, whatever was said of changes.
  Duration full_list_interval = 5min;
};

}  // namespace shortcircuit::kubernetes
