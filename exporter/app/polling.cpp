#include "app/polling.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <set>
#include <type_traits>

#include "base/log.h"
#include "config/kubeconfig.h"
#include "http/curl_http.h"
#include "sources/every_source.h"

namespace shortcircuit {
namespace {

std::unique_ptr<Http> make_http(const PollEnvironment& environment, const Endpoint& endpoint,
                                const std::string& source, const std::string& target,
                                ReduceForRecording reduce) {
  std::unique_ptr<Http> http =
      environment.replay != nullptr
          ? make_replay_http(environment.replay->recording(), *environment.replay, source, target)
          : make_curl_http(endpoint);
  if (environment.capture_directory.empty()) return http;
  return make_capture_http(std::move(http), environment.capture_directory, source, target, reduce);
}

std::string log_name(std::string_view source, const std::string& target) {
  return target.empty() ? std::string(source) : fmt::format("{}/{}", source, target);
}

using Follows = CommonConfig::Follows;

// One target of one source, whatever its types: polls and commits.
class Target {
 public:
  virtual ~Target() = default;
  virtual void poll(Deadline deadline, std::stop_token stop) = 0;
  [[nodiscard]] virtual Duration interval() const = 0;
  [[nodiscard]] virtual Duration timeout() const = 0;
  [[nodiscard]] virtual Follows follows() const = 0;
  [[nodiscard]] virtual bool is_followed() const = 0;  // others ask for what its answers name
  [[nodiscard]] virtual bool failed() const = 0;
};

template <class Source, class Configuration, class State>
class TypedTarget : public Target {
 public:
  TypedTarget(const PollEnvironment& environment, std::string_view source_name,
              const Configuration& configuration, std::vector<Observed<State>> Snapshot::* field,
              std::size_t index, ReduceForRecording reduce)
      : environment_(environment),
        name_(log_name(source_name, configuration.target)),
        configuration_(configuration),
        field_(field),
        index_(index),
        make_http_([&environment, source = std::string(source_name), reduce](const auto& config) {
          return make_http(environment, config.endpoint, source, config.target, reduce);
        }),
        http_(make_http_(configuration)),
        source_(configuration),
        is_followed_(source_name == "kubernetes" || source_name == "traefik" ||
                     source_name == "dns") {
    if (configuration.endpoint.tls.insecure_skip_verify && environment.replay == nullptr) {
      log_warn(
          "any certificate is accepted (insecure_skip_verify): whoever stands in between can "
          "read the credentials and answer in its place",
          {{"source", name_}});
    }
  }

  void poll(Deadline deadline, std::stop_token stop) override {
    const bool needs_latest = follows() != Follows::nothing && environment_.latest;
    const auto latest = needs_latest ? environment_.latest() : nullptr;
    PollContext context{.http = *http_,
                        .deadline = deadline,
                        .stop = stop,
                        .now = environment_.replay != nullptr ? environment_.replay->time() : now(),
                        .latest = latest.get(),
                        .replay = environment_.replay != nullptr,
                        .once = environment_.once,
                        .notes = {}};
    const auto begin = std::chrono::steady_clock::now();
    auto result = poll_behind_a_wall(context);
    if (stop.stop_requested()) return;
    std::set<std::string> wrong = what_is_wrong(result, context.notes);
    failed_ = !result.has_value();
    refused_ = failed_ &&
               (result.error().failure == Failure::auth || result.error().failure == Failure::tls);
    environment_.board.commit(field_, index_,
                              PollOutcome<State>{.result = std::move(result),
                                                 .notes = std::move(context.notes),
                                                 .duration = std::chrono::duration_cast<Duration>(
                                                     std::chrono::steady_clock::now() - begin),
                                                 .received_bytes = http_->take_received_bytes(),
                                                 .time = context.now});
    log_change(std::move(wrong));  // may wait for whoever reads the log
    if (refused_) read_kubeconfig_again();
  }

  [[nodiscard]] Duration interval() const override { return configuration_.interval; }
  [[nodiscard]] Duration timeout() const override { return configuration_.timeout; }
  [[nodiscard]] Follows follows() const override { return configuration_.follows(); }
  [[nodiscard]] bool is_followed() const override { return is_followed_; }
  [[nodiscard]] bool failed() const override { return failed_; }

 private:
  Result<State> poll_behind_a_wall(PollContext& context) {
    try {
      return source_->poll(context);
    } catch (const std::exception& error) { return fail(Failure::internal, error.what()); }
  }

  // Its credentials are part of the configuration, but whoever renews them writes it anew.
  void read_kubeconfig_again() {
    if constexpr (std::is_same_v<Configuration, kubernetes::Config>) {
      if (configuration_.kubeconfig.empty() || environment_.replay != nullptr) return;
      std::error_code unreadable;
      const auto written = std::filesystem::last_write_time(configuration_.kubeconfig, unreadable);
      if (unreadable || kubeconfig_written_ == written) return;
      kubeconfig_written_ = written;
      auto endpoint = read_kubeconfig(configuration_.kubeconfig, configuration_.context);
      if (!endpoint) return;
      configuration_.endpoint = std::move(*endpoint);
      source_.reset();  // follows answers of the old connection
      http_ = make_http_(configuration_);
      source_.emplace(configuration_);
      log_info("kubeconfig read again", {{"source", name_}});
    }
  }

