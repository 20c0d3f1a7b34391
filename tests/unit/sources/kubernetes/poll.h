// One poll of the Kubernetes source against answers that a test makes.
#pragma once

#include "sources/kubernetes/source.h"
#include "support/catch.h"
#include "support/fake_http.h"

namespace shortcircuit::kubernetes {

inline std::string recorded(const std::string& name) {
  return SHORTCIRCUIT_RECORDINGS "/" + name + "/kubernetes";
}

struct Poll {
  explicit Poll(FakeHttp::Answer answer, bool replay = true) : http(std::move(answer)) {
    Config config;
    config.endpoint.url = "https://api:6443/";
    PollContext context{.http = http, .deadline = Deadline::after(5s), .stop = {}, .now = now()};
    context.replay = replay;
    result = Source(config).poll(context);
    notes = context.notes;
  }
  [[nodiscard]] const State& state() const {
    INFO((result ? "" : result.error().message));
    REQUIRE(result);
    return *result;
  }
  FakeHttp http;
  Result<State> result;
  std::vector<Error> notes;
};

// A cluster in which every kind is an empty list, as far as `instead` says nothing else.
inline FakeHttp::Answer empty_cluster(std::map<std::string, Result<HttpResponse>> instead = {}) {
  return [instead = std::move(instead)](const HttpRequest& request) -> Result<HttpResponse> {
    if (const auto found = instead.find(request.answer); found != instead.end()) {
      return found->second;
    }
    if (request.answer == "version") return ok(R"({"gitVersion":"v1.33.5+k3s1"})");
    return ok(R"({"kind":"XList","metadata":{},"items":null})");
  };
}

inline HttpResponse list_of(const std::string& items, const std::string& next = "") {
  return ok(R"({"kind":"XList","metadata":{"continue":")" + next + R"("},"items":[)" + items +
            "]}");
}

}  // namespace shortcircuit::kubernetes
