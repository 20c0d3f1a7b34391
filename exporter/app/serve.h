// `serve`: polls in the background and answers HTTP until SIGINT or SIGTERM.
#pragma once

#include "app/options.h"

namespace shortcircuit {

// Exit code of the process. One clear line on standard error when it cannot start (2).
int serve(const Options& options);

}  // namespace shortcircuit
