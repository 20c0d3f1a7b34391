#include "http/recording.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <tuple>

#include "base/text.h"

namespace shortcircuit {

namespace {

namespace fs = std::filesystem;

// The names alone; http/ knows nothing else of the sources.
constexpr std::string_view source_names[] = {
#define SHORTCIRCUIT_SOURCE(name) #name,
#include "sources/sources.def"
#undef SHORTCIRCUIT_SOURCE
};

bool is_directory(const std::string& path) {
  std::error_code code;
  return fs::is_directory(path, code);
}

bool is_file(const std::string& path) {
  std::error_code code;
  return fs::is_regular_file(path, code);
}

bool holds_sources(const std::string& directory) {
  return std::ranges::any_of(source_names, [&](std::string_view name) {
    return is_directory(directory + "/" + std::string(name));
  });
}

bool is_step(const std::string& directory) {
  return holds_sources(directory) || is_file(directory + "/recorded_at");
}

// Names of the entries below `directory`, sorted; hidden ones are left out.
std::vector<std::string> entries(const std::string& directory) {
  std::vector<std::string> names;
  std::error_code code;
  for (fs::directory_iterator entry(directory, code), end; !code && entry != end;
       entry.increment(code)) {
    std::string name = entry->path().filename().string();
    if (!name.starts_with(".")) names.push_back(std::move(name));
  }
  std::ranges::sort(names);
  return names;
}

// The directory without trailing slashes and with a real name, so that `.` has a parent.
std::string absolute_path(const std::string& directory) {
  std::error_code code;
  const fs::path path = fs::canonical(directory, code);
  return code ? directory : path.string();
}

std::string folder_of(std::string_view source, std::string_view target) {
  std::string key = safe_name(source);
  if (!target.empty()) key += "/" + safe_name(target);
  return key + "/";
}

std::uint64_t fnv1a(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325U;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  return hash;
}

Result<HttpResponse> replay_status(const std::string& path, const std::string& content,
                                   const std::string& answer) {
  const std::string_view word = trim(content);
  int code = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), code);
  if (error == std::errc() && end == word.data() + word.size() && code >= 100 && code <= 599) {
    return HttpResponse{code, "", {}};
  }
  const auto name = std::ranges::find(failure_names, word);
  const auto failure = static_cast<Failure>(name - failure_names.begin());
  if (name == failure_names.end() || failure == Failure::cancelled) {
    return fail(Failure::internal,
                path + ": want an HTTP status (100 to 599) or a failure reason such as timeout");
  }
  return fail(failure, fmt::format("{}: recorded failure: {}", answer, word));
}

}  // namespace

std::string safe_name(std::string_view name) {
  constexpr std::size_t longest = 200;  // leaves room for `-try12.status` within 255 bytes
  std::string safe;
  safe.reserve(name.size());
  for (const char c : name) {
    const bool keep = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '.' || c == '_' || c == '-' || static_cast<unsigned char>(c) >= 0x80;
    safe.push_back(keep ? c : '_');
  }
  if (safe.empty() || safe.front() == '.') safe.insert(0, "_");
  if (safe.size() > longest) {
    safe = fmt::format("{}-{:016x}", safe.substr(0, longest - 17), fnv1a(name));
  }
  return safe;
}

std::string answer_file_name(std::string_view answer) {
  constexpr std::size_t longest = 183;  // with the hash as long as a safe name
  std::string safe = safe_name(answer);
  if (safe == answer) return safe;
  return fmt::format("{}-{:016x}", safe.substr(0, longest), fnv1a(answer));
}

