#include "app/signals.h"

#include <csignal>

namespace shortcircuit {
namespace {

sigset_t handled_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&signals, signal);
  return signals;
}

}  // namespace

void block_signals() {
  const sigset_t signals = handled_signals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
}

int wait_for_signal() {
  const sigset_t signals = handled_signals();
  int signal = 0;
  while (sigwait(&signals, &signal) != 0) {}
  return signal;
}

}  // namespace shortcircuit
