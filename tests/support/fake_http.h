// An upstream that exists only in a test: answers by a function, remembers what was asked.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/text.h"
#include "http/http.h"

namespace shortcircuit {

class FakeHttp : public Http {
 public:
  using Answer = std::function<Result<HttpResponse>(const HttpRequest&)>;
  explicit FakeHttp(Answer answer) : answer_(std::move(answer)) {}

  std::vector<Result<HttpResponse>> fetch(std::span<const HttpRequest> asked, Deadline deadline,
                                          std::stop_token) override {
    ++rounds;
    std::vector<Result<HttpResponse>> responses;
    for (const HttpRequest& request : asked) {
      requests.push_back(request);
      deadlines.push_back(deadline);
      responses.push_back(answer_(request));
      if (responses.back()) received_ += responses.back()->body.size();
    }
    return responses;
  }
  std::size_t take_received_bytes() override { return std::exchange(received_, 0); }

  [[nodiscard]] std::vector<std::string> asked_for() const {
    std::vector<std::string> names;
    for (const HttpRequest& request : requests) names.push_back(request.answer);
    return names;
  }
  [[nodiscard]] long count(std::string_view answer) const {
    return std::count_if(requests.begin(), requests.end(),
                         [&](const HttpRequest& request) { return request.answer == answer; });
  }

  std::vector<HttpRequest> requests;
  std::vector<Deadline> deadlines;
  int rounds = 0;

 private:
  Answer answer_;
  std::size_t received_ = 0;
};

inline HttpResponse ok(std::string body,
                       std::vector<std::pair<std::string, std::string>> headers = {}) {
  return {200, std::move(body), std::move(headers)};
}

// Answers of a folder of a recording (`<folder>/<answer>.json` or `.txt`), 404 for the rest;
// `instead` comes first.
inline FakeHttp::Answer answers_of(std::string folder,
                                   std::map<std::string, Result<HttpResponse>> instead = {}) {
  return [folder = std::move(folder),
          instead = std::move(instead)](const HttpRequest& request) -> Result<HttpResponse> {
    if (const auto found = instead.find(request.answer); found != instead.end()) {
      return found->second;
    }
    auto body = read_file(folder + "/" + request.answer + "." + request.extension);
    if (!body) return HttpResponse{404, "404 page not found\n", {}};
    return ok(std::move(*body));
  };
}

}  // namespace shortcircuit
