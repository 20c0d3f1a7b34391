// gzip of a finished page. Empty when compression fails (the page is then served as it is).
#pragma once

#include <string>
#include <string_view>

namespace shortcircuit {
std::string gzip(std::string_view plain);
}  // namespace shortcircuit
