// The only place that sees prometheus-cpp: its data model and its text serializer.
#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <sstream>

#include "exposition/metric_set.h"

namespace shortcircuit {
namespace {

prometheus::ClientMetric client_metric(const MetricDefinition& definition, const Series& series) {
  prometheus::ClientMetric metric;
  for (std::size_t i = 0; i < definition.labels.size(); ++i) {
    metric.label.push_back({std::string(definition.labels[i]), series.label_values[i]});
  }
  if (definition.kind == MetricKind::counter) {
    metric.counter.value = series.value;
  } else {
    metric.gauge.value = series.value;
  }
  return metric;
}

}  // namespace

std::string render_text(const MetricSet& metrics) {
  const prometheus::TextSerializer serializer;
  std::ostringstream text;
  for (const auto& [name, family] : metrics.families()) {
    // One family at a time: the library's copies of all of them together would double the peak.
    prometheus::MetricFamily converted;
    converted.name = std::string(name);
    converted.help = std::string(family.definition->help);
    converted.type = family.definition->kind == MetricKind::counter
                         ? prometheus::MetricType::Counter
                         : prometheus::MetricType::Gauge;
    std::vector<const Series*> sorted;
    sorted.reserve(family.series.size());
    for (const Series& series : family.series) sorted.push_back(&series);
    std::sort(sorted.begin(), sorted.end(),
              [](const Series* a, const Series* b) { return a->label_values < b->label_values; });
    for (const Series* series : sorted) {
      converted.metric.push_back(client_metric(*family.definition, *series));
    }
    serializer.Serialize(text, {converted});
  }
  return std::move(text).str();
}

}  // namespace shortcircuit
