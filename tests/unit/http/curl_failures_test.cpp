// Every way in which an upstream can fail, against a real server on loopback.
#include <zlib.h>

#include <cerrno>
#include <filesystem>
#include <set>

#include "base/json.h"
#include "http/curl_errors.h"
#include "unit/http/curl_http_support.h"

using namespace shortcircuit;
using namespace shortcircuit::testing;

namespace {

std::string gzip(std::string_view bytes) {
  z_stream stream{};
  deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
  std::string packed(deflateBound(&stream, bytes.size()) + 32, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  deflate(&stream, Z_FINISH);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

std::string outcome_of(Script script, Duration within = patience) {
  const LoopbackServer server(std::move(script));
  return outcome(fetch(get(server.url()), {}, within));
}

const std::string head = "HTTP/1.1 200 OK\r\n";

void send_head_then(Connection& connection, std::string_view bytes) {
  connection.read_request();
  connection.send(bytes);
}

std::set<std::string> entries_of(const std::string& directory) {
  std::set<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    names.insert(entry.path().filename());
  }
  return names;
}

}  // namespace

TEST_CASE("no answer at all") {
  CHECK(outcome(fetch(get("http://127.0.0.1:" + std::to_string(unused_port())))) == "connect");
  CHECK(outcome(fetch(get("http://name.invalid/"))) == "resolve");
  CHECK(outcome_of([](Connection& c) { c.reset(); }) == "connect");
  CHECK(outcome_of([](Connection& c) { c.read_request(); }) == "connect");
  CHECK(outcome_of([](Connection& c) {
          c.read_request();
          c.reset();
        }) == "connect");
  CHECK(outcome_of([](Connection& c) { c.hang(); }, impatience) == "timeout");
  CHECK(outcome(fetch(get("ftp://127.0.0.1/"))) == "internal");
  CHECK(outcome(fetch(get("no url"))) == "internal");
}

TEST_CASE("half an answer is no answer") {
  CHECK(outcome_of(sending(head + "Content-Length: 10\r\n\r\n12345")) == "syntax");
  CHECK(outcome_of(sending(head + "Transfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n")) == "syntax");
  CHECK(outcome_of([](Connection& c) {
          send_head_then(c, head + "Content-Length: 10\r\n\r\n12345");
          c.pause(50ms);
          c.reset();
        }) == "syntax");
}

TEST_CASE("what is not HTTP") {
  CHECK(outcome_of(sending("SSH-2.0-OpenSSH_9.2\r\n")) == "syntax");
  CHECK(outcome_of(sending(head + "Transfer-Encoding: chunked\r\n\r\nzz\r\n12345\r\n")) ==
        "syntax");
  CHECK(outcome_of(sending(head + "Content-Encoding: gzip\r\nContent-Length: 5\r\n\r\n12345")) ==
        "syntax");
  CHECK(outcome_of(sending(head + "Content-Encoding: rot13\r\nContent-Length: 5\r\n\r\n12345")) ==
        "syntax");
}

TEST_CASE("too slow") {
  CHECK(outcome_of(
            [](Connection& c) {
              send_head_then(c, head + "Content-Length: 100000\r\n\r\n");
              while (c.send("x") && c.pause(20ms)) {}
            },
            impatience) == "timeout");
  CHECK(outcome_of(
            [](Connection& c) {
              c.read_request();
              for (const char byte : head) {
                if (!c.send(std::string(1, byte)) || !c.pause(50ms)) return;
              }
            },
            impatience) == "timeout");
}

TEST_CASE("too much") {
  const auto endless = [](std::string first, std::string more) -> Script {
    return [first = std::move(first), more = std::move(more)](Connection& c) {
      send_head_then(c, first);
      while (c.send(more)) {}
    };
  };
  CHECK(outcome_of(endless(head + "\r\n", std::string(65536, 'x'))) == "too_large");
  CHECK(outcome_of(endless(head + "Transfer-Encoding: chunked\r\n\r\n",
                           "1000\r\n" + std::string(0x1000, 'x') + "\r\n")) == "too_large");
  CHECK(outcome_of(endless(head, "X-More: 1234567890\r\n")) == "too_large");
  CHECK(outcome_of(endless(head + "X-Long: ", std::string(4096, 'x'))) == "too_large");
  const std::string bomb = gzip(std::string(64U << 20, '\0'));
  CHECK(bomb.size() < 200'000);
  CHECK(outcome_of(sending(reply(200, bomb, "Content-Encoding: gzip\r\n"))) == "too_large");
}

TEST_CASE("the body limit counts decoded bytes, to the byte") {
  const std::string body(5000, 'x');
  const LoopbackServer server(answering(reply(200, gzip(body), "Content-Encoding: gzip\r\n")));
  auto request = get(server.url());
  request.body_limit = 5000;
  const auto http = make_curl_http({});
  const auto whole = fetch_one(*http, request, Deadline::after(patience), {});
  REQUIRE(whole);
  CHECK(whole->body == body);
  CHECK(http->take_received_bytes() == 5000);
  CHECK(http->take_received_bytes() == 0);
  request.body_limit = 4999;
  CHECK(outcome(fetch(request)) == "too_large");
}

TEST_CASE("answers within their limits do not add up to all the memory, a small one never pays") {
  const std::string large = reply(200, std::string(12U << 20, 'x'));
  const std::string small = reply(200, std::string(1000, 'y'));
  const LoopbackServer server(answering([&](const std::string& request) {
    return request.starts_with("GET /small") ? small : large;
  }));
  std::vector<HttpRequest> requests(8, get(server.url()));
  for (auto& request : requests) request.body_limit = 16U << 20;
  requests.push_back(get(server.url("/small")));
  const auto http = make_curl_http({});
  std::size_t held = 0;
  const auto results = http->fetch(requests, Deadline::after(patience), {});
  for (const auto& result : results) {
    held += result ? result->body.size() : 0;
    const std::string word = outcome(result);
    CHECK((word == "HTTP 200" || word == "too_large"));
  }
  CHECK(outcome(results.back()) == "HTTP 200");
  CHECK(held <= 64U << 20);
  CHECK(held >= 12U << 20);
  // The next round begins anew.
  CHECK(outcome(fetch_one(*http, requests[0], Deadline::after(patience), {})) == "HTTP 200");
}

TEST_CASE("a status is an answer, expect_success() judges it") {
  for (const auto& [status, failure] : {std::pair(401, "auth"),
                                        {403, "auth"},
                                        {404, "status"},
                                        {429, "status"},
                                        {500, "status"},
                                        {302, "status"}}) {
    const LoopbackServer server(answering(reply(status, "no", "Location: /elsewhere\r\n")));
    const auto request = get(server.url());
    const auto result = fetch(request);
    REQUIRE(result);
    CHECK(result->status == status);
    CHECK(result->body == "no");
    const auto judged = expect_success(result, request);
    CHECK(outcome(judged) == failure);
    CHECK(judged.error().http_status == status);
    CHECK(server.requests().size() == 1);  // no redirect was followed
  }
}

TEST_CASE("answers that are no JSON, or another one than expected") {
  const auto read = [](std::string body, std::string type) {
    const LoopbackServer server(answering(reply(200, body, "Content-Type: " + type + "\r\n")));
    const auto answer = fetch(get(server.url()));
    REQUIRE(answer);
    CHECK(answer->header("content-type") == type);
    const auto done = read_json(answer->body, [](JsonView root) { (void)root["name"].string(); });
    return done ? std::string("fine") : std::string(name_of(done.error().failure));
  };
  CHECK(read("<html>sign in</html>", "text/html") == "syntax");
  const auto page = read_json(" \n<html>sign in</html>", [](JsonView) {});
  REQUIRE_FALSE(page);
  CHECK(page.error().message.starts_with("the answer is a web page, not JSON: "));
  CHECK(read("{\"name\":\"a\"", "application/json") == "syntax");
  CHECK(read("{\"name\":7}", "application/json") == "schema");
  CHECK(read("[]", "application/json") == "schema");
  CHECK(read("{\"name\":\"a\"}", "application/json") == "fine");
}

TEST_CASE("what hangs delays nothing else in the same round") {
  const LoopbackServer good(answering(reply(200, "good")));
  // It answers when the others have been asked: never, for a client that waits for it first.
  const LoopbackServer hanging([&](Connection& c) {
    c.read_request();
    while (good.requests().size() < 3) {
      if (!c.pause(1ms)) return;
    }
    c.send(reply(200, "late"));
  });
  const std::vector requests{get(hanging.url()), get(good.url("/1")), get(good.url("/2")),
                             get("http://name.invalid/"), get(good.url("/3"))};
  const auto results = make_curl_http({})->fetch(requests, Deadline::after(patience), {});
  CHECK(outcome(results[0]) == "HTTP 200");
  CHECK(outcome(results[1]) == "HTTP 200");
  CHECK(outcome(results[2]) == "HTTP 200");
  CHECK(outcome(results[3]) == "resolve");
  CHECK(outcome(results[4]) == "HTTP 200");
}

TEST_CASE("one request may have a shorter time than its round") {
  const LoopbackServer hanging([](Connection& c) { c.hang(); });
  auto request = get(hanging.url());
  request.timeout = 100ms;
  CHECK(outcome(fetch(request, {}, 1h)) == "timeout");
}

TEST_CASE("a deadline that has passed sends nothing") {
  const LoopbackServer server(answering(reply(200, "x")));
  CHECK(outcome(fetch(get(server.url()), {}, -1s)) == "timeout");
  CHECK(server.connections() == 0);
}

TEST_CASE("a stop request ends a round that waits") {
  const LoopbackServer hanging([](Connection& c) { c.hang(); });
  std::stop_source stop;
  std::thread stopper([&] {
    while (hanging.connections() == 0) std::this_thread::sleep_for(1ms);
    stop.request_stop();
  });
  const std::vector requests{get(hanging.url()), get(hanging.url())};
  const auto results =
      make_curl_http({})->fetch(requests, Deadline::after(patience), stop.get_token());
  stopper.join();
  CHECK(outcome(results[0]) == "cancelled");
  CHECK(outcome(results[1]) == "cancelled");
  // And one that was requested before sends nothing.
  const int connections = hanging.connections();
  const auto http = make_curl_http({});
  CHECK(outcome(fetch_one(*http, requests[0], Deadline::after(patience), stop.get_token())) ==
        "cancelled");
  CHECK(hanging.connections() == connections);
}

TEST_CASE("a thousand failures leave no thread and no descriptor behind") {
  const TestCertificates certificates;
  const LoopbackServer rude([](Connection& c) { c.reset(); });
  const LoopbackServer half(sending(head + "Content-Length: 10\r\n\r\n12345"));
  const LoopbackServer silent([](Connection& c) { c.hang(); });
  const LoopbackServer secret(answering(reply(200, "x")), {.tls = &certificates});
  auto hurried = get(silent.url());
  hurried.timeout = 5ms;
  const std::vector requests{get(rude.url()), get(half.url()), hurried, get(secret.url()),
                             get("http://127.0.0.1:" + std::to_string(unused_port()))};
  {
    const auto http = make_curl_http({});
    const auto round = [&] {
      for (const auto& result : http->fetch(requests, Deadline::after(patience), {})) {
        CHECK_FALSE(result);
      }
    };
    for (int i = 0; i < 10; ++i) round();
    const auto threads = entries_of("/proc/self/task").size();
    const auto descriptors = entries_of("/proc/self/fd").size();
    for (int i = 0; i < 200; ++i) round();
    // The servers' own threads and descriptors take a moment to go.
    constexpr std::size_t slack = 10;
    for (int i = 0; i < 2000 && (entries_of("/proc/self/task").size() > threads + slack ||
                                 entries_of("/proc/self/fd").size() > descriptors + slack);
         ++i) {
      std::this_thread::sleep_for(10ms);
    }
    CHECK(entries_of("/proc/self/task").size() <= threads + slack);
    CHECK(entries_of("/proc/self/fd").size() <= descriptors + slack);
  }
}

TEST_CASE("messages name the place and nothing secret") {
  const int port = unused_port();
  Endpoint endpoint;
  endpoint.bearer_token = Secret::of_value("t0ken");
  const auto result =
      fetch(get("http://user:s3cret@127.0.0.1:" + std::to_string(port) + "/a/b?key=s3cret#s3cret"),
            endpoint);
  REQUIRE_FALSE(result);
  CHECK(result.error().message == "GET http://127.0.0.1:" + std::to_string(port) +
                                      "/a/b: cannot connect: Connection refused: check the address "
                                      "and that the server runs");
}

TEST_CASE("libcurl's codes and the failures they are") {
  // The numbers are part of libcurl's stable interface.
  const std::vector<std::pair<int, Failure>> rows{
      {5, Failure::resolve},   {6, Failure::resolve},  {7, Failure::connect},
      {45, Failure::connect},  {52, Failure::connect}, {55, Failure::connect},
      {56, Failure::connect},  {97, Failure::connect}, {28, Failure::timeout},
      {35, Failure::tls},      {60, Failure::tls},     {77, Failure::tls},
      {83, Failure::tls},      {98, Failure::tls},     {58, Failure::auth},
      {67, Failure::auth},     {1, Failure::syntax},   {8, Failure::syntax},
      {16, Failure::syntax},   {18, Failure::syntax},  {23, Failure::syntax},
      {61, Failure::syntax},   {92, Failure::syntax},  {63, Failure::too_large},
      {2, Failure::internal},  {3, Failure::internal}, {27, Failure::internal},
      {43, Failure::internal},
  };
  for (const auto& [code, failure] : rows) {
    INFO(code);
    CHECK(failure_of({.code = code}) == failure);
    CHECK_FALSE(sentence_of({.code = code}).empty());
  }
  CHECK(sentence_of({.code = 7, .os_errno = EACCES}) ==
        "cannot connect: Permission denied: check who may write to the socket and pass through its "
        "folders");
  CHECK(failure_of({.code = 56, .answer_begun = true}) == Failure::syntax);
  CHECK(failure_of({.code = 23, .over_limit = true}) == Failure::too_large);
  CHECK(failure_of({.code = 27, .connected = true}) == Failure::too_large);
}
