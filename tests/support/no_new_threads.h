// While it lives, this process can start no thread: what a machine at its limit of processes does.
#pragma once

#include <sys/resource.h>
#include <unistd.h>

#include <system_error>
#include <thread>

namespace shortcircuit::testing {

class NoNewThreads {
 public:
  NoNewThreads() {
    getrlimit(RLIMIT_NPROC, &before_);
    const rlimit none{.rlim_cur = 0, .rlim_max = before_.rlim_max};
    if (setrlimit(RLIMIT_NPROC, &none) != 0) return;
    // The limit does not bind root, who can become root again.
    constexpr uid_t nobody_else = 65533;
    if (was_root_ && setresuid(nobody_else, nobody_else, 0) != 0) return;
    try {
      std::thread([] {}).join();
    } catch (const std::system_error&) { holds_ = true; }
  }
  ~NoNewThreads() {
    if (was_root_ && setresuid(0, 0, 0) != 0) std::terminate();
    setrlimit(RLIMIT_NPROC, &before_);
  }
  NoNewThreads(const NoNewThreads&) = delete;
  NoNewThreads& operator=(const NoNewThreads&) = delete;

  [[nodiscard]] bool holds() const { return holds_; }

 private:
  rlimit before_{};
  bool was_root_ = geteuid() == 0;
  bool holds_ = false;
};

}  // namespace shortcircuit::testing