Result<std::shared_ptr<const Recording>> Recording::open(const std::string& directory) {
  if (!is_directory(directory)) {
    return fail(Failure::internal, "no recording at " + directory + ": there is no such directory");
  }
  std::shared_ptr<Recording> recording(new Recording);
  std::string root = absolute_path(directory);
  std::string last_step;
  const fs::path path(root);
  if (is_step(root) && !is_file(root + "/shortcircuit.yaml") &&
      is_file((path.parent_path() / "shortcircuit.yaml").string())) {
    last_step = path.filename().string();
    root = path.parent_path().string();
  }
  recording->directory_ = root;
  if (last_step.empty() && holds_sources(root)) {
    recording->steps_ = {"."};
  } else {
    for (std::string& name : entries(root)) {
      const std::string step = root + "/" + name;
      if (!is_directory(step) || !is_step(step)) continue;
      recording->steps_.push_back(std::move(name));
      if (recording->steps_.back() == last_step) break;
    }
  }
  if (recording->steps_.empty()) {
    return fail(Failure::internal,
                fmt::format("no recording at {}: want a directory that holds source folders ({}), "
                            "or steps that do",
                            directory, fmt::join(source_names, ", ")));
  }
  for (std::size_t step = 0; step < recording->steps_.size(); ++step) {
    const std::string folder = root + "/" + recording->steps_[step];
    recording->recorded_at_.push_back(step == 0 ? std::nullopt : recording->recorded_at_.back());
    if (is_file(folder + "/recorded_at")) {
      const auto text = read_file(folder + "/recorded_at");
      if (!text) return std::unexpected(text.error());
      recording->recorded_at_.back() = parse_rfc3339(trim(*text));
      if (!recording->recorded_at_.back()) {
        return fail(Failure::internal, folder +
                                           "/recorded_at: want a moment in RFC 3339, such as "
                                           "2026-01-31T15:30:00Z");
      }
    }
    for (const std::string_view source : source_names) {
      const std::string source_folder = folder + "/" + std::string(source);
      if (is_directory(source_folder)) {
        recording->index_folder(step, source_folder, std::string(source));
      }
    }
  }
  return recording;
}

void Recording::index_folder(std::size_t step, const std::string& path, const std::string& key) {
  for (const std::string& name : entries(path)) {
    const std::string below = path + "/" + name;
    if (is_file(below)) {
      index_file(step, below, key);
    } else if (key.find('/') == std::string::npos && is_directory(below)) {
      index_folder(step, below, key + "/" + safe_name(name));
    }
  }
}

void Recording::index_file(std::size_t step, const std::string& path, const std::string& key) {
  const fs::path name = fs::path(path).filename();
  File file{.step = static_cast<std::uint32_t>(step)};
  const std::string extension = name.extension().string();
  if (extension == ".txt") {
    file.kind = File::Kind::txt;
  } else if (extension == ".status") {
    file.kind = File::Kind::status;
  } else if (extension != ".json") {
    return;
  }
  std::string answer = name.stem().string();
  const auto mark = answer.rfind("-try");
  if (mark != std::string::npos) {
    const char* const end = answer.data() + answer.size();
    const auto [stop, error] = std::from_chars(answer.data() + mark + 4, end, file.attempt);
    if (error == std::errc() && stop == end && file.attempt > 0) {
      answer.resize(mark);
    } else {
      file.attempt = 0;
    }
  }
  files_[key + "/" + safe_name(answer)].emplace_back(file, path);
}

std::optional<Time> Recording::recorded_at(std::size_t step) const {
  if (recorded_at_.empty()) return std::nullopt;
  return recorded_at_[std::min(step, recorded_at_.size() - 1)];
}

std::string Recording::configuration_path() const { return directory_ + "/shortcircuit.yaml"; }

Result<HttpResponse> Recording::answer(std::size_t step, std::string_view source,
                                       std::string_view target, const HttpRequest& request,
                                       int attempt) const {
  const std::string folder = folder_of(source, target);
  const std::pair<File, std::string>* best = nullptr;
  for (const auto& name : {answer_file_name(request.answer), safe_name(request.answer)}) {
    const auto found = files_.find(folder + name);
    if (found == files_.end() || best != nullptr) continue;
    // The nearest step; there a numbered file of this attempt or the nearest one below (else the
    // lowest above); of equal ones the status, then the extension asked for.
    const auto wanted = request.extension == "txt" ? File::Kind::txt : File::Kind::json;
    const auto rank = [&](const File& file) {
      const bool reached = file.attempt > 0 && file.attempt <= attempt;
      const int nearness = reached ? file.attempt : -static_cast<int>(file.attempt);
      const int kind = file.kind == File::Kind::status ? 2 : file.kind == wanted ? 1 : 0;
      return std::tuple(file.step, file.attempt > 0, reached, nearness, kind);
    };
    for (const auto& candidate : found->second) {
      if (candidate.first.step > step) continue;
      if (best == nullptr || rank(candidate.first) > rank(best->first)) best = &candidate;
    }
  }
  if (best == nullptr) return HttpResponse{404, "", {}};

  auto content = read_file(best->second);
  if (!content) return std::unexpected(content.error());
  if (best->first.kind == File::Kind::status) {
    return replay_status(best->second, *content, request.answer);
  }
  if (content->size() > request.body_limit) {
    return fail(Failure::too_large, fmt::format("{}: the answer is longer than {} bytes",
                                                request.answer, request.body_limit));
  }
  const bool text = best->first.kind == File::Kind::txt;
  return HttpResponse{
      200, std::move(*content), {{"content-type", text ? "text/plain" : "application/json"}}};
}

}  // namespace shortcircuit
