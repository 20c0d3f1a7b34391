#include <benchmark/benchmark.h>
#include <malloc.h>

#include "bench/register.h"

int main(int count, char** arguments) {
  mallopt(M_MXFAST, 0);  // as the program itself
  shortcircuit::bench::register_judge_benchmarks();
  shortcircuit::bench::register_parse_benchmarks();
  benchmark::Initialize(&count, arguments);
  if (benchmark::ReportUnrecognizedArguments(count, arguments)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
