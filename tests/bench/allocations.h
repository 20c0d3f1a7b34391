// Counts what the process takes from the heap, all threads together: operator new is replaced in
// this binary. Any thread may read.
#pragma once

#include <cstdint>

namespace shortcircuit::bench {

std::uint64_t allocations();      // so far
std::uint64_t allocated_bytes();  // so far, without what was given back

}  // namespace shortcircuit::bench
