// A recording on disk (design: <recording>/<step>/<source>[/<target>]/<answer>.{json,txt,status}).
//
// A step holds only what changed; what it lacks is the answer of the step before. A recording
// without steps is one step, named ".". `<answer>.status` holds an HTTP code or a failure name.
// `<answer>-try1.*`, `-try2` …: the first, second … call; the last one answers ever after.
// `<step>/recorded_at` (RFC 3339) is the time by which that step is judged.
// Thread rules: immutable after open(); free to share.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "http/http.h"

namespace shortcircuit {

class Recording {
 public:
  // `directory` is a recording, or one step inside of one (then it ends with that step).
  // Failure::internal with a sentence that says what was expected, when it is neither.
  static Result<std::shared_ptr<const Recording>> open(const std::string& directory);

  [[nodiscard]] const std::vector<std::string>& steps() const { return steps_; }
  // Of the step or the nearest one before it; nothing when none has it.
  [[nodiscard]] std::optional<Time> recorded_at(std::size_t step) const;
  [[nodiscard]] std::string configuration_path() const;  // <recording>/shortcircuit.yaml
  // `attempt` counts the calls for this answer within the step, from 1. A missing answer is a
  // response with status 404.
  [[nodiscard]] Result<HttpResponse> answer(std::size_t step, std::string_view source,
                                            std::string_view target, const HttpRequest& request,
                                            int attempt) const;

 private:
  std::string directory_;
  std::vector<std::string> steps_;
};

// Where a replay stands. The one mutable thing of a replay; every member may be called from any
// thread.
class ReplayPosition {
 public:
  virtual ~ReplayPosition() = default;
  [[nodiscard]] virtual std::size_t step() const = 0;
};

std::unique_ptr<Http> make_replay_http(std::shared_ptr<const Recording> recording,
                                       const ReplayPosition& position, std::string source,
                                       std::string target);

// Passes requests to `inner` and writes every answer below `directory`/<source>[/<target>], reduced
// by `reduce` (an allow-list). An answer that cannot be reduced is written as `.status` `schema`.
using ReduceForRecording = Result<std::string> (*)(std::string_view answer, std::string_view body);
std::unique_ptr<Http> make_capture_http(std::unique_ptr<Http> inner, std::string directory,
                                        std::string source, std::string target,
                                        ReduceForRecording reduce);

}  // namespace shortcircuit
