#include "base/text.h"

#include <cmath>

#include "base/address.h"
#include "base/exposition_text.h"
#include "base/json.h"
#include "base/json_outline.h"
#include "base/time.h"
#include "support/catch.h"

using namespace shortcircuit;

TEST_CASE("user information is cut out of URLs") {
  CHECK(without_userinfo("http://user:pa@ss@host:1/x@y") == "http://host:1/x@y");
  CHECK(without_userinfo("http://host/a@b") == "http://host/a@b");
  CHECK(without_userinfo("no url") == "no url");
  CHECK(without_userinfos("get \"http://u:p@a:1/x\" and https://u:p@b, not mail to x@y.org: //") ==
        "get \"http://a:1/x\" and https://b, not mail to x@y.org: //");
  CHECK(without_userinfos("http://a http://b/c@d 'http://e'@f") ==
        "http://a http://b/c@d 'http://e'@f");
}

TEST_CASE("the nearest known word is suggested only when it is near") {
  CHECK(nearest("intervall", {"interval", "timeout"}) == "interval");
  CHECK_FALSE(nearest("zzzzzz", {"interval", "timeout"}));
}

TEST_CASE("base64 both ways") {
  for (const std::string text : {"", "a", "ab", "abc", "abcd"}) {
    CHECK(base64_decode(base64_encode(text)) == text);
  }
  CHECK_FALSE(base64_decode("a*b"));
}

TEST_CASE("invalid UTF-8 is replaced, valid UTF-8 stays") {
  const auto replaced = [](std::string text) {
    replace_invalid_utf8(text);
    return text;
  };
  for (const std::string valid : {"", "plain", "→ é \u0800 \uFFFD \U0001F600"}) {
    CHECK(replaced(valid) == valid);
  }
  const std::string mark = "\uFFFD";
  CHECK(replaced("a\xff\xfe"
                 "b") == "a" + mark + mark + "b");
  CHECK(replaced("\xe2\x86") == mark + mark);                        // cut off
  CHECK(replaced("\xc0\x80") == mark + mark);                        // longer than needed
  CHECK(replaced("\xed\xa0\x80") == mark + mark + mark);             // a surrogate
  CHECK(replaced("\xf4\x90\x80\x80") == mark + mark + mark + mark);  // beyond Unicode
}

TEST_CASE("RFC 3339 times") {
  CHECK(format_rfc3339(*parse_rfc3339("2026-11-24T15:30:00.123456789Z")) == "2026-11-24T15:30:00Z");
  CHECK(format_rfc3339(*parse_rfc3339("2026-11-24T16:30:00+01:00")) == "2026-11-24T15:30:00Z");
  CHECK_FALSE(parse_rfc3339("0001-01-01T00:00:00Z"));
  CHECK_FALSE(parse_rfc3339("2026-13-24T15:30:00Z"));
  CHECK_FALSE(parse_rfc3339("yesterday"));
}

TEST_CASE("moments that no two of which are too far apart") {
  const Time first = *parse_rfc3339("1900-01-01T00:00:00Z");
  const Time last = *parse_rfc3339("2260-12-31T23:59:59Z");
  const Time present = *parse_rfc3339("2026-11-24T15:30:00Z");
  CHECK(present - first > Duration{0});
  CHECK(last - present > Duration{0});
  CHECK_FALSE(parse_rfc3339("1899-12-31T23:59:59Z"));
  CHECK_FALSE(parse_rfc3339("9999-12-31T23:59:59Z"));
  CHECK(is_rfc3339("9999-12-31T23:59:59Z"));
  CHECK(is_rfc3339("0001-01-01T00:00:00Z"));
  CHECK_FALSE(is_rfc3339("9999-13-31T23:59:59Z"));
  CHECK_FALSE(is_rfc3339("9999-12-31T23:59:59"));
  CHECK_FALSE(is_rfc3339("10000-01-01T00:00:00Z"));
  CHECK(time_of_unix_milliseconds(1795534200000) == present);
  CHECK(time_of_unix_seconds(1795534200) == present);
  // Found by fuzzing: a time with one digit too many is no time.
  CHECK_FALSE(time_of_unix_milliseconds(17952530685999999));
  CHECK_FALSE(time_of_unix_milliseconds(INT64_MAX));
  CHECK_FALSE(time_of_unix_milliseconds(INT64_MIN));
  for (const double nonsense : {1e10, -1e10, 1e300, -1e300, std::nan(""), HUGE_VAL})
    CHECK_FALSE(time_of_unix_seconds(nonsense));
}

TEST_CASE("addresses, prefixes, endpoints and URLs") {
  const auto prefix = Prefix::parse("10.20.0.0/16");
  REQUIRE(prefix);
  CHECK(prefix->contains(*IpAddress::parse("10.20.255.1")));
  CHECK_FALSE(prefix->contains(*IpAddress::parse("10.21.0.1")));
  CHECK_FALSE(prefix->contains(*IpAddress::parse("fd00::1")));
  CHECK_FALSE(Prefix::parse("10.20.0.1/16", true));
  CHECK(Prefix::parse("10.20.0.1/16")->text() == "10.20.0.0/16");
  CHECK_FALSE(Prefix::parse("10.20.0.0/33"));
  CHECK(IpAddress::parse("::ffff:10.0.0.1")->text() == "10.0.0.1");
  CHECK(address_of_endpoint("[fd7a::1]:41641")->text() == "fd7a::1");
  CHECK(address_of_endpoint("10.0.0.1:80")->text() == "10.0.0.1");
  const auto url = parse_url("SOCKS5://u:p@[fd00::2]:1080/x?y");
  REQUIRE(url);
  CHECK((url->scheme == "socks5" && url->host == "fd00::2" && url->port == 1080));
  CHECK_FALSE(parse_url("http://host:99999/"));
}

