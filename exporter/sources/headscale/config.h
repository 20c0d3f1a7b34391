// The finalized configuration of one headscale target. Made by config/load only.
#pragma once

#include "sources/common_config.h"

namespace shortcircuit::headscale {

struct Config : CommonConfig {};

}  // namespace shortcircuit::headscale
