// The groups of micro benchmarks. Registered in main(): before it, tables of the program that they
// run over may not be there yet.
#pragma once

namespace shortcircuit::bench {

void register_judge_benchmarks();
void register_parse_benchmarks();

}  // namespace shortcircuit::bench
