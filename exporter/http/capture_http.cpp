// Http that passes on and writes what it saw, reduced, as a recording.
#include <filesystem>
#include <functional>
#include <map>

#include "base/text.h"
#include "http/recording.h"

namespace shortcircuit {

namespace {

namespace fs = std::filesystem;

class CaptureHttp : public Http {
 public:
  CaptureHttp(std::unique_ptr<Http> inner, std::string folder, ReduceForRecording reduce)
      : inner_(std::move(inner)), folder_(std::move(folder)), reduce_(reduce) {}

  std::vector<Result<HttpResponse>> fetch(std::span<const HttpRequest> requests, Deadline deadline,
                                          std::stop_token stop) override {
    auto results = inner_->fetch(requests, deadline, std::move(stop));
    for (std::size_t i = 0; i < results.size(); ++i) {
      const auto written = record(requests[i], results[i]);
      if (!written) results[i] = std::unexpected(written.error().in("capture"));
    }
    return results;
  }

  std::size_t take_received_bytes() override { return inner_->take_received_bytes(); }

 private:
  struct Seen {
    int calls = 0;
    bool numbered = false;
    std::string extension;  // of the last file written
    std::size_t content_hash = 0;
  };

  // What is kept of a result: extension and content of the file.
  std::pair<std::string, std::string> file_of(const HttpRequest& request,
                                              const Result<HttpResponse>& result) const {
    const auto status = [](std::string_view word) {
      return std::pair(std::string("status"), std::string(word) + "\n");
    };
    if (!result) return status(name_of(result.error().failure));
    const bool success = result->status >= 200 && result->status < 300;
    if (!success && (request.answer != "health" || result->body.empty())) {
      return status(std::to_string(result->status));
    }
    auto reduced = reduce_(request.answer, result->body);
    if (reduced) return {request.extension, std::move(*reduced)};
    return status(success ? name_of(Failure::schema) : std::to_string(result->status));
  }

  Result<void> record(const HttpRequest& request, const Result<HttpResponse>& result) {
    if (!result && result.error().failure == Failure::cancelled) return {};
    auto [extension, content] = file_of(request, result);
    const std::string name = answer_file_name(request.answer);
    const std::string stem = folder_ + "/" + name;
    Seen& seen = seen_[request.answer];
    const std::size_t content_hash = std::hash<std::string>{}(content);
    ++seen.calls;
    if (seen.calls == 1) {
      remove_older_files(name);
    } else if (seen.extension == extension && seen.content_hash == content_hash) {
      return {};  // a replay repeats the answer before a gap
    } else if (!seen.numbered) {
      std::error_code code;
      fs::rename(stem + "." + seen.extension, stem + "-try1." + seen.extension, code);
      if (code) return fail(Failure::internal, "cannot rename " + stem + ": " + code.message());
      seen.numbered = true;
    }
    const std::string number = seen.numbered ? "-try" + std::to_string(seen.calls) : "";
    auto written = write_file(stem + number + "." + extension, content);
    seen.extension = std::move(extension);
    seen.content_hash = content_hash;
    return written;
  }

  // A capture into a directory that was used before must not mix two moments.
  void remove_older_files(const std::string& answer) const {
    std::error_code code;
    std::vector<fs::path> older;
    for (fs::directory_iterator entry(folder_, code), end; !code && entry != end;
         entry.increment(code)) {
      const std::string stem = entry->path().stem().string();
      const std::string extension = entry->path().extension().string();
      const bool numbered =
          stem.starts_with(answer + "-try") && stem.size() > answer.size() + 4 &&
          stem.find_first_not_of("0123456789", answer.size() + 4) == std::string::npos;
      const bool ours = extension == ".json" || extension == ".txt" || extension == ".status";
      if (ours && (stem == answer || numbered)) older.push_back(entry->path());
    }
    for (const fs::path& path : older) fs::remove(path, code);
  }

  std::unique_ptr<Http> inner_;
  std::string folder_;
  ReduceForRecording reduce_;
  std::map<std::string, Seen> seen_;
};

}  // namespace

std::unique_ptr<Http> make_capture_http(std::unique_ptr<Http> inner, std::string directory,
                                        std::string source, std::string target,
                                        ReduceForRecording reduce) {
  std::string folder = directory + "/" + safe_name(source);
  if (!target.empty()) folder += "/" + safe_name(target);
  return std::make_unique<CaptureHttp>(std::move(inner), std::move(folder), reduce);
}

}  // namespace shortcircuit
