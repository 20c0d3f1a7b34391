// From the command line to an exit code.
#pragma once

namespace shortcircuit {
int run_command(int argc, char** argv);
}  // namespace shortcircuit
