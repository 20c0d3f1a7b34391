#include "app/one_shot.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "app/polling.h"
#include "app/publication.h"
#include "app/report.h"
#include "app/setup.h"
#include "app/signals.h"
#include "base/text.h"
#include "base/version.h"
#include "config/print.h"
#include "exposition/findings_json.h"
#include "http/curl_http.h"

namespace shortcircuit {
namespace {

constexpr auto patience = 10s;

class NetworkGuard {
 public:
  NetworkGuard() { set_up_network(); }
  ~NetworkGuard() { tear_down_network(); }
  NetworkGuard(const NetworkGuard&) = delete;
  NetworkGuard& operator=(const NetworkGuard&) = delete;
};

ReportStyle style_of_standard_output() {
  ReportStyle style;
  style.colour = isatty(STDOUT_FILENO) == 1 && getenv("NO_COLOR") == nullptr;
  winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col >= 60) {
    style.width = std::min<std::size_t>(size.ws_col, 140);
  }
  return style;
}

int report_error(const Error& error) {
  fmt::print(stderr, "{}\n", error.message);
  return 2;
}

// The step at which a replay is judged; the steps before it are walked through, so that what needs
// two observations (rates, "since") has them.
Result<std::size_t> last_step(const Recording& recording, const std::string& wanted) {
  const auto& steps = recording.steps();
  if (wanted.empty()) return steps.size() - 1;
  const auto found = std::find(steps.begin(), steps.end(), wanted);
  if (found == steps.end()) {
    return fail(Failure::internal, fmt::format("the recording has no step {}; it has {}", wanted,
                                               enumerate(steps, 12)));
  }
  return static_cast<std::size_t>(found - steps.begin());
}

enum class PathMtus { measured, left_out };

Result<std::shared_ptr<const Publication>> look_once(const Options& options, PathMtus path_mtus,
                                                     const std::string& capture_directory = "") {
  auto setup = read_setup(options);
  if (!setup) return std::unexpected(setup.error());
  if (path_mtus == PathMtus::left_out) {
    auto config = std::make_shared<Config>(*setup->config);
    for (tailscale::Config& target : config->tailscale) target.path_mtu = false;
    setup->config = std::move(config);
  }
  Board board(*setup->config);
  Ledger ledger;
  std::unique_ptr<Replay> replay;
  std::size_t final_step = 0;
  if (setup->recording) {
    const auto step = last_step(*setup->recording, options.replay_step);
    if (!step) return std::unexpected(step.error());
    final_step = *step;
    replay = std::make_unique<Replay>(setup->recording);
  }
  std::shared_ptr<const Publication> publication;
  // DNS and route probes ask for what was just read.
  const auto latest = [&] {
    return std::make_shared<const Snapshot>(board.look(replay ? replay->time() : now()));
  };
  OneRound round({.config = *setup->config,
                  .board = board,
                  .replay = replay.get(),
                  .capture_directory = capture_directory,
                  .once = true,
                  .latest = latest});
  for (std::size_t step = 0; step <= final_step; ++step) {
    if (replay) replay->go_to(step);
    const Time begun = now();
    round.run(Deadline::after(patience));
    // Path MTUs take their time; all else was read long before and is judged by that.
    const Time read = std::min<Time>(now(), begun + patience);
    publication = std::make_shared<const Publication>(
        setup->config, board.take(replay ? replay->time() : read), ledger, ReloadState{});
  }
  return publication;
}

// Only these know of addresses that something depends on.
bool can_tell_dependents(const Config& config) {
  return !config.kubernetes.empty() || !config.tailscale.empty() || !config.etcd.empty() ||
         !config.linstor.empty() || !config.dns.empty() || !config.expect.entry_addresses.empty();
}

// What makes the captured answers a recording: a configuration without secrets, the moment, a word.
Result<void> write_recording_frame(const Publication& publication, const std::string& directory) {
  for (const auto& [name, content] :
       {std::pair<std::string, std::string>{"shortcircuit.yaml",
                                            redacted_yaml(*publication.config)},
        {"recorded_at", format_rfc3339(publication.snapshot.time) + "\n"},
        {"README.md",
         fmt::format(
             "# A recording of {}\n\nMade by `shortcircuit-exporter capture` {}. Play it with "
             "`shortcircuit-exporter check --replay .`\n",
             format_rfc3339(publication.snapshot.time), version())}}) {
    if (auto written = write_file(directory + "/" + name, content); !written) return written;
  }
  return {};
}

template <class State>
void count_targets(const std::vector<Observed<State>>& targets, std::size_t& all, std::size_t& up) {
  for (const auto& observed : targets) {
    ++all;
    if (observed.health.up) ++up;
  }
}

}  // namespace

