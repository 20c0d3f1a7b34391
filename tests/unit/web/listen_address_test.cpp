// Where to listen: each way to write an address, each mistake, and the sockets that come of it.
#include "web/listen_address.h"

#include <unistd.h>

#include <cstdlib>
#include <string>

#include "support/catch.h"

using namespace shortcircuit;

namespace {

std::string mistake_in(std::string_view text) {
  const auto parsed = parse_listen_address(text);
  return parsed ? "" : parsed.error();
}

bool has_ipv6() {
  const auto listeners = open_listeners({"[::1]:0"});
  if (listeners) close_listeners(*listeners);
  return listeners.has_value();
}

}  // namespace

TEST_CASE("listen address: what is understood") {
  CHECK(parse_listen_address(":10067") == ListenAddress{"", "10067"});
  CHECK(parse_listen_address(":0") == ListenAddress{"", "0"});
  CHECK(parse_listen_address("127.0.0.1:80") == ListenAddress{"127.0.0.1", "80"});
  CHECK(parse_listen_address("localhost:80") == ListenAddress{"localhost", "80"});
  CHECK(parse_listen_address("[::1]:80") == ListenAddress{"::1", "80"});
  CHECK(parse_listen_address("[fe80::1%eth0]:80") == ListenAddress{"fe80::1%eth0", "80"});
}

TEST_CASE("listen address: each mistake says what to write") {
  CHECK(mistake_in("") == R"("": want a port too, such as :10067, 127.0.0.1:10067 or [::1]:10067)");
  CHECK(mistake_in("10067") == "10067: a port alone; did you mean :10067?");
  CHECK_THAT(mistake_in("localhost"), Catch::Contains("want a port too"));
  CHECK_THAT(mistake_in("[::1]"), Catch::Contains("want a port too"));
  CHECK_THAT(mistake_in("::1:80"), Catch::Contains("wants brackets"));
  CHECK_THAT(mistake_in("[localhost]:80"), Catch::Contains("IPv6 address between the brackets"));
  CHECK_THAT(mistake_in("http://a:80"), Catch::Contains("not a URL"));
  CHECK_THAT(mistake_in("a,b:80"), Catch::Contains("want an address"));
  for (const auto* text : {":", ":65536", ":-1", ":8o", ":+80", "a: 80"}) {
    CHECK_THAT(mistake_in(text), Catch::Contains("want a port from 0 to 65535"));
  }
}

TEST_CASE("listen address: a socket has its real port, and a busy one is named") {
  const auto listeners = open_listeners({"127.0.0.1:0", "127.0.0.1:0"});
  REQUIRE(listeners);
  const std::string address = listeners->front().address;
  CHECK(address.starts_with("127.0.0.1:"));
  CHECK(address != "127.0.0.1:0");
  const auto again = open_listeners({"127.0.0.1:0", address});
  REQUIRE_FALSE(again);
  CHECK(again.error().message == "cannot listen on " + address + ": Address already in use");
  close_listeners(*listeners);
  const auto foreign = open_listeners({"192.0.2.1:0"});
  REQUIRE_FALSE(foreign);
  CHECK_THAT(foreign.error().message, Catch::Contains("192.0.2.1:0"));
}

TEST_CASE("listen address: every address is one socket, of both families where there are both") {
  const auto listeners = open_listeners({":0"});
  REQUIRE(listeners);
  CHECK(listeners->front().address.starts_with(has_ipv6() ? "[::]:" : "0.0.0.0:"));
  close_listeners(*listeners);
}

TEST_CASE("listen address: sockets of systemd are for this process and must listen") {
  unsetenv("LISTEN_PID");
  unsetenv("LISTEN_FDS");
  const auto none = take_systemd_listeners();
  REQUIRE_FALSE(none);
  CHECK_THAT(none.error().message, Catch::Contains("handed over no socket"));
  setenv("LISTEN_PID", "1", 1);
  setenv("LISTEN_FDS", "1", 1);
  CHECK_FALSE(take_systemd_listeners());  // meant for another process
  setenv("LISTEN_PID", std::to_string(getpid()).c_str(), 1);
  setenv("LISTEN_FDS", "0", 1);
  CHECK_FALSE(take_systemd_listeners());
  setenv("LISTEN_FDS", "many", 1);
  CHECK_FALSE(take_systemd_listeners());
  unsetenv("LISTEN_PID");
  unsetenv("LISTEN_FDS");
}
