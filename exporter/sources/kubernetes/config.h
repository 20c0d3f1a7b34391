// The finalized configuration of one kubernetes target. Made by config/load only.
#pragma once

#include "sources/common_config.h"

namespace shortcircuit::kubernetes {

struct Config : CommonConfig {};

}  // namespace shortcircuit::kubernetes
