#include "bench/measure.h"

#include "bench/allocations.h"

namespace shortcircuit::bench {

void measure(benchmark::State& state, const std::function<std::size_t()>& work) {
  std::size_t items = 0;
  const std::uint64_t before = allocations();
  for (auto _ : state) {
    items = work();
    benchmark::DoNotOptimize(items);
  }
  const auto iterations = static_cast<double>(state.iterations());
  state.counters["items"] = static_cast<double>(items);
  state.counters["allocations"] = static_cast<double>(allocations() - before) / iterations;
}

}  // namespace shortcircuit::bench
