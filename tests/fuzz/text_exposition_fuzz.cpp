// The Prometheus text format: as it is read from upstreams, and as it is written. What is read is
// written again with the labels it had and read back: nothing may change.
#include <fmt/format.h>

#include <cmath>
#include <deque>
#include <map>

#include "base/exposition_text.h"
#include "exposition/metric_set.h"
#include "fuzz/fuzz.h"

using namespace shortcircuit;

namespace {

bool is_ascii(std::string_view text) {
  for (const char c : text) {
    if (static_cast<unsigned char>(c) >= 0x80) return false;
  }
  return true;
}

// Values are written with 16 digits.
bool same(double a, double b) {
  return a == b || (std::isnan(a) && std::isnan(b)) || std::abs(a - b) <= 1e-15 * std::abs(a);
}

// Bytes that are no UTF-8 are replaced when written, so only ASCII comes back as it was.
void write_and_read(const Sample& sample) {
  for (const auto& [label, value] : sample.labels) {
    if (!is_ascii(value) || label.find(':') != std::string::npos) return;
  }
  MetricDefinition definition{sample.name, MetricKind::gauge, "help", {}};
  std::vector<std::string> values;
  for (const auto& [label, value] : sample.labels) {
    definition.labels.push_back(label);
    values.push_back(value);
  }
  MetricSet metrics;
  metrics.add(definition, values, sample.value);
  const auto read = parse_exposition(render_text(metrics));
  fuzz::must(read.has_value() && read->size() == 1, "what is written can be read");
  fuzz::must(read->front().name == sample.name && read->front().labels == sample.labels,
             "a series keeps its name and labels");
  fuzz::must(same(read->front().value, sample.value), "a series keeps its value");
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = fuzz::text_of(data, size);
  (void)parse_exposition(text, {"etcd_", "tailscaled_"});
  const auto samples = parse_exposition(text);
  if (!samples) return 0;
  std::size_t written = 0;
  for (const Sample& sample : *samples) {
    if (++written > 8) break;
    write_and_read(sample);
  }
  return 0;
}
