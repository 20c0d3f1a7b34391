// What the network client sends, as whom, and over which connections.
#include <cstdlib>

#include "base/version.h"
#include "unit/http/curl_http_support.h"

using namespace shortcircuit;
using namespace shortcircuit::testing;

TEST_CASE("a plain request and its answer") {
  const LoopbackServer server(answering(reply(200, "hello", "X-Kind: Test\r\n")));
  auto request = get(server.url("/a?b=c"));
  request.headers = {{"Accept", "application/json"}};
  const auto answer = fetch(request);
  REQUIRE(answer);
  CHECK(answer->status == 200);
  CHECK(answer->body == "hello");
  CHECK(answer->header("x-kind") == "Test");
  const std::string sent = server.requests().at(0);
  CHECK(sent.starts_with("GET /a?b=c HTTP/1.1\r\n"));
  CHECK(sent.find("User-Agent: shortcircuit-exporter/" + std::string(version()) + "\r\n") !=
        std::string::npos);
  CHECK(sent.find("Accept-Encoding: gzip\r\n") != std::string::npos);
  CHECK(sent.find("Accept: application/json\r\n") != std::string::npos);
  CHECK(sent.find("Authorization") == std::string::npos);
}

TEST_CASE("POST carries its body as JSON, without a body it has no type") {
  const LoopbackServer server(answering(reply(200, "x")));
  auto request = get(server.url());
  request.method = Method::post;
  CHECK(fetch(request));
  request.body = R"({"a":1})";
  CHECK(fetch(request));
  const auto sent = server.requests();
  CHECK(sent.at(0).starts_with("POST / HTTP/1.1\r\n"));
  CHECK(sent.at(0).find("Content-Type") == std::string::npos);
  CHECK(sent.at(0).find("Content-Length: 0\r\n") != std::string::npos);
  CHECK(sent.at(1).find("Content-Type: application/json\r\n") != std::string::npos);
  CHECK(sent.at(1).ends_with(R"({"a":1})"));
}

TEST_CASE("an interim answer is not the answer") {
  const LoopbackServer server(
      answering("HTTP/1.1 103 Early Hints\r\nX-Early: 1\r\n\r\n" + reply(200, "final")));
  const auto answer = fetch(get(server.url()));
  REQUIRE(answer);
  CHECK(answer->body == "final");
  CHECK(answer->header("x-early").empty());
}

TEST_CASE("connections are kept between rounds, and a closed one is no failure") {
  const LoopbackServer keeping(answering(reply(200, "x")));
  const LoopbackServer closing(sending(reply(200, "x")));
  const auto http = make_curl_http({});
  for (int i = 0; i < 3; ++i) {
    const std::vector requests{get(keeping.url()), get(closing.url())};
    for (const auto& result : http->fetch(requests, Deadline::after(patience), {})) {
      CHECK(outcome(result) == "HTTP 200");
    }
  }
  CHECK(keeping.connections() == 1);
  CHECK(closing.connections() == 3);
}

TEST_CASE("proxies of the environment are ignored") {
  const LoopbackServer proxy(answering(reply(200, "from the proxy")));
  const LoopbackServer server(answering(reply(200, "direct")));
  for (const char* name : {"http_proxy", "all_proxy", "ALL_PROXY"}) {
    ::setenv(name, proxy.url().c_str(), 1);
  }
  const auto answer = fetch(get(server.url()));
  for (const char* name : {"http_proxy", "all_proxy", "ALL_PROXY"}) ::unsetenv(name);
  REQUIRE(answer);
  CHECK(answer->body == "direct");
  CHECK(proxy.connections() == 0);
}

TEST_CASE("a bearer token is read again for every request") {
  const TemporaryDirectory directory;
  const std::string path = directory.write("token", "first\n");
  const LoopbackServer server(answering([](const std::string& request) {
    return reply(request.find("Authorization: Bearer second\r\n") != std::string::npos ? 200 : 401,
                 "");
  }));
  Endpoint endpoint;
  endpoint.bearer_token = Secret::of_file(path);
  const auto http = make_curl_http(endpoint);
  const auto ask = [&] {
    return fetch_one(*http, get(server.url()), Deadline::after(patience), {});
  };
  CHECK(outcome(ask()) == "HTTP 401");
  directory.write("token", "second\n");
  CHECK(outcome(ask()) == "HTTP 200");
  directory.write("token", "two\nlines");
  CHECK(outcome(ask()) == "auth");
  directory.write("token", "");
  CHECK(outcome(ask()) == "auth");
  std::filesystem::remove(path);
  const auto missing = ask();
  CHECK(outcome(missing) == "auth");
  CHECK(missing.error().message.find(path) != std::string::npos);
}

TEST_CASE("basic authentication") {
  const LoopbackServer server(answering(reply(200, "")));
  Endpoint endpoint;
  endpoint.username = "user";
  endpoint.password = Secret::of_value("pass:word");
  CHECK(fetch(get(server.url()), endpoint));
  CHECK(server.requests().at(0).find("Authorization: Basic dXNlcjpwYXNzOndvcmQ=\r\n") !=
        std::string::npos);
}

TEST_CASE("a header cannot smuggle another one") {
  const LoopbackServer server(answering(reply(200, "")));
  auto request = get(server.url());
  request.headers = {{"X-A", "1\r\nX-B: 2"}};
  CHECK(outcome(fetch(request)) == "internal");
  CHECK(server.connections() == 0);
}

TEST_CASE("a unix socket, with the host of the URL") {
  const TemporaryDirectory directory;
  Endpoint endpoint;
  endpoint.unix_socket = directory.path() + "/daemon.sock";
  auto absent = fetch(get("http://daemon.internal/x"), endpoint);
  CHECK(outcome(absent) == "connect");
  CHECK(absent.error().message.find(endpoint.unix_socket) != std::string::npos);
  {
    const LoopbackServer server(answering(reply(200, "through the socket")),
                                {.unix_socket = endpoint.unix_socket});
    const auto answer = fetch(get(server.url("/x")), endpoint);
    REQUIRE(answer);
    CHECK(answer->body == "through the socket");
    CHECK(server.requests().at(0).find("Host: daemon.internal\r\n") != std::string::npos);
  }
  // The file is still there, but nobody listens.
  CHECK(outcome(fetch(get("http://daemon.internal/x"), endpoint)) == "connect");
  endpoint.unix_socket = "/" + std::string(200, 'x');
  CHECK(outcome(fetch(get("http://daemon.internal/x"), endpoint)) == "connect");
}

TEST_CASE("a server on IPv6") {
  const LoopbackServer server(answering(reply(200, "six")), {.ipv6 = true});
  const auto answer = fetch(get(server.url()));
  REQUIRE(answer);
  CHECK(answer->body == "six");
}
