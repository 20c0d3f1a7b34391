// No series carries a label outside the contract (labels.txt, written by hand), on no page of no
// recording; and the program declares what the contract says, nothing more.
#include <fmt/format.h>

#include <map>
#include <set>

#include "base/exposition_text.h"
#include "base/text.h"
#include "exposition/describe.h"
#include "support/catch.h"
#include "support/judged_recording.h"

using namespace shortcircuit;

namespace {

// Label → all its values; empty: any.
using Labels = std::map<std::string, std::set<std::string>>;

std::map<std::string, Labels> contract() {
  std::map<std::string, Labels> families;
  const auto text = read_file(SHORTCIRCUIT_TESTS "/unit/exposition/labels.txt");
  REQUIRE(text);
  for (const std::string& line : split(*text, '\n')) {
    if (line.empty() || line.starts_with('#')) continue;
    const auto colon = line.find(':');
    INFO(line);
    REQUIRE(colon != std::string::npos);
    Labels& labels = families[line.substr(0, colon)];
    for (const std::string& part : split(line.substr(colon + 1), ',')) {
      const std::string label(trim(part));
      if (label.empty()) continue;
      const auto equals = label.find('=');
      auto& values = labels[label.substr(0, equals)];
      if (equals == std::string::npos) continue;
      for (const std::string& value : split(label.substr(equals + 1), '|')) values.insert(value);
    }
  }
  return families;
}

// What is wrong with one series; "" when nothing is.
std::string difference(const std::map<std::string, Labels>& families, const Sample& sample) {
  const auto family = families.find(sample.name);
  if (family == families.end()) return "is no family of the contract";
  for (const auto& [label, value] : sample.labels) {
    const auto known = family->second.find(label);
    if (known == family->second.end()) return "must not have the label " + label;
    if (!known->second.empty() && !known->second.contains(value)) {
      return fmt::format("must not have {}=\"{}\"", label, value);
    }
  }
  return sample.labels.size() == family->second.size() ? "" : "lacks a label";
}

}  // namespace

TEST_CASE("no series carries a label outside the contract, on any page of any recording") {
  const auto families = contract();
  std::size_t pages = 0;
  std::set<std::string> seen;
  for (const std::string& name : recording_names()) {
    for (const auto& [step, publication] : replay_all(recording_path(name))) {
      const auto samples = parse_exposition(*publication->metrics_text);
      INFO(name << " " << step);
      REQUIRE(samples);
      ++pages;
      for (const Sample& sample : *samples) {
        seen.insert(sample.name);
        const std::string wrong = difference(families, sample);
        if (!wrong.empty()) FAIL_CHECK(sample.name << " " << wrong);
      }
    }
  }
  CHECK(pages >= 72);
  CHECK(seen.size() * 10 > families.size() * 8);  // most families were looked at
}

TEST_CASE("the program declares the families and labels of the contract") {
  std::set<std::string> wanted;
  for (const auto& [family, labels] : contract()) {
    std::vector<std::string> names;
    for (const auto& [label, values] : labels) names.push_back(label);
    wanted.insert(fmt::format("{}{{{}}}", family, fmt::join(names, ",")));
  }
  std::set<std::string> declared;
  for (const MetricDefinition* definition : all_metric_definitions()) {
    std::set<std::string_view> names(definition->labels.begin(), definition->labels.end());
    declared.insert(fmt::format("{}{{{}}}", definition->name, fmt::join(names, ",")));
  }
  CHECK(declared == wanted);
}
