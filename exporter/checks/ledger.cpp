#include "checks/ledger.h"

#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>
#include <string_view>
#include <vector>

namespace shortcircuit {
namespace {

constexpr char separator = '\x1f';

std::string joined(std::initializer_list<std::string_view> parts) {
  return fmt::format("{}", fmt::join(parts, std::string_view(&separator, 1)));
}

}  // namespace

void Ledger::apply(Judgement& judgement) {
  Entries next;
  const auto since = [&](std::string key) {
    const auto known = entries_.find(key);
    // Never later than now, though the clock may have been set back.
    const Time first =
        known == entries_.end() ? judgement.time : std::min(known->second.since, judgement.time);
    next.emplace(std::move(key), Entry{first, judgement.time});
    return first;
  };
  for (Finding& finding : judgement.findings) {
    const std::string key = joined({finding.check, finding.reason, finding.kind, finding.object});
    finding.since = since(key);
    for (FindingPart& part : finding.parts) part.since = since(joined({key, part.name}));
  }
  next.merge(absent_but_not_known_to_be_gone(judgement, next));
  entries_ = std::move(next);
}

Ledger::Entries Ledger::absent_but_not_known_to_be_gone(const Judgement& judgement,
                                                        const Entries& present) const {
  std::vector<Entries::const_iterator> absent;
  for (auto entry = entries_.begin(); entry != entries_.end(); ++entry) {
    const std::string_view check =
        std::string_view(entry->first).substr(0, entry->first.find(separator));
    if (judgement.unknown_checks.contains(check) && !present.contains(entry->first) &&
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
