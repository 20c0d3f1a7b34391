#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "checks/check.h"
#include "checks/cure.h"
#include "checks/unknown.h"

namespace shortcircuit {
namespace {

std::string reason_of(const probes::Outcome& outcome) {
  if (outcome.failure == Failure::timeout) return "timeout";
  if (outcome.failure == Failure::status || outcome.failure == Failure::auth) return "status";
  return "refused";
}

// One failure is none: the poll before tells.
bool worked_just_before(const Observed<probes::State>& observed, const std::string& name) {
  if (observed.earlier.empty() || !observed.earlier.back().state) return false;
  const auto& outcomes = observed.earlier.back().state->outcomes;
  return std::any_of(outcomes.begin(), outcomes.end(), [&](const probes::Outcome& before) {
    return before.name == name && !before.proxy_failed;
  });
}

Verdict judge_proxy_unreachable(const Fleet& fleet) {
  Verdict verdict{.applicable = false};
  for (const auto& observed : fleet.snapshot.probes) {
    const auto probe = std::find_if(
        fleet.config.probes.begin(), fleet.config.probes.end(),
        [&](const probes::Config& config) { return config.target == observed.target; });
    if (probe == fleet.config.probes.end() || probe->proxy.empty()) continue;
    verdict.applicable = true;
    if (!observed.state) {
      verdict.unknown.push_back(fmt::format(
          "probe {}: {}", observed.target,
          observed.health.last_error ? observed.health.last_error->message : "not run yet"));
      continue;
    }
    for (const probes::Outcome& outcome : observed.state->outcomes) {
      if (!outcome.proxy_failed || worked_just_before(observed, outcome.name)) continue;
      const std::string reason = reason_of(outcome);
      verdict.findings.push_back(
          {.severity = Severity::critical,
           .reason = reason,
           .kind = "Probe",
           .object = outcome.name,
           .message = fmt::format("The proxy {} of probe {} does not carry the request to {} ({}).",
                                  outcome.proxy, outcome.name, outcome.url,
                                  reason == "status"    ? "it answers with a refusal"
                                  : reason == "timeout" ? "no answer in time"
                                                        : "connection refused or unreachable"),
           .cure = fmt::format(
               "curl -v -x {} {}   # start the proxy there, or change the probe's proxy",
               shell_word(outcome.proxy), shell_word(outcome.url))});
    }
  }
  return verdict;
}

}  // namespace

const CheckDefinition proxy_unreachable_check{
    .name = "proxy_unreachable",
    .layer = Layer::proxy_chain,
    .question = "Does every proxy that a probe goes through carry it?",
    .reasons = {{"refused", "The proxy cannot be connected to."},
                {"timeout", "The proxy does not answer in time."},
                {"status", "The proxy answers, and refuses."}},
    .judge = judge_proxy_unreachable};

}  // namespace shortcircuit
