#include "app/command.h"

#include <fmt/format.h>

#include "app/one_shot.h"
#include "app/options.h"
#include "app/serve.h"
#include "app/setup.h"
#include "base/log.h"
#include "checks/check.h"
#include "config/print.h"
#include "exposition/describe.h"
#include "sources/kubernetes/rbac.h"
#include "web/access.h"

namespace shortcircuit {
namespace {

// For what needs the configuration and nothing else.
template <class Print>
int with_configuration(const Options& options, Print print) {
  const auto setup = read_setup(options);
  if (!setup) {
    fmt::print(stderr, "{}\n", setup.error().message);
    return 2;
  }
  fmt::print("{}", print(*setup->config));
  return 0;
}

}  // namespace

int run_command(int argc, char** argv) {
  const auto options = parse_options(argc, argv);
  if (!options) {
    fmt::print("{}", options.error().text_stdout);
    fmt::print(stderr, "{}", options.error().text_stderr);
    return options.error().code;
  }
  if (options->print_metrics || options->print_configuration) {
    fmt::print("{}", options->print_metrics ? metrics_reference() : configuration_reference());
    return 0;
  }
  if (options->print_checks) {
    fmt::print("{}", checks_reference());
    return 0;
  }
  // A one-shot command speaks through its report; only real trouble goes to the log.
  const bool one_shot = options->command != Command::serve;
  set_up_logging(
      one_shot && options->log_level == LogLevel::info ? LogLevel::error : options->log_level,
      options->log_format);
  if (options->config_check) {
    if (const auto guard = guard_pages(options->web_config_path, nullptr); !guard) {
      fmt::print(stderr, "{}\n", guard.error().message);
      return 2;
    }
    if (const auto tls = TlsServer::open(options->web_config_path); !tls) {
      fmt::print(stderr, "{}\n", tls.error().message);
      return 2;
    }
    return with_configuration(
        *options, [](const Config&) { return std::string("The configuration is good.\n"); });
  }
  if (options->print_rbac) {
    return with_configuration(*options, [](const Config& config) {
      return kubernetes::rbac_manifest(config.kubernetes);
    });
  }
  switch (options->command) {
    case Command::serve: return serve(*options);
    case Command::check: return check(*options);
    case Command::depends: return depends(*options);
    case Command::capture: return capture(*options);
  }
  return 2;
}

}  // namespace shortcircuit