TEST_CASE("JSON: missing and null are one, errors name the path") {
  std::string name = "unset";
  const auto wrong =
      read_json(R"({"items":[{"name":null,"port":"8080"},{"name":7}]})", [&](JsonView root) {
        const auto items = root["items"].items();
        name = items[0]["name"].string_or("none");
        CHECK(items[0]["port"].integer() == 8080);
        CHECK(items[0]["absent"]["deeper"].missing());
        (void)items[1]["name"].string();
      });
  CHECK(name == "none");
  REQUIRE_FALSE(wrong);
  CHECK(wrong.error().failure == Failure::schema);
  CHECK(wrong.error().message == "items[1].name: want a string, got number");
  CHECK(read_json("{", [](JsonView) {}).error().failure == Failure::syntax);
  CHECK(read_json(std::string(100000, '['), [](JsonView) {}).error().failure == Failure::syntax);
  CHECK(read_json(R"({"metadata":{"name":"a","managedFields":[{"x":1}]}})", [](JsonView root) {
    CHECK(root["metadata"]["name"].string() == "a");
    CHECK(root["metadata"]["managedFields"].missing());
  }));
}

TEST_CASE("JSON: managedFields never reach the parser") {
  const std::pair<std::string, std::string> cases[] = {
      {R"({"a":1,"managedFields":[{"x":[1,"]"]}],"b":2})", R"({"a":1,"b":2})"},
      {R"({"managedFields":{"f:x\"}":{}},"b":2})", R"({"b":2})"},
      {R"({"managedFields":[]})", R"({})"},
      {R"({ "a" : 1 , "managedFields" : [ ] , "b" : 2 })", R"({ "a" : 1  , "b" : 2 })"},
      {R"([{"managedFields":[],"managedFields":[],"b":2},{"a":1,"managedFields":[]}])",
       R"([{"b":2},{"a":1}])"},
      {R"({"managedFields":[{"managedFields":[]}],"b":2})", R"({"b":2})"},
      // As text, or as a value of another shape, they stay.
      {R"({"a":"managedFields","b":"\"managedFields\":[]"})",
       R"({"a":"managedFields","b":"\"managedFields\":[]"})"},
      {R"({"managedFields":7})", R"({"managedFields":7})"},
      {R"(["managedFields",[1]])", R"(["managedFields",[1]])"},
      // What is cut off in the middle stays, and is no JSON for the parser either.
      {R"({"a":1,"managedFields":[{"x":)", R"({"a":1,"managedFields":[{"x":)"},
      {R"({"managedFields)", R"({"managedFields)"},
      {R"("managedFields":[])", R"()"},
      {R"(\)", R"(\)"},
  };
  for (const auto& [body, kept] : cases) {
    CAPTURE(body);
    CHECK(JsonOutline(body).kept() == kept);
    CHECK_FALSE(JsonOutline(body).too_deep());
  }
  CHECK_FALSE(read_json(R"({"a":1,"managedFields":[{"x":)", [](JsonView) {}));
  CHECK_FALSE(JsonOutline(std::string(256, '[')).too_deep());
  CHECK(JsonOutline(std::string(257, '[')).too_deep());
}

TEST_CASE("JSON: what is wrong deep inside is named by its whole path") {
  const auto message = [](const std::function<void(JsonView)>& read) {
    const auto done =
        read_json(R"({"a":[[{"b":{"c":null,"d":1}}],{}],"e":{"managedFields":[1],"f":{}}})", read);
    return done ? "" : done.error().message;
  };
  CHECK(message([](JsonView root) { (void)root["x"].string(); }) ==
        "x: want a string, got nothing");
  CHECK(message([](JsonView root) {
          (void)root["a"].items()[0].items()[0]["b"]["c"]["x"]["y"].string();
        }) == "a[0][0].b.c.x.y: want a string, got nothing");
  CHECK(message([](JsonView root) { (void)root["a"].items()[0].items()[0]["b"]["d"]["x"]; }) ==
        "a[0][0].b.d: want an object, got number");
  CHECK(message([](JsonView root) { (void)root["e"].members()[0].second["g"]["h"].integer(); }) ==
        "e.f.g.h: want a whole number, got nothing");
  CHECK(message([](JsonView root) { (void)root.string(); }) ==
        "document: want a string, got object");
}

TEST_CASE("a recording keeps only what is named") {
  const auto kept = keep_fields(
      R"({"items":[{"metadata":{"name":"a","annotations":{"secret":"s3cret"}},"spec":{"url":"http://u:s3cret@h/"}}]})",
      {"items/metadata/name", "items/spec/url"});
  REQUIRE(kept);
  CHECK(kept->find("s3cret") == std::string::npos);
  CHECK(kept->find("http://h/") != std::string::npos);
  const auto keys = keep_fields(R"({"status":{"http://u:s3cret@h/":"UP"}})", {"status/*"});
  REQUIRE(keys);
  CHECK(keys->find("s3cret") == std::string::npos);
  CHECK(keys->find("\"http://h/\"") != std::string::npos);
}

TEST_CASE("text exposition format") {
  const auto samples = parse_exposition(
      "# HELP a b\n# TYPE a counter\na_total{x=\"1\",y=\"q\\\"z\"} 3\nb 1e3 1234\nc NaN\n");
  REQUIRE(samples);
  REQUIRE(samples->size() == 3);
  CHECK(samples->at(0).labels.at("y") == "q\"z");
  CHECK(samples->at(1).value == 1000);
  CHECK(parse_exposition("a{ 3\n").error().message == "line 1: not a metric sample");
}
