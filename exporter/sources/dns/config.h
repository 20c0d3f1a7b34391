// The finalized configuration of name resolution (`expect.resolve: true`). Made by config/load
// only.
#pragma once

#include "sources/common_config.h"

namespace shortcircuit::dns {

struct Config : CommonConfig {
  [[nodiscard]] static constexpr Follows follows() { return Follows::routes; }
};

}  // namespace shortcircuit::dns
