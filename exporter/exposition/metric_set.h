// The checked sink for metrics: what a describe() function writes and the text format is made from.
//
// A MetricDefinition is declared once beside its use and listed in the generated METRICS.md. add()
// with the wrong number of labels is a mistake of the programmer: it throws std::logic_error.
// A series that exists already keeps its value: an upstream may name an object twice, and neither a
// page that Prometheus refuses whole nor no page at all is an answer to that. repeated_series()
// says so; tests hold that no recording has one. Values of labels may be any UTF-8; invalid bytes
// are replaced. Each family holds at most `series_limit` series; what is beyond is dropped, and
// limited_families() says so (shortcircuit_series_limited).
// Thread rules: one thread at a time.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace shortcircuit {

enum class MetricKind { gauge, counter };

struct MetricDefinition {
  std::string_view name;  // whole name, `shortcircuit_` included
  MetricKind kind;
  std::string_view help;  // one line
  std::vector<std::string_view> labels;
};

struct Series {
  std::vector<std::string> label_values;  // in the definition's order
  double value = 0;
};

struct Family {
  const MetricDefinition* definition = nullptr;
  std::vector<Series> series;
  std::unordered_set<std::string> seen;  // label values joined, to find duplicates
  bool limited = false;
};

class MetricSet {
 public:
  explicit MetricSet(std::size_t series_limit = 10'000) : series_limit_(series_limit) {}

  // The definition must outlive the set.
  void add(const MetricDefinition& definition, std::vector<std::string> label_values, double value);
  void add(const MetricDefinition& definition, double value) { add(definition, {}, value); }

  [[nodiscard]] const std::map<std::string_view, Family>& families() const { return families_; }
  [[nodiscard]] std::vector<std::string> limited_families() const;
  // `family{values}` of each series that was added again, bounded.
  [[nodiscard]] const std::vector<std::string>& repeated_series() const { return repeated_; }

 private:
  std::size_t series_limit_;
  std::map<std::string_view, Family> families_;
  std::vector<std::string> repeated_;
};

// Text format 0.0.4, families by name, series sorted by label values.
std::string render_text(const MetricSet& metrics);

}  // namespace shortcircuit
