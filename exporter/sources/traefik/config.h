// The finalized configuration of one traefik target. Made by config/load only.
#pragma once

#include "sources/common_config.h"

namespace shortcircuit::traefik {

struct Config : CommonConfig {};

}  // namespace shortcircuit::traefik
