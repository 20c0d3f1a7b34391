#include "config/load.h"

#include <filesystem>

#include "support/catch.h"

using namespace shortcircuit;

TEST_CASE("every configuration of a recording loads without a problem") {
  std::size_t found = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(SHORTCIRCUIT_RECORDINGS)) {
    if (entry.path().filename() != "shortcircuit.yaml") continue;
    ++found;
    const LoadedConfig config = load_config(
        entry.path().string(),
        {.for_replay = true, .environment = [](const std::string&) { return std::nullopt; }});
    CAPTURE(entry.path().string());
    if (!config) {
      for (const ConfigProblem& problem : config.error()) FAIL_CHECK(problem.text());
    }
  }
  CHECK(found > 0);
}
