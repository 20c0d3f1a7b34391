#include "checks/judgement.h"

#include <algorithm>
#include <tuple>

#include "checks/check.h"
#include "checks/dependents.h"
#include "checks/walk.h"

namespace shortcircuit {
namespace {

// What the checks of one layer said together.
struct LayerCount {
  bool applicable = false;
  std::size_t findings = 0;
  std::vector<std::string> unknown;
};

LayerStatus status_of(const LayerCount& count) {
  if (count.findings > 0) return LayerStatus::broken;
  if (!count.unknown.empty()) return LayerStatus::unknown;
  return count.applicable ? LayerStatus::ok : LayerStatus::off;
}

// A name with a line break in it must not end the comment of a command that somebody pastes.
std::string one_line(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](unsigned char c) { return c < ' ' || c == 0x7f; }, ' ');
  return text;
}

}  // namespace

Judgement judge(const Fleet& fleet) {
  Judgement judgement{.time = fleet.snapshot.time, .snapshot = fleet.snapshot.number};
  std::array<LayerCount, layer_names.size()> layers;
  for (const CheckDefinition* check : all_checks()) {
    Verdict verdict = check->judge(fleet);
    LayerCount& layer = layers[static_cast<std::size_t>(check->layer)];
    layer.applicable = layer.applicable || verdict.applicable;
    if (!verdict.unknown.empty()) judgement.unknown_checks.emplace(check->name);
    for (std::string& unknown : verdict.unknown) {
      if (std::find(layer.unknown.begin(), layer.unknown.end(), unknown) == layer.unknown.end()) {
        layer.unknown.push_back(std::move(unknown));
      }
    }
    std::stable_sort(verdict.findings.begin(), verdict.findings.end(),
                     [](const Finding& a, const Finding& b) {
                       return std::tie(a.severity, a.object, a.reason, a.kind) <
                              std::tie(b.severity, b.object, b.reason, b.kind);
                     });
    // An upstream that lists an object twice does not make it two findings.
    const auto again =
        std::ranges::unique(verdict.findings, [](const Finding& a, const Finding& b) {
          return std::tie(a.severity, a.object, a.reason, a.kind) ==
                 std::tie(b.severity, b.object, b.reason, b.kind);
        });
    verdict.findings.erase(again.begin(), again.end());
    for (Finding& finding : verdict.findings) {
      finding.cure = one_line(std::move(finding.cure));
      finding.check = check->name;
      finding.layer = check->layer;
      if (finding.severity != Severity::info) ++layer.findings;
      judgement.findings.push_back(std::move(finding));
    }
  }
  for (std::size_t i = 0; i < layers.size(); ++i) {
    judgement.layers.push_back({.layer = static_cast<Layer>(i),
                                .status = status_of(layers[i]),
                                .findings = layers[i].findings,
                                .unknown = std::move(layers[i].unknown)});
  }
  std::stable_sort(judgement.findings.begin(), judgement.findings.end(),
                   [](const Finding& a, const Finding& b) { return a.layer < b.layer; });
  walk_routes(fleet, judgement);
  list_dependents(fleet, judgement);
  for (Dependent& dependent : judgement.dependents) {
    dependent.cure = one_line(std::move(dependent.cure));
  }
  return judgement;
}

std::size_t unknown_routes(const Judgement& judgement) {
  return static_cast<std::size_t>(
      std::ranges::count(judgement.routes, LinkStatus::unknown, &RouteWalk::status));
}

Overall overall_of(const Judgement& judgement) {
  const auto any_layer = [&](auto&& holds) { return std::ranges::any_of(judgement.layers, holds); };
  const bool found = std::ranges::any_of(judgement.findings, [](const Finding& finding) {
    return finding.severity != Severity::info;
  });
  if (found) return Overall::found;
  if (!any_layer([](const LayerState& state) { return state.status != LayerStatus::off; })) {
    return Overall::nothing_judged;
  }
  // A layer with findings of one check can be unknown to another.
  const bool in_part = any_layer([](const LayerState& state) { return !state.unknown.empty(); }) ||
                       unknown_routes(judgement) > 0;
  return in_part ? Overall::in_part : Overall::fine;
}

}  // namespace shortcircuit
