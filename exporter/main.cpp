#include <fmt/format.h>
#include <malloc.h>

#include <exception>

#include "app/command.h"

int main(int argc, char** argv) {
  // Many short-lived threads would each get a heap of their own and keep it.
  mallopt(M_ARENA_MAX, 2);
  try {
    return shortcircuit::run_command(argc, argv);
  } catch (const std::exception& error) {
    fmt::print(stderr, "shortcircuit-exporter: {}\n", error.what());
    return 2;
  }
}
