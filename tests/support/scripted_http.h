// Answers by URL, and what was asked. 404 for the rest.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "http/http.h"
#include "sources/source.h"

namespace shortcircuit::testing {

class ScriptedHttp : public Http {
 public:
  std::map<std::string, Result<HttpResponse>> answers;
  std::vector<HttpRequest> asked;

  std::vector<Result<HttpResponse>> fetch(std::span<const HttpRequest> requests, Deadline,
                                          std::stop_token) override {
    std::vector<Result<HttpResponse>> results;
    for (const HttpRequest& request : requests) {
      asked.push_back(request);
      const auto found = answers.find(request.url);
      results.push_back(
          found == answers.end()
              ? HttpResponse{.status = 404, .body = "404 page not found\n", .headers = {}}
              : found->second);
    }
    return results;
  }
  std::size_t take_received_bytes() override { return 0; }

  void ok(const std::string& url, std::string body) {
    answers[url] = HttpResponse{200, std::move(body), {}};
  }
  void status(const std::string& url, int code, std::string body = "") {
    answers[url] = HttpResponse{code, std::move(body), {}};
  }
  void fails(const std::string& url, Failure failure) {
    answers[url] = fail(failure, "as the test wants it");
  }
  [[nodiscard]] bool was_asked(const std::string& url) const {
    for (const auto& request : asked) {
      if (request.url == url) return true;
    }
    return false;
  }
};

// One poll as the program would do it on the network.
template <class Source>
auto poll_with(Source& source, Http& http, std::vector<Error>* notes = nullptr) {
  PollContext context{.http = http,
                      .deadline = Deadline::after(5s),
                      .stop = {},
                      .now = now(),
                      .latest = nullptr,
                      .replay = false,
                      .once = false,
                      .notes = {}};
  auto state = source.poll(context);
  if (notes != nullptr) *notes = std::move(context.notes);
  return state;
}

}  // namespace shortcircuit::testing