int check(const Options& options) {
  const NetworkGuard network;
  const auto looked = look_once(options, PathMtus::measured);
  if (!looked) return report_error(looked.error());
  const Publication& publication = **looked;
  const std::string text =
      options.output == OutputFormat::json
          ? findings_json(publication.fleet, publication.judgement)
          : check_report(publication.fleet, publication.judgement, style_of_standard_output());
  fmt::print("{}", text);
  switch (overall_of(publication.judgement)) {
    case Overall::found: return 1;
    case Overall::fine: return 0;
    case Overall::nothing_judged:
    case Overall::in_part: break;
  }
  return 2;  // nothing found in what could be read is not "nothing found"
}

int depends(const Options& options) {
  const NetworkGuard network;
  const auto looked = look_once(options, PathMtus::left_out);
  if (!looked) return report_error(looked.error());
  const Publication& publication = **looked;
  const auto& wanted = options.depends_on;
  if (!can_tell_dependents(*publication.config)) {
    fmt::print(stderr,
               "no source is configured that knows what depends on a network: add kubernetes, "
               "tailscale, etcd or linstor\n");
    return 2;
  }
  const auto prefix = Prefix::parse(wanted);
  if (!prefix && publication.fleet.networks.find(wanted) == nullptr) {
    std::vector<std::string> names;
    for (const Network& known : publication.fleet.networks.all()) names.push_back(known.name);
    const auto near = nearest(wanted, names);
    fmt::print(stderr, "{} is neither a CIDR nor a network that is known{}; known are {}\n", wanted,
               near ? fmt::format(" (did you mean {}?)", *near) : "", enumerate(names, 12));
    return 2;
  }
  std::vector<Dependent> dependents;
  for (const Dependent& dependent : publication.judgement.dependents) {
    const auto address = IpAddress::parse(dependent.address);
    const bool matches =
        prefix ? address && prefix->contains(*address) : dependent.network == wanted;
    if (matches) dependents.push_back(dependent);
  }
  const auto& unknown = publication.judgement.dependents_unknown;
  fmt::print("{}",
             options.output == OutputFormat::json
                 ? dependents_json(wanted, dependents, unknown)
                 : dependents_report(wanted, dependents, unknown, style_of_standard_output()));
  if (!dependents.empty()) return 1;
  return unknown.empty() ? 0 : 2;
}

int capture(const Options& options) {
  const NetworkGuard network;
  const std::string& directory = options.capture_directory;
  std::error_code code;
  if (std::filesystem::exists(directory, code) && !std::filesystem::is_empty(directory, code)) {
    fmt::print(stderr, "{} is not empty: give a directory that does not exist yet\n", directory);
    return 2;
  }
  const auto looked = look_once(options, PathMtus::measured, directory);
  if (!looked) return report_error(looked.error());
  const Publication& publication = **looked;
  std::size_t all = 0;
  std::size_t up = 0;
#define SHORTCIRCUIT_SOURCE(name) count_targets(publication.snapshot.name, all, up);
#include "sources/sources.def"
#undef SHORTCIRCUIT_SOURCE
  if (const auto written = write_recording_frame(publication, directory); !written) {
    return report_error(written.error());
  }
  fmt::print("{}: {} of {} answered\n", directory, count_of(up, "target"), all);
  return up == 0 ? 2 : 0;
}

}  // namespace shortcircuit
