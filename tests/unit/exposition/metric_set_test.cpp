#include "exposition/metric_set.h"

#include <set>
#include <stdexcept>

#include "exposition/describe.h"
#include "exposition/gzip.h"
#include "support/catch.h"

using namespace shortcircuit;

namespace {
const MetricDefinition example{
    "shortcircuit_example", MetricKind::gauge, "An example.", {"object", "reason"}};
const MetricDefinition other{"shortcircuit_another_total", MetricKind::counter, "Another.", {}};
}  // namespace

TEST_CASE("the page is sorted and label values are escaped") {
  MetricSet metrics;
  metrics.add(example, {"b\"\\\n", "x"}, 2);
  metrics.add(example, {"a", "x"}, 0.5);
  metrics.add(other, 3);
  CHECK(render_text(metrics) ==
        "# HELP shortcircuit_another_total Another.\n"
        "# TYPE shortcircuit_another_total counter\n"
        "shortcircuit_another_total 3\n"
        "# HELP shortcircuit_example An example.\n"
        "# TYPE shortcircuit_example gauge\n"
        "shortcircuit_example{object=\"a\",reason=\"x\"} 0.5\n"
        "shortcircuit_example{object=\"b\\\"\\\\\\n\",reason=\"x\"} 2\n");
}

TEST_CASE("a series that is added twice keeps its first value and is told") {
  MetricSet metrics;
  metrics.add(example, {"a", "x"}, 1);
  metrics.add(example, {"a", "x"}, 2);
  REQUIRE(metrics.families().at("shortcircuit_example").series.size() == 1);
  CHECK(metrics.families().at("shortcircuit_example").series[0].value == 1);
  CHECK(metrics.repeated_series() == std::vector<std::string>{"shortcircuit_example{a,x}"});
}

TEST_CASE("the wrong number of labels is a mistake") {
  MetricSet metrics;
  CHECK_THROWS_AS(metrics.add(example, {"a"}, 1), std::logic_error);
}

TEST_CASE("label values are valid UTF-8, also when that makes two of them alike") {
  MetricSet metrics;
  metrics.add(example, {"a\xff", "x"}, 1);
  metrics.add(example, {"a\xfe", "x"}, 1);
  CHECK(metrics.families().at("shortcircuit_example").series[0].label_values[0] == "a\uFFFD");
  CHECK(metrics.repeated_series().size() == 1);
}

TEST_CASE("a family over the limit is cut and says so") {
  MetricSet metrics(2);
  for (const auto* object : {"a", "b", "c"}) metrics.add(example, {object, "x"}, 1);
  CHECK(metrics.families().at("shortcircuit_example").series.size() == 2);
  CHECK(metrics.limited_families() == std::vector<std::string>{"shortcircuit_example"});
}

TEST_CASE("every declared metric is fit for the text format") {
  std::set<std::string_view> names;
  for (const MetricDefinition* definition : all_metric_definitions()) {
    INFO(definition->name);
    CHECK(names.insert(definition->name).second);
    CHECK(definition->help.find_first_of("\n\\|") == std::string_view::npos);
    CHECK(definition->help.ends_with('.'));
    CHECK((definition->kind == MetricKind::counter) == definition->name.ends_with("_total"));
    for (const std::string_view label : definition->labels) {
      for (const std::string_view reserved :
           {"namespace", "pod", "service", "node", "endpoint", "instance", "job"}) {
        CHECK(label != reserved);
      }
    }
  }
}

TEST_CASE("gzip makes a gzip member") {
  const std::string packed = gzip(std::string(10000, 'a'));
  CHECK(packed.size() < 200);
  CHECK(packed.substr(0, 2) == "\x1f\x8b");
}
