// What every fuzz target shares. A target is one function from bytes to nothing: it must not crash,
// hang, leak or throw, and what it says about its input must hold (`must`).
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace shortcircuit::fuzz {

// A broken promise ends the process like any other crash, so that the input is kept.
inline void must(bool holds, const char* promise) {
  if (holds) return;
  std::fprintf(stderr, "broken: %s\n", promise);
  std::abort();
}

// The first byte chooses one of `count` readers, the rest is what it reads.
struct Input {
  std::size_t choice = 0;
  std::string_view body;
};

inline Input choose(const std::uint8_t* data, std::size_t size, std::size_t count) {
  if (size == 0) return {};
  return {data[0] % count, {reinterpret_cast<const char*>(data) + 1, size - 1}};
}

inline std::string_view text_of(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

}  // namespace shortcircuit::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
