// A recording on disk (design: <recording>/<step>/<source>[/<target>]/<answer>.{json,txt,status}).
//
// A step holds only what changed; what it lacks is the answer of the step before. A recording whose
// root holds source folders is one step, named "."; else its steps are the sub-directories that
// hold source folders or `recorded_at`, sorted by name.
// `<answer>.status` holds an HTTP code (the body is empty) or a failure name. Within one step it
// wins over `.json` and `.txt`, and of these the extension asked for wins over the other.
// `<answer>-try1.*`, `-try2` …: the first, second … call; a gap repeats the one before it, and the
// last one answers ever after. Within one step they win over a file without a number.
// Names of targets become folders by safe_name(), those of answers files by answer_file_name(). A
// file that is named by safe_name() alone, as somebody writes it by hand, is found as well.
// `<step>/recorded_at` (RFC 3339) is the time by which that step is judged.
// Thread rules: immutable after open(); free to share.
#pragma once

#include <cstdint>
#include <map>
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
  // `directory` is a recording, or one step inside of one (then it ends with that step). It is
  // taken for a step when the directory above holds `shortcircuit.yaml` and it does not.
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
  Recording() = default;
  // Where an answer lies: the bodies stay on disk until they are asked for.
  struct File {
    std::uint32_t step = 0;
    std::uint16_t attempt = 0;  // 0: the name has no number
    enum class Kind : std::uint8_t { json, txt, status } kind = Kind::json;
  };
  void index_folder(std::size_t step, const std::string& path, const std::string& key);
  void index_file(std::size_t step, const std::string& path, const std::string& key);

  std::string directory_;
  std::vector<std::string> steps_;
  std::vector<std::optional<Time>> recorded_at_;
  std::map<std::string, std::vector<std::pair<File, std::string>>, std::less<>> files_;
};

// A name as a file name: letters, digits, `.`, `_`, `-` and whatever is not ASCII stay, the rest
// (`/`, `:`, `*` …) and a leading dot become `_`. Names that are too long end in a hash.
std::string safe_name(std::string_view name);
// The same, and two names never give one file: what was replaced ends in a hash of the whole.
std::string answer_file_name(std::string_view answer);

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
// A failure or a non-2xx answer is written as `.status`, but for a non-2xx answer named `health`
// whose body can be reduced: the body is the fact. A second, different answer to the same name
// turns the first into `-try1` and becomes `-try2`. What cannot be written is Failure::internal.
using ReduceForRecording = Result<std::string> (*)(std::string_view answer, std::string_view body);
std::unique_ptr<Http> make_capture_http(std::unique_ptr<Http> inner, std::string directory,
                                        std::string source, std::string target,
                                        ReduceForRecording reduce);

}  // namespace shortcircuit
