#include "app/serve.h"

#include <fmt/format.h>
#include <malloc.h>
#include <unistd.h>

#include <csignal>
#include <mutex>

#include "app/engine.h"
#include "app/service_manager.h"
#include "app/setup.h"
#include "app/signals.h"
#include "base/log.h"
#include "base/text.h"
#include "base/version.h"
#include "config/print.h"
#include "exposition/findings_json.h"
#include "http/curl_http.h"
#include "web/access.h"
#include "web/pages.h"
#include "web/status_page.h"

namespace shortcircuit {
namespace {

// The running configuration and what a reload replaces. Reloads come from the main thread (SIGHUP)
// and from request handlers; one at a time.
class Service {
 public:
  explicit Service(const Options& options) : options_(options) {}

  Result<void> start() {
    auto setup = read_setup(options_);
    if (!setup) return std::unexpected(setup.error());
    return run(std::move(*setup));
  }

  Result<void> reload() {
    const std::lock_guard lock(mutex_);
    auto setup = read_setup(options_);
    if (!setup) {
      set_reload({.successful = false, .last_success = reload_state().last_success});
      log_error("reload failed, the old configuration stays", {{"error", setup.error().message}});
      if (engine_) engine_->refresh();
      return std::unexpected(setup.error());
    }
    if (auto running = run(std::move(*setup)); !running) {
      die(running.error().message);  // the old one is gone
      return running;
    }
    log_info("reloaded", {{"config", options_.config_path}});
    return {};
  }

  [[nodiscard]] std::shared_ptr<const Publication> latest() const { return publisher_.latest(); }
  [[nodiscard]] ReloadState reload_state() const {
    const std::lock_guard lock(reload_mutex_);
    return reload_;
  }
  // Why the process has to end; nothing while it works.
  [[nodiscard]] std::string death() const {
    const std::lock_guard lock(reload_mutex_);
    return death_;
  }

 private:
  Result<void> run(Setup setup) {
    set_reload({.successful = true, .last_success = now()});
    engine_.reset();  // the old one is gone before the new one asks the same upstreams
    try {
      engine_ = std::make_unique<Engine>(
          Engine::Settings{.config = std::move(setup.config),
                           .recording = std::move(setup.recording),
                           .step_interval = options_.replay_step_interval.value_or(30s),
                           .reload_state = [this] { return reload_state(); },
                           .died = [this](const std::string& why) { die(why); }},
          publisher_, ledger_);
    } catch (const std::exception& error) {
      return fail(Failure::internal, std::string("cannot poll and judge: ") + error.what());
    }
    return {};
  }

  // Ends the process: a page that does not change any more looks like a fleet that is well.
  void die(const std::string& why) {
    {
      const std::lock_guard lock(reload_mutex_);
      if (death_.empty()) death_ = "stopped: cannot judge any more: " + why;
    }
    ::kill(getpid(), SIGTERM);  // the main thread waits for it
  }

  void set_reload(ReloadState state) {
    const std::lock_guard lock(reload_mutex_);
    reload_ = state;
  }

  const Options& options_;
  std::mutex mutex_;
  Publisher publisher_;
  Ledger ledger_;
  mutable std::mutex reload_mutex_;
  ReloadState reload_;
  std::string death_;
  std::unique_ptr<Engine> engine_;
};

// What was freed goes back to the system. Left alone, glibc learns from one huge answer to keep
// that much in every thread for ever.
void bound_idle_memory() {
  constexpr int kept_bytes = 1 << 20;
  mallopt(M_MMAP_THRESHOLD, kept_bytes);
  mallopt(M_TRIM_THRESHOLD, kept_bytes);
}

PageSources page_sources(Service& service, const Options& options) {
  return {.metrics_text =
              [&service] {
                const auto latest = service.latest();
                return latest ? latest->metrics_text : nullptr;
              },
          .metrics_gzip =
              [&service] {
                const auto latest = service.latest();
                return latest ? latest->metrics_gzip : nullptr;
              },
          .status_page =
              [&service, &options] {
                const auto latest = service.latest();
                return status_page(latest->fleet, latest->judgement,
                                   {.version = std::string(version()),
                                    .revision = std::string(revision()),
                                    .reload = service.reload_state(),
                                    .telemetry_path = options.telemetry_path,
                                    .now = now(),
                                    .replayed = options.replay_directory});
              },
          .findings_json =
              [&service] {
                const auto latest = service.latest();
                return findings_json(latest->fleet, latest->judgement);
              },
          .redacted_config =
              [&service] {
                const auto latest = service.latest();
                return latest ? redacted_yaml(*latest->config) : std::string();
              },
          .reload = [&service] { return service.reload(); },
          .telemetry_path = options.telemetry_path};
}

}  // namespace

int serve(const Options& options) {
  block_signals();
  bound_idle_memory();
  set_up_network();
  if (geteuid() == 0) {
    log_warn(
        "running as root: needed only for files that nobody else may read; see "
        "deploy/systemd/README.md");
  }
  std::string failure;  // printed when nothing else writes any more
  int code = 2;
  {
    Service service(options);
    if (const auto started = service.start(); !started) {
      failure = started.error().message;
    } else if (auto pages =
                   guard_pages(options.web_config_path, make_pages(page_sources(service, options)));
               !pages) {
      failure = pages.error().message;
    } else if (const auto tls = TlsServer::open(options.web_config_path); !tls) {
      failure = tls.error().message;
    } else if (pages->tls != (*tls != nullptr)) {
      failure = options.web_config_path + " was written while it was read: start again";
    } else if (const auto server = start_server({.listen_addresses = options.listen_addresses,
                                                 .systemd_socket = options.systemd_socket,
                                                 .limits = {},
                                                 .tls = *tls,
                                                 .header_lines = pages->header_lines},
                                                pages->handler);
               !server) {
      failure = server.error().message;
    } else {
      for (const std::string& address : (*server)->addresses()) {
        log_info("listening", {{"address", address},
                               {"scheme", *tls ? "https" : "http"},
                               {"version", std::string(version())}});
      }
      say_ready_to_service_manager();
      while (wait_for_signal() == SIGHUP) (void)service.reload();
      log_info("stopping");
      failure = service.death();
      code = 1;
    }
  }
  tear_down_network();
  if (failure.empty()) return 0;
  fmt::print(stderr, "{}\n", failure);
  return code;
}

}  // namespace shortcircuit
