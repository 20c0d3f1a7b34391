// Active probes: stalls, statuses, and whose fault it is when there is a proxy between.
#include "base/json.h"
#include "unit/http/curl_http_support.h"

using namespace shortcircuit;
using namespace shortcircuit::testing;

namespace {

struct Seen {
  std::int64_t status = 0;
  std::string failure;
  bool stalled = false;
  std::int64_t bytes = 0;
  bool proxy_failed = false;
};

Seen probe(std::string url, ProbeOptions options = {}, Duration within = patience,
           Endpoint endpoint = {}) {
  HttpRequest request = get(std::move(url));
  request.probe = std::move(options);
  const auto result = fetch(request, std::move(endpoint), within);
  INFO((result ? result->body : result.error().message));
  REQUIRE(result);
  CHECK(result->status == 200);
  Seen seen;
  REQUIRE(read_json(result->body, [&](JsonView root) {
    seen.status = root["http_status"].integer_or(0);
    seen.failure = root["failure"].string_or("");
    seen.stalled = root["stalled"].boolean();
    seen.bytes = root["received_bytes"].integer();
    seen.proxy_failed = root["proxy_failed"].boolean();
    CHECK(root["duration_seconds"].number() >= 0);
  }));
  return seen;
}

std::string local(std::string_view scheme, int port) {
  return std::string(scheme) + "://127.0.0.1:" + std::to_string(port);
}

// A proxy that opens the tunnel it is asked for, to `port`.
Script tunnel_to(int port) {
  return [port](Connection& c) {
    if (!c.read_request().starts_with("CONNECT ")) return;
    c.send("HTTP/1.1 200 Connection established\r\nX-Proxy: 1\r\n\r\n");
    c.relay_to(port);
  };
}

}  // namespace

TEST_CASE("a probe sees the status and counts the bytes") {
  for (const int status : {200, 404, 502, 503}) {
    const LoopbackServer server(answering(reply(status, "12345")));
    const Seen seen = probe(server.url());
    CHECK(seen.status == status);
    CHECK(seen.bytes == 5);
    CHECK(seen.failure.empty());
    CHECK_FALSE(seen.stalled);
    CHECK_FALSE(seen.proxy_failed);
  }
}

TEST_CASE("a transfer that stalls is told from one that is slow to begin") {
  const LoopbackServer stalling([](Connection& c) {
    c.read_request();
    c.send("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\nfirst bytes");
    c.hang();
  });
  const Seen stalled = probe(stalling.url(), {.stall_timeout = 100ms});
  CHECK(stalled.stalled);
  CHECK(stalled.status == 200);
  CHECK(stalled.bytes == 11);
  CHECK(stalled.failure.empty());

  const LoopbackServer silent([](Connection& c) {
    c.read_request();
    c.send("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n");
    c.hang();
  });
  const Seen waiting = probe(silent.url(), {.stall_timeout = 10ms}, 2s);
  CHECK_FALSE(waiting.stalled);
  CHECK(waiting.status == 200);
  CHECK(waiting.failure == "timeout");

  const LoopbackServer dripping([](Connection& c) {
    c.read_request();
    c.send("HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n");
    for (int i = 0; i < 20 && c.pause(5ms); ++i) c.send("x");
  });
  const Seen slow = probe(dripping.url(), {.stall_timeout = 20s});
  CHECK_FALSE(slow.stalled);
  CHECK(slow.bytes == 20);
  CHECK(slow.failure.empty());
}

TEST_CASE("a probe takes no more than it needs") {
  const LoopbackServer endless([](Connection& c) {
    c.read_request();
    c.send("HTTP/1.1 200 OK\r\n\r\n");
    while (c.send(std::string(65536, 'x'))) {}
  });
  const Seen seen = probe(endless.url());
  CHECK(seen.status == 200);
  CHECK(seen.failure.empty());
  CHECK(seen.bytes > (4 << 20));
}

TEST_CASE("failures of the target are no failures of the probe") {
  CHECK(probe(local("http", unused_port())).failure == "connect");
  CHECK(probe("http://name.invalid/").failure == "resolve");
  const LoopbackServer hanging([](Connection& c) { c.hang(); });
  CHECK(probe(hanging.url(), {}, impatience).failure == "timeout");
  const TestCertificates certificates;
  const LoopbackServer secret(answering(reply(200, "x")), {.tls = &certificates});
  CHECK(probe(secret.url()).failure == "tls");
  Endpoint trusting;
  trusting.tls.ca_file = certificates.ca();
  CHECK(probe(secret.url(), {}, patience, trusting).status == 200);
}

TEST_CASE("a probe can be sent to another address") {
  const LoopbackServer server(answering(reply(200, "x")));
  const std::string url = "http://shop.example:" + std::to_string(server.port()) + "/";
  CHECK(probe(url, {.connect_to = "127.0.0.1"}).status == 200);
  CHECK(server.requests().at(0).find("Host: shop.example:") != std::string::npos);
  CHECK(probe("http://shop.example/", {.connect_to = "127.0.0.1:" + std::to_string(server.port())})
            .status == 200);
  const LoopbackServer six(answering(reply(200, "x")), {.ipv6 = true});
  CHECK(probe("http://shop.example:" + std::to_string(six.port()), {.connect_to = "::1"}).status ==
        200);
}

