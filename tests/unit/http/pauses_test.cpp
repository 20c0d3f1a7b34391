// Retry-After: who was asked to wait, waits.
#include "http/pauses.h"

#include "unit/http/curl_http_support.h"

using namespace shortcircuit;
using namespace shortcircuit::testing;

TEST_CASE("a pause lasts as long as the server said, for that URL, and not for ever") {
  Pauses pauses;
  const Pauses::Clock::time_point begin{1h};
  pauses.take("a", 429, 10s, begin);
  pauses.take("b", 503, 24h, begin);
  pauses.take("c", 200, 10s, begin);
  pauses.take("d", 500, 10s, begin);
  pauses.take("e", 429, 0s, begin);
  CHECK(pauses.status_of("a", begin + 9s) == 429);
  for (const char* url : {"c", "d", "e", "f"}) CHECK_FALSE(pauses.status_of(url, begin + 1s));
  CHECK_FALSE(pauses.status_of("a", begin + 10s));
  CHECK(pauses.status_of("b", begin + 299s) == 503);
  CHECK_FALSE(pauses.status_of("b", begin + 300s));
}

TEST_CASE("a server that asked to wait is not asked again, its other pages are") {
  for (const auto& [wait, asked_again] :
       {std::pair("3600", false), {"Fri, 31 Dec 2999 23:59:59 GMT", false}, {"0", true}}) {
    CAPTURE(wait);
    const std::string busy = reply(429, "slow down", "Retry-After: " + std::string(wait) + "\r\n");
    const LoopbackServer server(answering([&](const std::string& request) {
      return request.starts_with("GET /busy") ? busy : reply(200, "{}");
    }));
    const auto http = make_curl_http({});
    const auto ask = [&](std::string_view path) {
      return fetch_one(*http, get(server.url(path)), Deadline::after(patience), {});
    };
    CHECK(outcome(ask("/busy?page=1")) == "HTTP 429");
    const auto again = ask("/busy?page=2");
    CHECK(outcome(again) == (asked_again ? "HTTP 429" : "status"));
    if (!again) CHECK(again.error().http_status == 429);
    CHECK(outcome(ask("/free")) == "HTTP 200");
    CHECK(server.requests().size() == (asked_again ? 3 : 2));
  }
}

TEST_CASE("a probe asks even a server that asked to wait: it wants to know what is answered now") {
  const LoopbackServer server(
      answering([](const std::string&) { return reply(503, "later", "Retry-After: 3600\r\n"); }));
  const auto http = make_curl_http({});
  HttpRequest request = get(server.url("/"));
  request.probe = ProbeOptions{};
  for (int i = 0; i < 2; ++i) {
    const auto seen = fetch_one(*http, request, Deadline::after(patience), {});
    REQUIRE(seen);
    CHECK(seen->body.contains(R"("http_status":503)"));
  }
  CHECK(server.requests().size() == 2);
}
