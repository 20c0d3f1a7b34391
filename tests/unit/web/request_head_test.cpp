// What is asked of a head before civetweb sees it.
#include "web/request_head.h"

#include <string>

#include "support/catch.h"

using namespace shortcircuit;

TEST_CASE("request head: it ends at the first empty line, as civetweb sees it") {
  constexpr auto none = std::string_view::npos;
  CHECK(end_of_head("", 0) == none);
  CHECK(end_of_head("GET / HTTP/1.1\r\n", 0) == none);
  CHECK(end_of_head("GET / HTTP/1.1\r\n\r", 0) == none);
  CHECK(end_of_head("a\r\n\r\n", 0) == 5);
  CHECK(end_of_head("a\n\nb\r\n\r\n", 0) == 3);
  CHECK(end_of_head("a\r\n\r\nb\n\n", 0) == 5);
  CHECK(end_of_head("a\n\r\n", 0) == none);
  CHECK(end_of_head("a\r\n\r\nb", 4) == none);
}

TEST_CASE("request head: noise is told from HTTP") {
  CHECK(may_be_http("GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
  CHECK(may_be_http("GET / HTTP/1.0\n\n"));
  CHECK(may_be_http("GET / HTTP/1.1\r\nX: \xc3\xa4\r\n\r\n"));
  using namespace std::string_literals;
  for (const auto& head :
       {"\r\n\r\n"s, "GET /\r\n\r\n"s, "GET / HTTP/2.0\r\n\r\n"s, "PRI * HTTP/2.0\r\n\r\n"s,
        "GET /a%00b HTTP/1.1\r\n\r\n"s, "GET /\0 HTTP/1.1\r\n\r\n"s,
        "GET / HTTP/1.1\r\nX: \x01\r\n\r\n"s, "\x16\x03\x01\n\n"s}) {
    CHECK_FALSE(may_be_http(head));
  }
}

TEST_CASE("request head: its lines are counted, folded ones too") {
  CHECK(header_lines("GET / HTTP/1.1\r\n\r\n") == 0);
  CHECK(header_lines("GET / HTTP/1.1\r\nA: b\r\n c\r\n\r\n") == 2);
}
