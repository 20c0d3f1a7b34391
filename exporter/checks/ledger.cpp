#include "checks/ledger.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string_view>
#include <vector>

namespace shortcircuit {

void Ledger::apply(Judgement& judgement) {
  Entries next;
  for (Finding& finding : judgement.findings) {
    std::string key = fmt::format("{}\x1f{}\x1f{}\x1f{}\x1f{}", name_of(finding.layer),
                                  finding.check, finding.reason, finding.kind, finding.object);
    const auto known = entries_.find(key);
    finding.since = known == entries_.end() ? judgement.time : known->second.since;
    next.emplace(std::move(key), Entry{finding.since, judgement.time});
  }
  next.merge(absent_but_not_known_to_be_gone(judgement, next));
  entries_ = std::move(next);
}

Ledger::Entries Ledger::absent_but_not_known_to_be_gone(const Judgement& judgement,
                                                        const Entries& present) const {
  std::set<std::string_view> unknown_layers;
  for (const LayerState& state : judgement.layers) {
    if (!state.unknown.empty()) unknown_layers.insert(name_of(state.layer));
  }
  std::vector<Entries::const_iterator> absent;
  for (auto entry = entries_.begin(); entry != entries_.end(); ++entry) {
    const std::string_view layer =
        std::string_view(entry->first).substr(0, entry->first.find('\x1f'));
    if (unknown_layers.contains(layer) && !present.contains(entry->first) &&
        judgement.time - entry->second.last_seen <= forget_after) {
      absent.push_back(entry);
    }
  }
  if (absent.size() > most_absent) {
    std::ranges::nth_element(absent, absent.begin() + most_absent, std::ranges::greater{},
                             [](const auto& entry) { return entry->second.last_seen; });
    absent.resize(most_absent);
  }
  Entries kept;
  for (const auto& entry : absent) kept.insert(*entry);
  return kept;
}

}  // namespace shortcircuit
