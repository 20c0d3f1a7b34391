// The generated references are the program's own words.
#include "app/options.h"
#include "base/text.h"
#include "config/load.h"
#include "config/print.h"
#include "support/catch.h"

using namespace shortcircuit;

TEST_CASE("the reference of the configuration is the program's") {
  CHECK(read_file(std::string(SHORTCIRCUIT_TESTS) + "/../exporter/CONFIGURATION.md") ==
        configuration_reference());
}

TEST_CASE("no default holds a backtick, since it is shown as code") {
  for (const KeyDescription& key : describe_config()) {
    CAPTURE(key.section, key.key);
    CHECK(key.fallback.find('`') == std::string::npos);
  }
}

TEST_CASE("the reference of the command line is the program's") {
  CHECK(read_file(std::string(SHORTCIRCUIT_TESTS) + "/../exporter/COMMAND_LINE.md") ==
        command_line_reference());
}
