#include "support/judged_recording.h"

#include <algorithm>
#include <filesystem>

#include "app/polling.h"
#include "config/load.h"
#include "support/catch.h"

namespace shortcircuit {

std::string recording_path(const std::string& name) {
  return std::string(SHORTCIRCUIT_RECORDINGS) + "/" + name;
}

std::vector<std::string> recording_names() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(SHORTCIRCUIT_RECORDINGS)) {
    if (std::filesystem::exists(entry.path() / "shortcircuit.yaml")) {
      names.push_back(entry.path().filename().string());
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::vector<ReplayedStep> replay_all(const std::string& directory) {
  const auto recording = Recording::open(directory);
  INFO(directory);
  REQUIRE(recording);
  auto loaded = load_config((*recording)->configuration_path(), {.for_replay = true});
  REQUIRE(loaded);
  const auto config = std::make_shared<const Config>(std::move(*loaded));
  Board board(*config);
  Ledger ledger;
  Replay replay(*recording);
  OneRound round({.config = *config, .board = board, .replay = &replay, .latest = [&] {
                    return std::make_shared<const Snapshot>(board.take(replay.time()));
                  }});
  std::vector<ReplayedStep> steps;
  for (std::size_t step = 0; step < (*recording)->steps().size(); ++step) {
    replay.go_to(step);
    round.run(Deadline::after(30s));
    steps.push_back({(*recording)->steps()[step],
                     std::make_shared<const Publication>(config, board.take(replay.time()), ledger,
                                                         ReloadState{})});
  }
  return steps;
}

}  // namespace shortcircuit
