// The finalized configuration of one linstor target. Made by config/load only.
#pragma once

#include "sources/common_config.h"

namespace shortcircuit::linstor {

struct Config : CommonConfig {};

}  // namespace shortcircuit::linstor
