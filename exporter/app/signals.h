// Signals as values: blocked before the first thread exists, then waited for by the main thread.
// There is no handler code at all.
#pragma once

#include <optional>

namespace shortcircuit {

// SIGINT, SIGTERM and SIGHUP for all threads started after this call; SIGPIPE is ignored.
void block_signals();
// Waits for one of the blocked signals.
int wait_for_signal();

}  // namespace shortcircuit
