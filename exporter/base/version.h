// The version and revision that the build put into the binary.
#pragma once
#include <string_view>

namespace shortcircuit {
std::string_view version();
std::string_view revision();
}  // namespace shortcircuit
