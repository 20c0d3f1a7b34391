#include <fmt/format.h>

#include "checks/check.h"
#include "checks/unknown.h"

namespace shortcircuit {
namespace {

Verdict judge_probes(const Fleet& fleet) {
  if (fleet.config.probes.empty()) return not_applicable();
  Verdict verdict;
  for (const auto& observed : fleet.snapshot.probes) {
    if (!observed.state) {
      verdict.unknown.push_back(fmt::format(
          "probe {}: {}", observed.target,
          observed.health.last_error ? observed.health.last_error->message : "not run yet"));
      continue;
    }
    for (const probes::Outcome& outcome : observed.state->outcomes) {
      if (outcome.unknown) {
        verdict.unknown.push_back(
            fmt::format("probe {}: {}", outcome.name, outcome.unknown->message));
      } else if (outcome.failure && !outcome.http_status) {
        verdict.unknown.push_back(
            fmt::format("probe {}: no answer ({}) whose end could be waited for", outcome.name,
                        name_of(*outcome.failure)));
      }
      if (outcome.unknown || !outcome.stalled) continue;
      verdict.findings.push_back(
          {.severity = Severity::critical,
           .reason = "stalled",
           .kind = "Probe",
           .object = outcome.name,
           .message = fmt::format("{} began to answer, sent {} bytes, and then nothing: small "
                                  "answers pass and large ones do not.",
                                  outcome.url, outcome.received_bytes),
           .cure =
               "# lower the MTU of the tunnel on the sending node to what its path carries (see "
               "path_mtu_low, or "
               "shortcircuit_path_mtu_bytes with tailscale.path_mtu: true), or let "
               "\"fragmentation needed\" messages through"});
    }
  }
  return verdict;
}

}  // namespace

const CheckDefinition transfer_stalled_check{
    .name = "transfer_stalled",
    .layer = Layer::path_mtu,
    .question = "Does an answer stop after its first bytes?",
    .reasons = {{"stalled",
                 "Headers and first bytes arrived, then nothing for the stall timeout."}},
    .judge = judge_probes};

}  // namespace shortcircuit