  static std::set<std::string> what_is_wrong(const Result<State>& result,
                                             const std::vector<Error>& notes) {
    std::set<std::string> wrong;
    if (!result) wrong.insert(result.error().message);
    for (const Error& note : notes) wrong.insert(note.message);
    return wrong;
  }

  // A line when something changes, not one a poll.
  void log_change(std::set<std::string> now_wrong) {
    for (const std::string& message : now_wrong) {
      if (!wrong_.contains(message)) {
        log_warn(failed_ ? "source cannot be read" : "part of a source cannot be read",
                 {{"source", name_}, {"error", message}});
      }
    }
    if (now_wrong.empty() && !wrong_.empty()) log_info("source is fine again", {{"source", name_}});
    wrong_ = std::move(now_wrong);
  }

  const PollEnvironment& environment_;
  std::string name_;
  Configuration configuration_;
  std::vector<Observed<State>> Snapshot::* field_;
  std::size_t index_;
  std::function<std::unique_ptr<Http>(const Configuration&)> make_http_;
  std::unique_ptr<Http> http_;
  std::optional<Source> source_;
  bool is_followed_;
  bool failed_ = false;
  bool refused_ = false;  // what we are does not suffice any more
  std::optional<std::filesystem::file_time_type> kubeconfig_written_;  // when last read again
  std::set<std::string> wrong_;
};

std::vector<std::unique_ptr<Target>> make_targets(const PollEnvironment& environment) {
  std::vector<std::unique_ptr<Target>> targets;
#define SHORTCIRCUIT_SOURCE(name)                                                             \
  for (std::size_t i = 0; i < environment.config.name.size(); ++i) {                          \
    targets.push_back(std::make_unique<TypedTarget<name::Source, name::Config, name::State>>( \
        environment, #name, environment.config.name[i], &Snapshot::name, i,                   \
        &name::reduce_for_recording));                                                        \
  }
#include "sources/sources.def"
#undef SHORTCIRCUIT_SOURCE
  return targets;
}

// Is there anything that could be asked for?
bool may_begin(Follows follows, const Snapshot* latest) {
  if (follows == Follows::nothing) return true;
  if (latest == nullptr) return false;
  return follows == Follows::routes ||
         std::ranges::all_of(latest->dns, [](const auto& dns) { return dns.health.polls > 0; });
}

// Ticks follow from the tick before, not from the end of the poll, so that they do not drift.
void poll_for_ever(Target& target, const PollEnvironment& environment, std::stop_token stop) {
  constexpr auto soon = 100ms;
  while (!stop.stop_requested() &&
         !may_begin(target.follows(), environment.latest ? environment.latest().get() : nullptr)) {
    wait_until(std::chrono::steady_clock::now() + soon, stop);
  }
  auto tick = std::chrono::steady_clock::now();
  const auto interval =
      std::chrono::duration_cast<std::chrono::steady_clock::duration>(target.interval());
  while (!stop.stop_requested()) {
    target.poll(Deadline::after(target.timeout()), stop);
    const auto present = std::chrono::steady_clock::now();
    do tick += interval;
    while (tick < present);
    wait_until(tick, stop);
  }
}

}  // namespace

Pollers::Pollers(PollEnvironment environment) : environment_(std::move(environment)) {
  for (auto& target : make_targets(environment_)) {
    threads_.emplace_back(
        [target = std::shared_ptr<Target>(std::move(target)), this](std::stop_token stop) {
          poll_for_ever(*target, environment_, stop);
        });
  }
}

Pollers::~Pollers() {
  for (auto& thread : threads_) thread.request_stop();
}

struct OneRound::Targets {
  std::vector<std::unique_ptr<Target>> all;
};

OneRound::OneRound(PollEnvironment environment) : environment_(std::move(environment)) {
  environment_.once = true;
  targets_ = std::make_unique<Targets>();
}

OneRound::~OneRound() = default;

void OneRound::run(Deadline deadline) {
  if (targets_->all.empty()) targets_->all = make_targets(environment_);
  const bool any_follow = std::ranges::any_of(
      targets_->all, [](const auto& target) { return target->follows() != Follows::nothing; });
  const auto poll = [this, deadline, any_follow](Target& target) {
    // In a replay a step stands for as long as it takes until a failing source is unknown.
    const int attempts = environment_.replay != nullptr ? missed_polls_until_unknown : 1;
    for (int attempt = 0; attempt < attempts; ++attempt) {
      // Those that follow keep some time.
      const Deadline own = Deadline::after(target.timeout());
      const bool is_awaited = any_follow && target.is_followed();
      target.poll(is_awaited && own.at < deadline.at ? own : deadline, {});
      if (!target.failed()) return;
    }
  };
  std::vector<std::jthread> others;
  for (const Follows turn : {Follows::nothing, Follows::routes, Follows::names}) {
    std::vector<std::jthread> awaited;  // the next turn begins when these are done
    for (auto& target : targets_->all) {
      if (target->follows() != turn) continue;
      (target->is_followed() ? awaited : others).emplace_back([&poll, &target] { poll(*target); });
    }
  }
}

}  // namespace shortcircuit
