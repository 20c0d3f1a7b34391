// The web configuration: what is refused, and who gets in. Hashes of these tests have cost 4.
#include "web/access.h"

#include "base/text.h"
#include "support/catch.h"
#include "support/temporary_directory.h"
#include "web/web_config.h"

using namespace shortcircuit;

namespace {

// Of "right", made by crypt(3).
const std::string hash = "$2y$04$abcdefghijklmnopqrstuuFmEfrkTQnczNzw475xE2VhDrK1uwJiC";
const std::string users = "basic_auth_users: {ada: '" + hash + "'}\n";

std::string mistakes_in(std::string_view text) {
  const auto config = parse_web_config(text, "web.yml");
  std::string all;
  if (!config) {
    for (const auto& problem : config.error()) all += problem.text() + "\n";
  }
  return all;
}

std::string basic(const std::string& name_and_password) {
  return "Basic " + base64_encode(name_and_password);
}

struct World {
  testing::TemporaryDirectory directory;
  std::string path = directory.path() + "/web.yml";
  std::vector<std::pair<std::string, std::string>> checks;
  Result<GuardedPages> guarded;

  explicit World(const std::string& text) : guarded(write_and_guard(text)) {}
  void write(const std::string& text) const { REQUIRE(write_file(path, text)); }
  Result<GuardedPages> write_and_guard(const std::string& text) {
    write(text);
    return guard_pages(
        path, [](const WebRequest&) { return text_response(200, "in"); },
        [this](const std::string& password, const std::string& against) {
          checks.emplace_back(password, against);
          return password_matches(password, against);
        });
  }
  WebResponse ask(const std::string& authorization = "") {
    REQUIRE(guarded);
    WebRequest request;
    request.authorization = authorization;
    return guarded->handler(request);
  }
};

std::string header(const WebResponse& response, std::string_view name) {
  for (const auto& [key, value] : response.headers) {
    if (key == name) return value;
  }
  return "";
}

}  // namespace

TEST_CASE("web configuration: each mistake has its place and no hash") {
  struct Case {
    std::string text;
    std::string message;
  };
  const std::string broken = hash.substr(0, 59);
  for (const auto& [text, message] : std::vector<Case>{
           {"basic_auth_user: {}\n", "web.yml:1:1: basic_auth_user: "},
           {"", "web.yml: the file is empty; expected sections such as `basic_auth_users: {"},
           {"basic_auth_users: {ada: plain}\n",
            "web.yml:1:25: basic_auth_users.ada: expected a bcrypt hash"},
           {"basic_auth_users: {ada: '" + broken + "'}\n", "expected a bcrypt hash"},
           {"basic_auth_users: {ada: '$2y$99$" + hash.substr(7) + "'}\n", "expected a bcrypt hash"},
           {"basic_auth_users: {'a:b': '" + hash + "'}\n", "name without a colon"},
           {"basic_auth_users: {ada: '" + hash + "', ada: '" + hash + "'}\n", "ada"},
           {"basic_auth_users:\n", "expected at least one user"},
           {"basic_auth_users: {}\n", "expected at least one user"},
           {"tls_server_config:\n",
            "web.yml:1:1: tls_server_config.cert_file: missing; expected a path"},
           {"http_server_config: {headers: {X-Frame-Options: maybe}}\n",
            "expected deny or sameorigin"},
           {"http_server_config: {headers: {X-Content-Type-Options: sniff}}\n", "expected nosniff"},
           {"http_server_config: {headers: {Server: x}}\n", "Server"},
           {"http_server_config: {headers: {X-XSS-Protection: \"a\\r\\nb: c\"}}\n",
            "one line of text"},
           {"http_server_config: {http2: maybe}\n", "true or false"},
           {"rate_limit: {interval: 1s}\n", "expected 1 or more"},
           {"rate_limit: {interval: soon, burst: 1}\n", "a duration"},
           {"rate_limit: {interval: 1s, burst: -1}\n", "burst"},
           {"", "web.yml"},
           {"[]\n", "web.yml"},
           {"basic_auth_users: {ada: '" + hash + "'\n", "web.yml"},
       }) {
    INFO(text);
    CHECK_THAT(mistakes_in(text), Catch::Contains(message));
    CHECK_THAT(mistakes_in(text), !Catch::Contains(hash.substr(10, 20)));
  }
  CHECK(mistakes_in(users + "http_server_config: {http2: true, headers: {X-Frame-Options: deny}}\n"
                            "rate_limit: {interval: 0s, burst: 0}\n")
            .empty());
}

TEST_CASE("bcrypt: the right password alone matches") {
  CHECK(password_matches("right", hash));
  CHECK(password_matches("right", "$2b$" + hash.substr(4)));
  CHECK_FALSE(password_matches("wrong", hash));
  CHECK_FALSE(password_matches("", hash));
  CHECK_FALSE(password_matches("right", "no hash"));
  CHECK_FALSE(password_matches(std::string(5000, 'x'), hash));
}

