#include "sources/probes/source.h"

#include <fmt/format.h>

#include <array>
#include <set>

#include "base/json.h"
#include "base/text.h"
#include "fleet/routes.h"
#include "fleet/snapshot.h"

namespace shortcircuit::probes {
namespace {

std::optional<Failure> failure_named(std::string_view name) {
  for (std::size_t i = 0; i < failure_names.size(); ++i) {
    if (failure_names[i] == name) return static_cast<Failure>(i);
  }
  return std::nullopt;
}

void parse_outcome(const Result<HttpResponse>& response, Outcome& outcome) {
  if (!response) {
    outcome.failure = response.error().failure;
    return;
  }
  const auto read = read_json(response->body, [&](JsonView root) {
    if (!root["http_status"].missing()) {
      outcome.http_status = static_cast<int>(root["http_status"].integer());
    }
    outcome.stalled = root["stalled"].boolean_or(false);
    outcome.received_bytes = static_cast<std::uint64_t>(root["received_bytes"].integer_or(0));
    outcome.duration_seconds = root["duration_seconds"].number_or(0);
    outcome.proxy_failed = root["proxy_failed"].boolean_or(false);
    if (!root["failure"].missing()) {
      outcome.failure = failure_named(root["failure"].string());
      if (!outcome.failure) root["failure"].wrong("one of the failure names");
    }
  });
  if (!read) outcome.failure = Failure::internal;
}

HttpRequest probe_request(const Config& config, std::string answer, std::string url,
                          std::string connect_to) {
  return {.answer = std::move(answer),
          .url = std::move(url),
          .timeout = config.timeout,
          .probe = ProbeOptions{.proxy = config.proxy,
                                .stall_timeout = config.stall_timeout,
                                .connect_to = std::move(connect_to)}};
}

// Every public host through every entry address; TLS is asked for where the route has it.
std::vector<std::pair<Outcome, HttpRequest>> route_probes(const Config& config,
                                                          const Snapshot* latest) {
  std::vector<std::pair<Outcome, HttpRequest>> probes;
  if (latest == nullptr) return probes;
  std::set<std::string> seen;
  for (const Route& route : routes_of(*latest)) {
    const bool plain =
        !route.host.empty() && route.host.find_first_of("*^$\\(){}[]|? ") == std::string::npos;
    const bool http = route.kind == "Ingress" || route.kind == "IngressRoute";
    if (!plain || !http) continue;
    for (const IpAddress& entry : config.entry_addresses) {
      const std::string url =
          fmt::format("{}://{}{}", route.tls ? "https" : "http", route.host, route.path);
      Outcome outcome{.name = fmt::format("{}{} via {}", route.host, route.path, entry.text()),
                      .url = url};
      if (!seen.insert(outcome.name).second) continue;
      HttpRequest request = probe_request(config, outcome.name, url, entry.text());
      probes.emplace_back(std::move(outcome), std::move(request));
    }
  }
  return probes;
}

const MetricDefinition success{"shortcircuit_probe_success",
                               MetricKind::gauge,
                               "1 when a whole answer below 500 came.",
                               {"probe"}};
const MetricDefinition duration{"shortcircuit_probe_duration_seconds",
                                MetricKind::gauge,
                                "How long the probe took.",
                                {"probe"}};
const MetricDefinition status_code{"shortcircuit_probe_http_status_code",
                                   MetricKind::gauge,
                                   "HTTP status of the answer; absent without one.",
                                   {"probe"}};
const MetricDefinition stalled{"shortcircuit_probe_stalled",
                               MetricKind::gauge,
                               "1 when bytes arrived and then none for the stall timeout.",
                               {"probe"}};

}  // namespace

Result<State> Source::poll(PollContext& context) {
  std::vector<std::pair<Outcome, HttpRequest>> probes;
  if (config_.probes_routes()) {
    probes = route_probes(config_, context.latest);
  } else {
    probes.emplace_back(Outcome{.name = config_.target,
                                .url = without_userinfo(
                                    config_.endpoint.url.substr(0, config_.endpoint.url.find('?'))),
                                .proxy = without_userinfo(config_.proxy)},
                        probe_request(config_, "probe", config_.endpoint.url, ""));
  }
  std::vector<HttpRequest> requests;
  for (const auto& [outcome, request] : probes) requests.push_back(request);
  const auto responses = context.http.fetch(requests, context.deadline, context.stop);
  State state;
  for (std::size_t i = 0; i < probes.size(); ++i) {
    const bool replayed_nothing = context.replay && responses[i] && responses[i]->status == 404;
    if (replayed_nothing) {
      return fail(Failure::status,
                  fmt::format("{}: the recording has no such probe", requests[i].answer));
    }
    parse_outcome(responses[i], probes[i].first);
    if (probes[i].first.failure == Failure::cancelled) return fail(Failure::cancelled, "stopped");
    state.outcomes.push_back(std::move(probes[i].first));
  }
  return state;
}

Result<std::string> reduce_for_recording(std::string_view, std::string_view body) {
  return keep_fields(body, {"http_status", "stalled", "received_bytes", "duration_seconds",
                            "failure", "proxy_failed"});
}

void describe(const std::vector<Observed<State>>& targets, MetricSet& metrics) {
  for (const auto& observed : targets) {
    if (!observed.state) continue;
    for (const Outcome& outcome : observed.state->outcomes) {
      const bool good =
          outcome.http_status && *outcome.http_status < 500 && !outcome.stalled && !outcome.failure;
      metrics.add(success, {outcome.name}, good ? 1 : 0);
      metrics.add(duration, {outcome.name}, outcome.duration_seconds);
      if (outcome.http_status) metrics.add(status_code, {outcome.name}, *outcome.http_status);
      metrics.add(stalled, {outcome.name}, outcome.stalled ? 1 : 0);
    }
  }
}

std::span<const MetricDefinition> metric_definitions() {
  static const std::array all{success, duration, status_code, stalled};
  return all;
}

}  // namespace shortcircuit::probes
