// Bytes that the program asked for and has not given back, to the byte: glibc's own figures count
// what its caches hold and what it rounds up, and drift for as long as they fill.
#pragma once

#include <cstddef>

namespace shortcircuit::soak {

std::size_t live_bytes();

}  // namespace shortcircuit::soak