TEST_CASE("plain HTTP through a proxy") {
  const LoopbackServer proxy(answering(reply(200, "x")));
  const Seen seen = probe("http://shop.example/p", {.proxy = proxy.url()});
  CHECK(seen.status == 200);
  CHECK_FALSE(seen.proxy_failed);
  CHECK(proxy.requests().at(0).starts_with("GET http://shop.example/p HTTP/1.1\r\n"));

  const LoopbackServer gateway(answering(reply(503, "x")));
  const Seen unavailable = probe("http://shop.example/p", {.proxy = gateway.url()});
  CHECK(unavailable.status == 503);
  CHECK(unavailable.failure.empty());
  CHECK_FALSE(unavailable.proxy_failed);
}

TEST_CASE("a proxy that cannot be reached or refuses is at fault") {
  const std::string nobody = local("http", unused_port());
  for (const std::string url : {"http://shop.example/", "https://shop.example/"}) {
    const Seen refused = probe(url, {.proxy = nobody});
    CHECK(refused.failure == "connect");
    CHECK(refused.proxy_failed);
    const Seen unknown = probe(url, {.proxy = "http://name.invalid:8118"});
    CHECK(unknown.failure == "resolve");
    CHECK(unknown.proxy_failed);
    const LoopbackServer closed_door(answering(reply(407, "x")));
    const Seen unauthorised = probe(url, {.proxy = closed_door.url()});
    CHECK(unauthorised.failure == "auth");
    CHECK(unauthorised.status == 407);
    CHECK(unauthorised.proxy_failed);
  }
  const LoopbackServer refusing(answering(reply(503, "x")));
  const Seen refused = probe("https://shop.example/", {.proxy = refusing.url()});
  CHECK(refused.failure == "status");
  CHECK(refused.status == 503);
  CHECK(refused.proxy_failed);
  const LoopbackServer closing([](Connection& c) { c.read_request(); });
  CHECK(probe("https://shop.example/", {.proxy = closing.url()}).proxy_failed);
  CHECK(probe("http://shop.example/", {.proxy = local("socks5h", unused_port())}).proxy_failed);
  // Reached, but waiting for the target perhaps.
  const LoopbackServer hanging([](Connection& c) { c.hang(); });
  const Seen waiting = probe("https://shop.example/", {.proxy = hanging.url()}, 2s);
  CHECK(waiting.failure == "timeout");
  CHECK_FALSE(waiting.proxy_failed);
}

TEST_CASE("HTTPS through a proxy's tunnel") {
  const TestCertificates certificates;
  const LoopbackServer target(answering(reply(404, "x")), {.tls = &certificates});
  const LoopbackServer proxy(tunnel_to(target.port()));
  const std::string url = "https://localhost:" + std::to_string(target.port()) + "/";
  Endpoint trusting;
  trusting.tls.ca_file = certificates.ca();
  const Seen seen = probe(url, {.proxy = proxy.url()}, patience, trusting);
  CHECK(seen.status == 404);
  CHECK(seen.failure.empty());
  CHECK_FALSE(seen.proxy_failed);
  // A certificate that is not trusted is the target's, once the tunnel stands.
  const Seen untrusted = probe(url, {.proxy = proxy.url()});
  CHECK(untrusted.failure == "tls");
  CHECK_FALSE(untrusted.proxy_failed);
}

TEST_CASE("a SOCKS proxy, and one that says that the target is at fault") {
  const LoopbackServer target(answering(reply(200, "x")));
  const auto socks = [&](char verdict) -> Script {
    return [&target, verdict](Connection& c) {
      c.send({"\x05\x00", 2});  // no authentication
      c.send({"\x05", 1});
      c.send({&verdict, 1});
      c.send({"\x00\x01\x7f\x00\x00\x01\x00\x50", 8});
      if (verdict != 0) return c.hang();
      c.relay_to(target.port());
    };
  };
  const LoopbackServer refused(socks(5));
  const Seen seen = probe("http://shop.example/", {.proxy = local("socks5h", refused.port())});
  CHECK(seen.failure == "connect");
  CHECK_FALSE(seen.proxy_failed);
  const LoopbackServer broken(socks(1));
  CHECK(probe("http://shop.example/", {.proxy = local("socks5h", broken.port())}).proxy_failed);
}

TEST_CASE("a cancelled probe is no report") {
  std::stop_source stop;
  stop.request_stop();
  HttpRequest request = get("http://127.0.0.1:1/");
  request.probe = ProbeOptions{};
  const auto http = make_curl_http({});
  CHECK(outcome(fetch_one(*http, request, Deadline::after(patience), stop.get_token())) ==
        "cancelled");
}
