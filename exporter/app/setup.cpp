#include "app/setup.h"

#include "config/load.h"

namespace shortcircuit {

Result<Setup> read_setup(const Options& options) {
  Setup setup;
  std::string path = options.config_path;
  if (!options.replay_directory.empty()) {
    auto recording = Recording::open(options.replay_directory);
    if (!recording) return std::unexpected(recording.error());
    setup.recording = std::move(*recording);
    if (path.empty()) path = setup.recording->configuration_path();
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
