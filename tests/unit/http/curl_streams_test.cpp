// Answers that are followed: lines as they come, and every way in which they end.
#include "http/curl_streams.h"

#include <fmt/format.h>

#include <atomic>
#include <filesystem>
#include <fstream>

#include "support/no_new_threads.h"
#include "support/temporary_directory.h"
#include "unit/http/curl_http_support.h"

using namespace shortcircuit;
using namespace shortcircuit::testing;

namespace {

constexpr const char* chunked_head =
    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
constexpr const char* last_chunk = "0\r\n\r\n";

std::string chunk(const std::string& bytes) {
  return fmt::format("{:x}\r\n{}\r\n", bytes.size(), bytes);
}

// Everything until the stream has ended, or has brought so many lines.
Stream::Arrived gathered(Stream& stream, std::size_t lines = SIZE_MAX) {
  Stream::Arrived all;
  const Deadline deadline = Deadline::after(patience);
  while (deadline.remaining() > 0s) {
    Stream::Arrived some = stream.take();
    all.phase = some.phase;
    all.error = some.error;
    for (std::string& line : some.lines) all.lines.push_back(std::move(line));
    if (all.phase == Stream::Phase::ended || all.lines.size() >= lines) return all;
    std::this_thread::sleep_for(1ms);
  }
  FAIL("the stream brought nothing");
  return all;
}

std::unique_ptr<Stream> start(Streams& streams, const LoopbackServer& server) {
  return streams.start(get(server.url("/follow")), Deadline::after(patience),
                       Deadline::after(patience));
}

std::string failure_of(const Stream::Arrived& arrived) {
  if (!arrived.error) return "";
  CHECK_FALSE(arrived.error->message.empty());
  return std::string(name_of(arrived.error->failure));
}

std::size_t entries_of(const char* directory) {
  const std::filesystem::directory_iterator all(directory);
  return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

}  // namespace

TEST_CASE("streams: lines come as they are sent, and an end in order is no error", "[watch]") {
  std::atomic<bool> go_on = false;
  const LoopbackServer server([&](Connection& client) {
    client.read_request();
    client.send(chunked_head);
    client.send(chunk("one\nt") + chunk("wo\n\n  \r\n"));
    while (!go_on && client.pause(1ms)) {}
    client.send(chunk("three\nno line break") + last_chunk);
    client.hang();
  });
  CurlStreams streams{Endpoint{}};
  const auto stream = start(streams, server);
  streams.settle(Deadline::after(patience), {});
  const auto first = gathered(*stream, 2);
  CHECK(first.phase == Stream::Phase::open);
  CHECK(first.lines == std::vector<std::string>{"one", "two"});
  CHECK(stream->take().lines.empty());
  go_on = true;
  const auto rest = gathered(*stream);
  CHECK(rest.lines == std::vector<std::string>{"three", "no line break"});
  CHECK_FALSE(rest.error);
  CHECK(streams.take_received_bytes() ==
        std::string("one\ntwo\n\n  \r\nthree\nno line break").size());
  CHECK(streams.take_received_bytes() == 0);
  const std::string asked = server.requests().at(0);
  CHECK(asked.starts_with("GET /follow HTTP/1.1\r\n"));
  CHECK_FALSE(asked.contains("Accept-Encoding"));
}

TEST_CASE("streams: an answer without a line is open", "[watch]") {
  const LoopbackServer server([&](Connection& client) {
    client.read_request();
    client.send(chunked_head);
    client.hang();
  });
  CurlStreams streams{Endpoint{}};
  const auto stream = start(streams, server);
  CHECK(stream->take().phase != Stream::Phase::ended);
  streams.settle(Deadline::after(patience), {});
  CHECK(stream->take().phase == Stream::Phase::open);
}

TEST_CASE("streams: without a thread they end at once, and later ones do not", "[watch]") {
  const LoopbackServer server([&](Connection& client) {
    client.read_request();
    client.send(chunked_head + chunk("one\n"));
    client.hang();
  });
  CurlStreams streams{Endpoint{}};
  for (int i = 0; i < 2; ++i) {
    const NoNewThreads limit;
    if (!limit.holds()) {
      WARN("threads cannot be forbidden on this machine: not tested");
      return;
    }
    const auto stream = start(streams, server);
    streams.settle(Deadline::after(patience), {});
    const auto arrived = stream->take();
    CHECK(arrived.phase == Stream::Phase::ended);
    REQUIRE(arrived.error);
    CHECK(arrived.error->failure == Failure::internal);
  }
  const auto stream = start(streams, server);
  CHECK(gathered(*stream, 1).lines == std::vector<std::string>{"one"});
}

TEST_CASE("streams: what is not 200 is an error with its status", "[watch]") {
  const auto [status, failure] =
      GENERATE(std::pair(401, "auth"), std::pair(403, "auth"), std::pair(404, "status"),
               std::pair(410, "status"), std::pair(503, "status"), std::pair(204, "status"));
  const LoopbackServer server(answering(reply(status, status == 204 ? "" : "{}\n{}\n")));
  CurlStreams streams{Endpoint{}};
  const auto stream = start(streams, server);
  streams.settle(Deadline::after(patience), {});
  const auto arrived = gathered(*stream);
  CHECK(arrived.lines.empty());
  CHECK(failure_of(arrived) == failure);
  CHECK(arrived.error->http_status == status);
}

TEST_CASE("streams: a connection that breaks leaves what came before", "[watch]") {
  const bool reset = GENERATE(true, false);
  std::atomic<bool> go_on = false;
  const LoopbackServer server([&](Connection& client) {
    client.read_request();
    client.send(chunked_head + chunk("one\nhalf a li"));
    while (!go_on && client.pause(1ms)) {}
    if (reset) client.reset();
  });
  CurlStreams streams{Endpoint{}};
  const auto stream = start(streams, server);
  CHECK(gathered(*stream, 1).lines == std::vector<std::string>{"one"});
  go_on = true;
  const auto rest = gathered(*stream);
  CHECK(rest.lines.empty());
  CHECK(rest.error);
}

TEST_CASE("streams: nobody there, no answer, no end", "[watch]") {
  CurlStreams streams{Endpoint{}};
  SECTION("nobody listens") {
    const auto stream = streams.start(get(fmt::format("http://127.0.0.1:{}/", unused_port())),
                                      Deadline::after(patience), Deadline::after(patience));
    streams.settle(Deadline::after(patience), {});
    CHECK(failure_of(gathered(*stream)) == "connect");
  }
  SECTION("no answer in time") {
    const LoopbackServer server([](Connection& client) { client.hang(); });
    const auto stream =
        streams.start(get(server.url()), Deadline::after(impatience), Deadline::after(patience));
    streams.settle(Deadline::after(patience), {});
    CHECK(failure_of(gathered(*stream)) == "timeout");
  }
  SECTION("an answer that does not end") {
    const LoopbackServer server([](Connection& client) {
      client.read_request();
      client.send(chunked_head + chunk("one\n"));
      client.hang();
    });
    const auto stream =
        streams.start(get(server.url()), Deadline::after(patience), Deadline::after(impatience));
    CHECK(failure_of(gathered(*stream)) == "timeout");
  }
  SECTION("settle ends with its deadline and with a stop") {
    const LoopbackServer server([](Connection& client) { client.hang(); });
    const auto stream = start(streams, server);
    streams.settle(Deadline::after(impatience), {});
    std::stop_source stop;
    stop.request_stop();
    streams.settle(Deadline::after(patience), stop.get_token());
    CHECK(stream->take().phase == Stream::Phase::opening);
  }
}

TEST_CASE("streams: what nobody takes is bounded", "[watch]") {
  CurlStreams streams{Endpoint{}};
  const std::string megabyte(1U << 20, 'x');
  SECTION("a line without end") {
    const LoopbackServer server([&](Connection& client) {
      client.read_request();
      client.send(chunked_head + chunk("one\n"));
      while (client.send(chunk(megabyte))) {}
    });
    const auto arrived = gathered(*start(streams, server));
    CHECK(failure_of(arrived) == "too_large");
  }
  SECTION("lines that wait, of all streams together") {
    const LoopbackServer server([&](Connection& client) {
      client.read_request();
      client.send(chunked_head);
      while (client.send(chunk(megabyte + "\n"))) {}
    });
    const auto idle = start(streams, server);
    const auto other = start(streams, server);
    const Deadline deadline = Deadline::after(patience);
    while (server.connections() < 2 && deadline.remaining() > 0s) std::this_thread::sleep_for(1ms);
    // To look is to take: a slow machine needs longer until enough waits.
    bool ended = false;
    for (auto pause = 50ms; !ended && deadline.remaining() > 0s; pause *= 2) {
      std::this_thread::sleep_for(pause);
      for (Stream* const stream : {idle.get(), other.get()}) {
        const auto arrived = stream->take();
        CHECK(arrived.lines.size() <= Streams::held_limit >> 20);
        ended = ended || arrived.phase == Stream::Phase::ended;
      }
    }
    CHECK(ended);
  }
  SECTION("what is taken gives its room back") {
    const std::size_t lines = 3 * (Streams::held_limit >> 20);
    std::atomic<std::size_t> wanted = 0;
    const LoopbackServer server([&](Connection& client) {
      client.read_request();
      client.send(chunked_head);
      for (std::size_t sent = 0; sent < lines;) {
        if (sent < wanted) {
          client.send(chunk(megabyte + "\n"));
          ++sent;
        } else if (!client.pause(1ms)) {
          return;
        }
      }
      client.send(last_chunk);
    });
    const auto stream = start(streams, server);
    std::size_t taken = 0;
    while (taken < lines) {
      wanted = taken + 8;
      taken += gathered(*stream, std::min<std::size_t>(8, lines - taken)).lines.size();
    }
    CHECK_FALSE(gathered(*stream).error);
  }
}

TEST_CASE("streams: letting go closes the connection, the end of all leaves nothing", "[watch]") {
  std::atomic<int> closed = 0;
  const LoopbackServer server([&](Connection& client) {
    if (client.read_request().contains("/silent")) {
      client.hang();
    } else {
      client.send(chunked_head + chunk("one\n"));
      client.hang();
    }
    ++closed;
  });
  const std::size_t threads = entries_of("/proc/self/task");
  {
    CurlStreams streams{Endpoint{}};
    auto stream = start(streams, server);
    CHECK(gathered(*stream, 1).lines.size() == 1);
    stream.reset();
    const Deadline deadline = Deadline::after(patience);
    while (closed < 1 && deadline.remaining() > 0s) std::this_thread::sleep_for(1ms);
    CHECK(closed == 1);
    auto open = start(streams, server);
    auto silent = streams.start(get(server.url("/silent")), Deadline::after(patience),
                                Deadline::after(patience));
    CHECK(gathered(*open, 1).lines.size() == 1);
    auto outlives = std::make_unique<CurlStreams>(Endpoint{});
    auto left = start(*outlives, server);
    CHECK(gathered(*left, 1).lines.size() == 1);
    outlives.reset();
    const auto end = left->take();
    CHECK(end.phase == Stream::Phase::ended);
    CHECK(failure_of(end) == "cancelled");
  }
  const Deadline deadline = Deadline::after(patience);
  while (closed < 4 && deadline.remaining() > 0s) std::this_thread::sleep_for(1ms);
  CHECK(closed == 4);
  // The server's threads end when they like.
  while (entries_of("/proc/self/task") > threads && deadline.remaining() > 0s) {
    std::this_thread::sleep_for(1ms);
  }
  CHECK(entries_of("/proc/self/task") <= threads);
}

TEST_CASE("streams: a hundred begin and end without leaving a descriptor", "[watch]") {
  const LoopbackServer server(sending(chunked_head + chunk("one\n") + last_chunk));
  const auto once = [&] {
    CurlStreams streams{Endpoint{}};
    std::vector<std::unique_ptr<Stream>> all;
    for (int i = 0; i < 50; ++i) all.push_back(start(streams, server));
    for (const auto& stream : all) CHECK(gathered(*stream).lines.size() == 1);
  };
  once();
  const Deadline deadline = Deadline::after(patience);
  const std::size_t before = entries_of("/proc/self/fd");
  once();
  while (entries_of("/proc/self/fd") > before && deadline.remaining() > 0s) {
    std::this_thread::sleep_for(1ms);
  }
  CHECK(entries_of("/proc/self/fd") <= before);
}

TEST_CASE("streams: credentials are read anew for every stream, and Http counts the bytes",
          "[watch]") {
  const LoopbackServer server(sending(chunked_head + chunk("one\n") + last_chunk));
  const TemporaryDirectory directory;
  const std::string token = directory.path() + "/token";
  Endpoint endpoint;
  endpoint.bearer_token = Secret::of_file(token);
  const auto http = make_curl_http(endpoint);
  Streams* const streams = http->streams();
  REQUIRE(streams != nullptr);
  CHECK(http->streams() == streams);
  CHECK(failure_of(gathered(*start(*streams, server))) == "auth");  // there is no such file yet
  for (const std::string value : {"first", "second"}) {
    std::ofstream(token) << value;
    CHECK_FALSE(gathered(*start(*streams, server)).error);
    CHECK(server.requests().back().contains("Authorization: Bearer " + value + "\r\n"));
  }
  CHECK(http->take_received_bytes() == 8);
}
