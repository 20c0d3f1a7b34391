// `serve`: polls in the background and answers HTTP until SIGINT or SIGTERM.
#pragma once

#include "app/options.h"

namespace shortcircuit {

// Exit code of the process. One clear line on standard error when it cannot start (2), or cannot
// judge any more (1): then somebody has to start it anew, which systemd and Kubernetes do.
int serve(const Options& options);

}  // namespace shortcircuit
