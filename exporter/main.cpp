#include <fmt/format.h>

#include <exception>

#include "app/command.h"

int main(int argc, char** argv) {
  try {
    return shortcircuit::run_command(argc, argv);
  } catch (const std::exception& error) {
    fmt::print(stderr, "shortcircuit-exporter: {}\n", error.what());
    return 2;
  }
}
