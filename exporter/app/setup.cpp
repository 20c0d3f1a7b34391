#include "app/setup.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "base/text.h"
#include "config/load.h"

namespace shortcircuit {
namespace {

std::unexpected<Error> no_configuration(const std::string& directory) {
  std::vector<std::string> inside;
  std::error_code code;
  for (const auto& entry : std::filesystem::directory_iterator(directory, code)) {
    if (std::filesystem::exists(entry.path() / "shortcircuit.yaml", code)) {
      inside.push_back(entry.path().filename().string());
    }
  }
  std::sort(inside.begin(), inside.end());
  return fail(Failure::internal,
              fmt::format("{}: no shortcircuit.yaml here, which a recording has; {}", directory,
                          inside.empty() ? "give --config FILE as well"
                                         : "recordings in it: " + enumerate(inside, 6)));
}

}  // namespace

Result<Setup> read_setup(const Options& options) {
  Setup setup;
  std::string path = options.config_path;
  if (!options.replay_directory.empty()) {
    auto recording = Recording::open(options.replay_directory);
    if (!recording) return std::unexpected(recording.error());
    setup.recording = std::move(*recording);
    if (path.empty()) {
      path = setup.recording->configuration_path();
      if (!std::filesystem::exists(path)) return no_configuration(options.replay_directory);
    }
  }
  if (path.empty()) return fail(Failure::internal, "no configuration: give --config FILE");
  auto config = load_config(path, {.for_replay = setup.recording != nullptr});
  if (!config) {
    std::string message;
    for (const ConfigProblem& problem : config.error()) {
      if (!message.empty()) message += '\n';
      message += problem.text();
    }
    return fail(Failure::internal, message);
  }
  setup.config = std::make_shared<const Config>(std::move(*config));
  return setup;
}

}  // namespace shortcircuit
