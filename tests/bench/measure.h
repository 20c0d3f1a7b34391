// How every micro benchmark runs its work and says what one run of it takes from the heap.
#pragma once

#include <benchmark/benchmark.h>

#include <cstddef>
#include <functional>

namespace shortcircuit::bench {

// `work` gives the number of items that it made.
void measure(benchmark::State& state, const std::function<std::size_t()>& work);

}  // namespace shortcircuit::bench
