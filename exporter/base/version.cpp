#include "base/version.h"

namespace shortcircuit {
std::string_view version() { return SHORTCIRCUIT_VERSION; }
std::string_view revision() { return SHORTCIRCUIT_REVISION; }
}  // namespace shortcircuit
