#include <fmt/format.h>
#include <malloc.h>

#include <exception>

#include "app/command.h"

int main(int argc, char** argv) {
  // Many short-lived threads would each get a heap of their own and keep it.
  mallopt(M_ARENA_MAX, 2);
  // A tree of JSON is made and dropped as a whole: without lists of small holes, which glibc would
  // walk and merge for every large block, that takes a third less time.
  mallopt(M_MXFAST, 0);
  try {
    return shortcircuit::run_command(argc, argv);
  } catch (const std::exception& error) {
    fmt::print(stderr, "shortcircuit-exporter: {}\n", error.what());
    return 2;
  }
}
