// One poll of one source against a recording, as the program would do it.
#pragma once

#include <memory>
#include <stdexcept>
#include <string>

#include "http/recording.h"
#include "sources/source.h"

namespace shortcircuit::testing {

struct FixedPosition : ReplayPosition {
  std::size_t at = 0;
  [[nodiscard]] std::size_t step() const override { return at; }
};

// Polls `source` at `step` of tests/recordings/<recording>.
template <class Source>
auto replayed_poll(Source& source, const std::string& recording, const std::string& source_name,
                   const std::string& target = "", std::size_t step = 0) {
  auto opened = Recording::open(std::string(SHORTCIRCUIT_RECORDINGS) + "/" + recording);
  if (!opened) throw std::runtime_error(opened.error().message);
  FixedPosition position;
  position.at = step;
  auto http = make_replay_http(*opened, position, source_name, target);
  PollContext context{.http = *http,
                      .deadline = Deadline::after(5s),
                      .stop = {},
                      .now = (*opened)->recorded_at(step).value_or(now()),
                      .latest = nullptr,
                      .replay = true,
                      .once = true,
                      .notes = {}};
  return source.poll(context);
}

}  // namespace shortcircuit::testing
