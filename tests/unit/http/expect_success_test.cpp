// What is said of an answer that is none, so that the next step is known.
#include "http/http.h"
#include "support/catch.h"

using namespace shortcircuit;

namespace {

std::string said_of(HttpResponse response,
                    std::string url = "http://user:pw@api.example:1/api/v1/node?token=s") {
  const auto result =
      expect_success(std::move(response), {.answer = "node", .url = std::move(url)});
  REQUIRE_FALSE(result);
  return result.error().message;
}

}  // namespace

TEST_CASE("an answer that is none names the place and the next step, and nothing secret") {
  CHECK(said_of({.status = 404}) == "node: HTTP 404 from http://api.example:1/api/v1/node");
  CHECK(said_of({.status = 500}) == "node: HTTP 500");
  CHECK(said_of({.status = 403}) ==
        "node: HTTP 403: check the credentials and permissions of this source");
  const std::string login = said_of(
      {.status = 302, .headers = {{"location", "https://a:b@login.example/?return=secret"}}});
  CHECK(login ==
        "node: HTTP 302 to https://login.example/: a login or another server stands at this URL; "
        "give that of the API itself");
  CHECK(said_of({.status = 301}).find("to elsewhere") != std::string::npos);
  // JSON inside does not make it one.
  const HttpResponse page{200, "[]", {{"content-type", "text/html; charset=utf-8"}}};
  CHECK(said_of(page) ==
        "node: the answer is a web page: a login or a user interface stands at this URL; give that "
        "of the API itself");
  CHECK(expect_success(page, {}).error().failure == Failure::syntax);
  CHECK(expect_success(HttpResponse{200, "[]", {{"content-type", "text/plain"}}}, {}));
}
