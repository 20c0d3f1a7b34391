#include "exposition/self_metrics.h"

#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <filesystem>

#include "base/text.h"
#include "base/version.h"

namespace shortcircuit {
namespace {

enum Index {
  build_info,
  reload_successful,
  reload_time,
  snapshot_time,
  series_limited,
  source_up,
  source_last_success,
  source_duration,
  source_polls,
  source_bytes,
  source_unread,
  source_any_certificate,
  source_failures,
  process_cpu,
  process_resident,
  process_virtual,
  process_open,
  process_max,
  process_start,
  process_threads,
};

const std::array<MetricDefinition, 20> definitions{{
    {"shortcircuit_build_info",
     MetricKind::gauge,
     "Always 1; version and revision of the program.",
     {"version", "revision"}},
    {"shortcircuit_config_last_reload_successful",
     MetricKind::gauge,
     "1 when the configuration file was good the last time it was read.",
     {}},
    {"shortcircuit_config_last_reload_success_timestamp_seconds",
     MetricKind::gauge,
     "When a good configuration was last read.",
     {}},
    {"shortcircuit_snapshot_timestamp_seconds",
     MetricKind::gauge,
     "The moment by which the present findings were judged (the recorded one in a replay).",
     {}},
    {"shortcircuit_series_limited",
     MetricKind::gauge,
     "1 for each metric family that left out series because it hit the limit.",
     {"family"}},
    {"shortcircuit_source_up",
     MetricKind::gauge,
     "1 when the last poll of the target succeeded.",
     {"source", "target"}},
    {"shortcircuit_source_last_success_timestamp_seconds",
     MetricKind::gauge,
     "When the target was last read with success.",
     {"source", "target"}},
    {"shortcircuit_source_poll_duration_seconds",
     MetricKind::gauge,
     "How long the last poll took, also when it failed.",
     {"source", "target"}},
    {"shortcircuit_source_polls_total",
     MetricKind::counter,
     "Polls of the target.",
     {"source", "target"}},
    {"shortcircuit_source_received_bytes_total",
     MetricKind::counter,
     "Decoded bytes of answers received from the target.",
     {"source", "target"}},
    {"shortcircuit_source_parts_unread",
     MetricKind::gauge,
     "Parts that the last poll could not read though it succeeded; absent while it failed.",
     {"source", "target"}},
    {"shortcircuit_source_accepts_any_certificate",
     MetricKind::gauge,
     "1 where insecure_skip_verify is set: the target's answers may be another's.",
     {"source", "target"}},
    {"shortcircuit_source_poll_failures_total",
     MetricKind::counter,
     "Polls, and parts of polls, that failed, by reason.",
     {"source", "target", "reason"}},
    {"process_cpu_seconds_total", MetricKind::counter, "User and system CPU time.", {}},
    {"process_resident_memory_bytes", MetricKind::gauge, "Resident memory.", {}},
    {"process_virtual_memory_bytes", MetricKind::gauge, "Virtual memory.", {}},
    {"process_open_fds", MetricKind::gauge, "Open file descriptors.", {}},
    {"process_max_fds", MetricKind::gauge, "Limit of open file descriptors.", {}},
    {"process_start_time_seconds", MetricKind::gauge, "When the process started.", {}},
    {"process_threads", MetricKind::gauge, "Threads of the process.", {}},
}};

template <class State>
void describe_targets(std::string_view source, const std::vector<Observed<State>>& targets,
                      MetricSet& metrics) {
  for (const Observed<State>& observed : targets) {
    const std::vector<std::string> labels{std::string(source), observed.target};
    const TargetHealth& health = observed.health;
    if (health.polls == 0) continue;
    metrics.add(definitions[source_up], labels, health.up ? 1 : 0);
    if (health.last_success) {
      metrics.add(definitions[source_last_success], labels, unix_seconds(*health.last_success));
    }
    if (health.accepts_any_certificate) {
      metrics.add(definitions[source_any_certificate], labels, 1);
    }
    metrics.add(definitions[source_duration], labels, seconds(health.last_duration));
    metrics.add(definitions[source_polls], labels, static_cast<double>(health.polls));
    metrics.add(definitions[source_bytes], labels, static_cast<double>(health.received_bytes));
    if (health.up) {
      metrics.add(definitions[source_unread], labels, static_cast<double>(health.notes.size()));
    }
    for (std::size_t i = 0; i < failure_names.size() - 1; ++i) {
      const auto failures = health.failures.find(static_cast<Failure>(i));
      metrics.add(definitions[source_failures],
                  {labels[0], labels[1], std::string(failure_names[i])},
                  failures == health.failures.end() ? 0 : static_cast<double>(failures->second));
    }
  }
}

// Fields of /proc/self/stat after the command name, see proc(5): [0] is the state.
std::vector<std::string> stat_fields() {
  const auto content = read_file("/proc/self/stat");
  if (!content) return {};
  const auto after_name = content->rfind(") ");
  return after_name == std::string::npos ? std::vector<std::string>{}
                                         : split(content->substr(after_name + 2), ' ');
}

double boot_time_seconds() {
  const auto content = read_file("/proc/stat");
  if (!content) return 0;
  const auto at = content->find("\nbtime ");
  return at == std::string::npos ? 0 : std::stod(content->substr(at + 7));
}

}  // namespace

void describe_self(const Snapshot& snapshot, const ReloadState& reload, MetricSet& metrics) {
  metrics.add(definitions[build_info], {std::string(version()), std::string(revision())}, 1);
  metrics.add(definitions[reload_successful], reload.successful ? 1 : 0);
  if (reload.last_success) {
    metrics.add(definitions[reload_time], unix_seconds(*reload.last_success));
  }
  metrics.add(definitions[snapshot_time], unix_seconds(snapshot.time));
#define SHORTCIRCUIT_SOURCE(name) describe_targets(#name, snapshot.name, metrics);
#include "sources/sources.def"
#undef SHORTCIRCUIT_SOURCE
}

void describe_process(MetricSet& metrics) {
  const auto fields = stat_fields();
  if (fields.size() < 22) return;
  const auto ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
  metrics.add(definitions[process_cpu], (std::stod(fields[11]) + std::stod(fields[12])) / ticks);
  metrics.add(definitions[process_threads], std::stod(fields[17]));
  metrics.add(definitions[process_start], boot_time_seconds() + std::stod(fields[19]) / ticks);
  metrics.add(definitions[process_virtual], std::stod(fields[20]));
  metrics.add(definitions[process_resident],
              std::stod(fields[21]) * static_cast<double>(sysconf(_SC_PAGESIZE)));
  std::error_code code;
  std::size_t open = 0;
  for (std::filesystem::directory_iterator entry("/proc/self/fd", code), end; entry != end;
       entry.increment(code)) {
    ++open;
  }
  if (open > 0) metrics.add(definitions[process_open], static_cast<double>(open - 1));
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    metrics.add(definitions[process_max], static_cast<double>(limit.rlim_cur));
  }
}

void describe_limits(MetricSet& metrics) {
  for (const std::string& family : metrics.limited_families()) {
    metrics.add(definitions[series_limited], {family}, 1);
  }
}

std::span<const MetricDefinition> self_metric_definitions() { return definitions; }

}  // namespace shortcircuit
