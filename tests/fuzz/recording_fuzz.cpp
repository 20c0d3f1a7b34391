// The loader of recordings: the input names files and what is in them (answers.h). They lie in a
// directory in memory, since a million inputs are some million files.
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "fuzz/answers.h"
#include "fuzz/fuzz.h"
#include "http/recording.h"

using namespace shortcircuit;

namespace {

namespace fs = std::filesystem;

const fs::path& workspace() {
  static const fs::path path = [] {
    const fs::path memory = "/dev/shm";
    fs::path made = (fs::is_directory(memory) ? memory : fs::temp_directory_path()) /
                    ("shortcircuit-fuzz-" + std::to_string(getpid()));
    std::atexit([] { fs::remove_all(workspace()); });
    return made;
  }();
  return path;
}

// Nothing may be written outside of the workspace.
bool is_tame(std::string_view name) {
  return !name.empty() && name.size() < 100 && name.front() != '/' &&
         name.find("..") == std::string_view::npos && name.find('\0') == std::string_view::npos;
}

void write(std::string_view name, std::string_view text) {
  if (!is_tame(name)) return;
  std::error_code code;
  const fs::path path = workspace() / name;
  fs::create_directories(path.parent_path(), code);
  std::ofstream(path, std::ios::binary) << text;
}

void ask(const Recording& recording) {
  struct Question {
    const char* source;
    const char* target;
    const char* answer;
    const char* extension;
  };
  constexpr Question questions[] = {{"kubernetes", "", "nodes", "json"},
                                    {"etcd", "a", "metrics", "txt"},
                                    {"tailscale", "a", "ping-b-1000", "json"},
                                    {"traefik", "", "version", "json"}};
  for (std::size_t step = 0; step < recording.steps().size(); ++step) {
    (void)recording.recorded_at(step);
    for (const Question& question : questions) {
      HttpRequest request{.answer = question.answer, .extension = question.extension};
      request.body_limit = 64;
      for (const int attempt : {1, 2, 7}) {
        const auto answer =
            recording.answer(step, question.source, question.target, request, attempt);
        if (answer) {
          fuzz::must(answer->body.size() <= request.body_limit, "no body over the limit");
          fuzz::must(answer->status >= 100 && answer->status <= 599, "a status of HTTP");
        } else {
          fuzz::must(answer.error().failure != Failure::cancelled, "no recorded cancellation");
        }
      }
    }
  }
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t most_files = 8;
  std::error_code code;
  fs::remove_all(workspace(), code);
  fs::create_directories(workspace(), code);
  for (const auto& [name, text] : fuzz::named_texts(fuzz::text_of(data, size), most_files))
    write(name, text);
  const auto recording = Recording::open(workspace().string());
  if (!recording) {
    fuzz::must(!recording.error().message.empty(), "a refused recording says why");
    return 0;
  }
  fuzz::must(!(*recording)->steps().empty(), "a recording has a step");
  ask(**recording);
  return 0;
}
