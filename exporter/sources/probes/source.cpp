#include "sources/probes/source.h"

#include <fmt/format.h>

#include <algorithm>
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

// What a failed request was like is in the answer too; without an answer nothing was seen.
void parse_outcome(const Result<HttpResponse>& response, const HttpRequest& request,
                   Outcome& outcome) {
  const auto answer = expect_success(response, request);
  if (!answer) {
    outcome.unknown = answer.error();
    return;
  }
  const auto read = read_json(answer->body, [&](JsonView root) {
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
  if (!read) outcome.unknown = read.error().in(request.answer);
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

// One request and what is known of its outcome before it is sent.
struct Probe {
  Outcome outcome;
  HttpRequest request;
};

// Where traffic for a host enters. Nothing: DNS was not asked for it yet, or could not say.
Result<std::vector<IpAddress>> entries_of(const Config& config, const Snapshot& latest,
                                          const std::string& host) {
  if (!config.by_name()) return config.entry_addresses;
  const auto& hosts = state_of(latest.dns)->hosts;
  const auto answer = hosts.find(host);
  if (answer == hosts.end()) return fail(Failure::resolve, "not asked for yet");
  if (!answer->second) return std::unexpected(answer->second.error());
  return answer->second->addresses;
}

// Every public host through every entry address; TLS is asked for where the route has it.
Result<std::vector<Probe>> route_probes(const Config& config, const Snapshot* latest) {
  const auto routes = known_routes(latest);
  if (!routes) return std::unexpected(routes.error());
  std::vector<Probe> probes;
  if (routes->empty()) return probes;
  if (config.by_name() && state_of(latest->dns) == nullptr) {
    return fail(Failure::resolve, "the addresses of the hosts are not known: see the source dns");
  }
  std::set<std::string> seen;
  for (const Route& route : *routes) {
    const bool http = route.kind == "Ingress" || route.kind == "IngressRoute";
    if (!http || !is_plain_host(route.host)) continue;
    const std::string name = route.host + route.path;
    const std::string url = fmt::format("{}://{}", route.tls ? "https" : "http", name);
    const auto entries = entries_of(config, *latest, route.host);
    if (!entries && seen.insert(name).second) {
      probes.push_back({.outcome = {.name = name,
                                    .url = url,
                                    .unknown = entries.error().in("DNS of " + route.host),
                                    .of_route = true},
                        .request = {}});
    }
    for (const IpAddress& entry : entries.value_or(std::vector<IpAddress>{})) {
      const std::string through = fmt::format("{} via {}", name, entry.text());
      if (!seen.insert(through).second) continue;
      probes.push_back({.outcome = {.name = through, .url = url, .of_route = true},
                        .request = probe_request(config, through, url, entry.text())});
    }
  }
  return probes;
}

const MetricDefinition success{"shortcircuit_probe_success",
                               MetricKind::gauge,
                               "1 when a whole answer below 500 came; 404 counts only for "
                               "expect.probe_routes.",
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
  std::vector<Probe> probes;
  if (config_.probes_routes()) {
    auto of_routes = route_probes(config_, context.latest);
    if (!of_routes) return std::unexpected(of_routes.error());
    probes = std::move(*of_routes);
  } else {
    const std::string& url = config_.endpoint.url;
    probes.push_back({.outcome = {.name = config_.target,
                                  .url = without_userinfo(url.substr(0, url.find('?'))),
                                  .proxy = without_userinfo(config_.proxy)},
                      .request = probe_request(config_, "probe", url, "")});
  }
  std::vector<HttpRequest> requests;
  for (const Probe& probe : probes) {
    if (!probe.outcome.unknown) requests.push_back(probe.request);
  }
  // In so short a time a transfer that stalls would only look slow.
  const bool too_late = !context.replay && context.deadline.remaining() < config_.stall_timeout;
  const auto responses = context.http.fetch(requests, context.deadline, context.stop);
  auto response = responses.begin();
  State state;
  for (auto& [outcome, request] : probes) {
    if (!outcome.unknown) {  // else the source dns says it
      parse_outcome(*response++, request, outcome);
      if (too_late && outcome.failure == Failure::timeout) {
        outcome.unknown = Error{Failure::timeout, outcome.name + ": no time was left to wait"};
      }
      const auto& unknown = outcome.unknown;
      if (unknown && unknown->failure == Failure::cancelled) return std::unexpected(*unknown);
      // What a recording lacks is unknown, but nothing failed.
      if (unknown && !(context.replay && unknown->http_status == 404)) context.note(*unknown);
    }
    state.outcomes.push_back(std::move(outcome));
  }
  const auto& outcomes = state.outcomes;
  if (!outcomes.empty() && std::all_of(outcomes.begin(), outcomes.end(), [](const Outcome& one) {
        return one.unknown.has_value();
      })) {
    const Error error = *outcomes.front().unknown;
    context.notes.clear();  // the failure of the poll says it
    return std::unexpected(error);
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
      if (outcome.unknown) continue;
      metrics.add(success, {outcome.name}, outcome.succeeded() ? 1 : 0);
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
