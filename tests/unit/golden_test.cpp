// Recording → exposition, compared with the committed text. Rewrite after a wanted change:
//   SHORTCIRCUIT_GOLDEN=write build/dev/tests/unit_tests "[golden]"
#include <fmt/format.h>

#include <cstdlib>
#include <map>
#include <set>

#include "base/text.h"
#include "checks/check.h"
#include "exposition/describe.h"
#include "support/catch.h"
#include "support/judged_recording.h"

using namespace shortcircuit;

namespace {

// What differs from run to run and says nothing about the recording.
bool volatile_line(const std::string& line) {
  const std::string_view name = line.starts_with("# HELP ") || line.starts_with("# TYPE ")
                                    ? std::string_view(line).substr(7)
                                    : std::string_view(line);
  for (const std::string_view prefix :
       {"process_", "shortcircuit_build_info", "shortcircuit_source_poll_duration_seconds",
        "shortcircuit_config_last_reload_success_timestamp_seconds"}) {
    if (name.starts_with(prefix)) return true;
  }
  return false;
}

std::string stable_part(const std::string& exposition) {
  std::string text;
  for (const std::string& line : split(exposition, '\n')) {
    if (!line.empty() && !volatile_line(line)) text += line + "\n";
  }
  return text;
}

// Of a page that repeats most lines of another: what is found, and how many series each family has.
std::string outline(const std::string& exposition) {
  std::string text;
  std::map<std::string, int> series;
  for (const std::string& line : split(exposition, '\n')) {
    if (line.empty() || line.starts_with('#') || volatile_line(line)) continue;
    ++series[line.substr(0, line.find_first_of("{ "))];
    for (const std::string_view whole :
         {"shortcircuit_finding{", "shortcircuit_layer_findings{", "shortcircuit_route_cause{"}) {
      if (line.starts_with(whole)) text += line + "\n";
    }
  }
  for (const auto& [family, count] : series)
    text += fmt::format("{} series of {}\n", count, family);
  return text;
}

}  // namespace

TEST_CASE("golden exposition", "[golden]") {
  for (const std::string& name : recording_names()) {
    DYNAMIC_SECTION(name) {
      std::string text;
      for (const auto& [step, publication] : replay_all(recording_path(name))) {
        CHECK(describe_all(publication->fleet, publication->judgement, {}).repeated_series() ==
              std::vector<std::string>{});
        // The night's steps between the first and the last repeat most of their lines.
        const bool middle = name == "night" && !step.starts_with("00") && !step.starts_with("09");
        text += "## step " + step + "\n" +
                (middle ? outline(*publication->metrics_text)
                        : stable_part(*publication->metrics_text));
      }
      const std::string path = std::string(SHORTCIRCUIT_TESTS) + "/golden/" + name + ".txt";
      if (std::getenv("SHORTCIRCUIT_GOLDEN") != nullptr) REQUIRE(write_file(path, text));
      const auto golden = read_file(path);
      REQUIRE(golden);
      const auto wanted = split(*golden, '\n');
      const auto got = split(text, '\n');
      const std::set<std::string> wanted_lines(wanted.begin(), wanted.end());
      const std::set<std::string> got_lines(got.begin(), got.end());
      for (const std::string& line : got) {
        if (!wanted_lines.contains(line)) FAIL_CHECK("new: " << line);
      }
      for (const std::string& line : wanted) {
        if (!got_lines.contains(line)) FAIL_CHECK("gone: " << line);
      }
      CHECK(*golden == text);
    }
  }
}

TEST_CASE("the references of metrics and of checks are the program's", "[golden]") {
  const auto [file, reference] = GENERATE(std::pair{"METRICS.md", &metrics_reference},
                                          std::pair{"CHECKS.md", &checks_reference});
  const std::string path = fmt::format("{}/../exporter/{}", SHORTCIRCUIT_TESTS, file);
  if (std::getenv("SHORTCIRCUIT_GOLDEN") != nullptr) REQUIRE(write_file(path, reference()));
  CHECK(read_file(path) == reference());
}