TEST_CASE("access: without a file everybody gets in") {
  const auto guarded = guard_pages("", [](const WebRequest&) { return text_response(200, "in"); });
  CHECK(guarded->handler({}).status == 200);
}

TEST_CASE("access: a user's name and password, and nothing else") {
  World world(users);
  CHECK(world.ask(basic("ada:right")).status == 200);
  CHECK(world.ask("bAsIc " + base64_encode("ada:right")).status == 200);
  using namespace std::string_literals;
  for (const auto& wrong : {""s, "Basic"s, "Basic "s, "Basic !"s, "Bearer x"s, basic("ada"),
                            basic("ada:"), basic(":right"), basic("ada:wrong"), basic("Ada:right"),
                            basic("eve:right"), basic("ada:right\0x"s)}) {
    INFO(wrong);
    const WebResponse response = world.ask(wrong);
    CHECK(response.status == 401);
    CHECK(header(response, "WWW-Authenticate").starts_with("Basic "));
    CHECK(*response.body != "in");
  }
}

TEST_CASE(
    "access: one hash is computed, for a name that nobody has too, a known pair is remembered") {
  World world(users);
  world.ask(basic("eve:x"));
  world.ask(basic("eve:x"));
  CHECK(world.checks == std::vector<std::pair<std::string, std::string>>{{"x", hash}, {"x", hash}});
  world.checks.clear();
  world.ask(basic("ada:wrong"));
  world.ask(basic("ada:right"));
  world.ask(basic("ada:right"));
  CHECK(world.checks.size() == 2);
  world.ask(basic("ada:wrong"));
  CHECK(world.checks.size() == 3);
  CHECK(world.ask(basic("eve:right")).status == 401);
}

TEST_CASE("access: the file counts as it is now, and a broken one lets nobody in") {
  World world(users);
  CHECK(world.ask(basic("ada:right")).status == 200);
  world.write("basic_auth_users: {bob: '" + hash + "'}\n");
  CHECK(world.ask(basic("ada:right")).status == 401);
  CHECK(world.ask(basic("bob:right")).status == 200);
  for (const auto* broken :
       {"", "basic_auth_users:\n", "basic_auth_users: [\n", "tls_server_config: {}\n"}) {
    world.write(broken);
    CHECK(world.ask(basic("bob:right")).status == 500);
    CHECK(world.ask().status == 500);
  }
  REQUIRE(std::remove(world.path.c_str()) == 0);
  CHECK(world.ask(basic("bob:right")).status == 500);
  world.write(users);
  CHECK(world.ask(basic("ada:right")).status == 200);
  CHECK(world.ask(basic("bob:right")).status == 401);
}

TEST_CASE(
    "access: TLS neither comes nor goes while it runs, and nobody gets in until it is as before") {
  const std::string tls = "tls_server_config: {cert_file: a, key_file: b}\n";
  for (const auto& [first, second] :
       {std::pair(users, users + tls), std::pair(users + tls, users)}) {
    World world(first);
    CHECK(world.ask(basic("ada:right")).status == 200);
    world.write(second);
    CHECK(world.ask(basic("ada:right")).status == 500);
    world.write(first);
    CHECK(world.ask(basic("ada:right")).status == 200);
  }
}

TEST_CASE("access: a file that is broken at the start is an error") {
  const World world("basic_auth_users: {ada: plain}\n");
  REQUIRE_FALSE(world.guarded);
  CHECK_THAT(world.guarded.error().message, Catch::Contains("web.yml:1:25"));
  CHECK_FALSE(guard_pages("/nonexistent/web.yml", nullptr));
}

TEST_CASE("access: headers stand on every answer, refusals too") {
  World world(users +
              "http_server_config: {headers: {X-Frame-Options: deny, Strict-Transport-Security: "
              "max-age=1}}\n");
  for (const auto& response : {world.ask(), world.ask(basic("ada:right"))}) {
    CHECK(header(response, "X-Frame-Options") == "deny");
    CHECK(header(response, "Strict-Transport-Security") == "max-age=1");
  }
  // For what never becomes a request. The file is read again here, too.
  CHECK(world.guarded->header_lines() ==
        "Strict-Transport-Security: max-age=1\r\nX-Frame-Options: deny\r\n");
  world.write("http_server_config: {headers: {X-Frame-Options: sameorigin}}\n");
  CHECK(world.guarded->header_lines() == "X-Frame-Options: sameorigin\r\n");
  world.write("no_such_key: 1\n");
  CHECK(world.guarded->header_lines().empty());
}

TEST_CASE("access: after a burst no more is answered within an interval") {
  World world("rate_limit: {interval: 1h, burst: 2}\n");
  CHECK(world.ask().status == 200);
  CHECK(world.ask().status == 200);
  const WebResponse refused = world.ask();
  CHECK(refused.status == 429);
  CHECK_FALSE(header(refused, "Retry-After").empty());
}
