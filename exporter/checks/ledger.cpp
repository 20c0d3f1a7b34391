#include "checks/ledger.h"

#include <fmt/format.h>

namespace shortcircuit {

void Ledger::apply(Judgement& judgement) {
  std::map<std::string, Time> next;
  for (Finding& finding : judgement.findings) {
    std::string key = fmt::format("{}\x1f{}\x1f{}\x1f{}\x1f{}", name_of(finding.layer),
                                  finding.check, finding.reason, finding.kind, finding.object);
    const auto known = since_.find(key);
    finding.since = known == since_.end() ? judgement.time : known->second;
    next.emplace(std::move(key), finding.since);
  }
  for (const auto& [key, since] : since_) {
    const std::string_view layer = std::string_view(key).substr(0, key.find('\x1f'));
    for (const LayerState& state : judgement.layers) {
      if (name_of(state.layer) == layer && !state.unknown.empty()) next.emplace(key, since);
    }
  }
  since_ = std::move(next);
}

}  // namespace shortcircuit
