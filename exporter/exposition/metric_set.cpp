#include "exposition/metric_set.h"

#include <fmt/format.h>

#include <stdexcept>

#include "base/text.h"

namespace shortcircuit {

void MetricSet::add(const MetricDefinition& definition, std::vector<std::string> label_values,
                    double value) {
  if (label_values.size() != definition.labels.size()) {
    throw std::logic_error(fmt::format("{}: {} label values for {} labels", definition.name,
                                       label_values.size(), definition.labels.size()));
  }
  Family& family = families_[definition.name];
  family.definition = &definition;
  if (family.series.size() >= series_limit_) {
    family.limited = true;
    return;
  }
  // Before the comparison: two values may be alike once they are valid.
  for (std::string& text : label_values) replace_invalid_utf8(text);
  if (!family.seen.insert(fmt::format("{}", fmt::join(label_values, "\x1f"))).second) {
    constexpr std::size_t most_repeated = 16;
    if (repeated_.size() < most_repeated) {
      repeated_.push_back(fmt::format("{}{{{}}}", definition.name, fmt::join(label_values, ",")));
    }
    return;
  }
  family.series.push_back({std::move(label_values), value});
}

std::vector<std::string> MetricSet::limited_families() const {
  std::vector<std::string> names;
  for (const auto& [name, family] : families_) {
    if (family.limited) names.emplace_back(name);
  }
  return names;
}

}  // namespace shortcircuit
