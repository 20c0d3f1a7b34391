// One poll of the Kubernetes source against answers that a test makes.
#pragma once

#include <fmt/format.h>

#include "sources/kubernetes/source.h"
#include "support/catch.h"
#include "support/fake_http.h"
#include "support/kubernetes_list.h"

namespace shortcircuit::kubernetes {

using testing::list_body;
using testing::list_kind_of_url;

inline std::string recorded(const std::string& name) {
  return SHORTCIRCUIT_RECORDINGS "/" + name + "/kubernetes";
}

// A page of `items`, whose kind with_kinds() fills in.
inline constexpr std::string_view any_kind = "AnyList";
inline HttpResponse list_of(const std::string& items, const std::string& next = "") {
  return ok(list_body(any_kind, fmt::format(R"("continue":"{}")", next), items));
}

// What list a page is of follows from what was asked for.
inline FakeHttp::Answer with_kinds(FakeHttp::Answer answer) {
  return [answer = std::move(answer)](const HttpRequest& request) {
    Result<HttpResponse> given = answer(request);
    const auto kind = given ? given->body.find(any_kind) : std::string::npos;
    if (kind != std::string::npos)
      given->body.replace(kind, any_kind.size(), list_kind_of_url(request.url));
    return given;
  };
}

struct Poll {
  explicit Poll(FakeHttp::Answer answer, bool replay = true) : http(with_kinds(std::move(answer))) {
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
  return with_kinds([instead = std::move(instead)](const HttpRequest& request) {
    if (const auto found = instead.find(request.answer); found != instead.end()) {
      return found->second;
    }
    if (request.answer == "version")
      return Result<HttpResponse>(ok(R"({"gitVersion":"v1.33.5+k3s1"})"));
    return Result<HttpResponse>(list_of("null"));
  });
}

}  // namespace shortcircuit::kubernetes
