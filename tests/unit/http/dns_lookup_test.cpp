// `dns:` requests against a resolver on loopback.
#include "support/loopback_dns.h"
#include "unit/http/curl_http_support.h"

using namespace shortcircuit;
using namespace shortcircuit::testing;

namespace {

std::string look_up(const LoopbackDns& server, const std::string& host,
                    Duration within = patience) {
  const auto result = fetch(get("dns:" + host), {.url = server.url()}, within);
  if (!result) CHECK(result.error().message.find("dns:" + host) != std::string::npos);
  return result ? result->body : outcome(result);
}

}  // namespace

TEST_CASE("addresses of both families, sorted, no address is an answer") {
  const LoopbackDns server({.names = {{"shop.example", {"192.0.2.9", "2001:db8::1", "192.0.2.10"}},
                                      {"six.example", {"2001:db8::2"}},
                                      {"bare.example", {}}},
                            .failures = {}});
  CHECK(look_up(server, "shop.example") ==
        R"({"addresses":["2001:db8::1","192.0.2.9","192.0.2.10"]})");
  CHECK(look_up(server, "six.example") == R"({"addresses":["2001:db8::2"]})");
  CHECK(look_up(server, "bare.example") == R"({"addresses":[]})");
  CHECK(look_up(server, "absent.example") == R"({"addresses":[]})");
}

TEST_CASE("a resolver that fails or is silent is a failure, never `no address`") {
  const LoopbackDns server({.names = {{"half.example", {"192.0.2.1"}}, {"other.example", {}}},
                            .failures = {{"A dead.example", 2},
                                         {"AAAA dead.example", 2},
                                         {"A refused.example", 5},
                                         {"AAAA refused.example", 5},
                                         {"A silent.example", -1},
                                         {"AAAA silent.example", -1},
                                         {"AAAA half.example", 2},
                                         {"A other.example", 2}}});
  CHECK(look_up(server, "dead.example") == "resolve");
  CHECK(look_up(server, "refused.example") == "resolve");
  CHECK(look_up(server, "silent.example", impatience) == "timeout");
  CHECK(look_up(server, "half.example") == R"({"addresses":["192.0.2.1"]})");
  CHECK(look_up(server, "other.example") == "resolve");
}

TEST_CASE("many names at once, beside HTTP, and one that is silent") {
  DnsZone zone{.names = {}, .failures = {{"A silent.example", -1}, {"AAAA silent.example", -1}}};
  std::vector<HttpRequest> requests{get("dns:silent.example")};
  for (int i = 0; i < 100; ++i) {
    const std::string host = "h" + std::to_string(i) + ".example";
    zone.names[host] = {"192.0.2." + std::to_string(i % 250)};
    requests.push_back(get("dns:" + host));
  }
  const LoopbackServer web(answering(reply(200, "x")));
  requests.push_back(get(web.url()));
  const LoopbackDns server(std::move(zone));
  const auto http = make_curl_http({.url = server.url()});
  const auto results = http->fetch(requests, Deadline::after(10s), {});
  CHECK(outcome(results.front()) == "timeout");
  CHECK(outcome(results.back()) == "HTTP 200");
  std::size_t found = 0;
  for (std::size_t i = 1; i + 1 < results.size(); ++i) {
    if (results[i] && results[i]->body.find("192.0.2.") != std::string::npos) ++found;
  }
  CHECK(found == 100);
}

TEST_CASE("a stop request ends a lookup") {
  const LoopbackDns server(
      {.names = {}, .failures = {{"A s.example", -1}, {"AAAA s.example", -1}}});
  std::stop_source stop;
  std::thread stopper([&] {
    std::this_thread::sleep_for(20ms);
    stop.request_stop();
  });
  const auto http = make_curl_http({.url = server.url()});
  const auto result =
      fetch_one(*http, get("dns:s.example"), Deadline::after(patience), stop.get_token());
  stopper.join();
  CHECK(outcome(result) == "cancelled");
}

TEST_CASE("resolvers that are no addresses are said") {
  const auto result = fetch(get("dns:a.example"), {.url = "dns://not an address"});
  CHECK(outcome(result) == "resolve");
  CHECK(result.error().message.find("no resolver") != std::string::npos);
}
