#include "http/recording.h"

#include <filesystem>

#include "support/catch.h"
#include "support/temporary_directory.h"

using namespace shortcircuit;
using shortcircuit::testing::TemporaryDirectory;

namespace {

struct Position : ReplayPosition {
  std::size_t at = 0;
  [[nodiscard]] std::size_t step() const override { return at; }
};

HttpRequest ask(std::string answer, std::string extension = "json") {
  HttpRequest request;
  request.answer = std::move(answer);
  request.extension = std::move(extension);
  return request;
}

// What a replay gives: the body, or `HTTP n`, or the failure's name.
std::string say(const Result<HttpResponse>& result) {
  if (!result) return std::string(name_of(result.error().failure));
  return result->status == 200 ? result->body : "HTTP " + std::to_string(result->status);
}

std::shared_ptr<const Recording> open(const std::string& path) {
  auto recording = Recording::open(path);
  INFO((recording ? "" : recording.error().message));
  REQUIRE(recording);
  return *recording;
}

std::string next(Http& http, const HttpRequest& request) {
  return say(fetch_one(http, request, Deadline::after(5s), {}));
}

// Plays a script of results, one for each call.
struct ScriptedHttp : Http {
  std::vector<Result<HttpResponse>> script;
  std::size_t at = 0;
  std::vector<Result<HttpResponse>> fetch(std::span<const HttpRequest> requests, Deadline,
                                          std::stop_token) override {
    std::vector<Result<HttpResponse>> results;
    for (std::size_t i = 0; i < requests.size(); ++i) results.push_back(script.at(at++));
    return results;
  }
  std::size_t take_received_bytes() override { return 7; }
};

Result<std::string> reduce(std::string_view, std::string_view body) {
  if (body == "bad") return fail(Failure::schema, "not the shape");
  return std::string(body.substr(0, body.find("secret")));
}

}  // namespace

TEST_CASE("a step inherits what it lacks, failures and answers replace each other") {
  const TemporaryDirectory directory;
  directory.write("shortcircuit.yaml", "");
  directory.write("00-a/recorded_at", "2026-01-02T03:04:05Z\n");
  directory.write("00-a/traefik/version.json", "v0");
  directory.write("00-a/traefik/overview.json", "o0");
  directory.write("01-b/traefik/version.status", "503\n");
  directory.write("01-b/traefik/overview.json", "o1");
  directory.write("02-c/recorded_at", "2026-01-02T03:05:05Z\n");
  directory.write("02-c/traefik/overview.status", "timeout");
  directory.write("03-d/traefik/version.json", "v3");
  directory.write("notes/README.md", "no step");
  const auto recording = open(directory.path());
  CHECK(recording->steps() == std::vector<std::string>{"00-a", "01-b", "02-c", "03-d"});
  CHECK(recording->configuration_path().ends_with("/shortcircuit.yaml"));
  CHECK(format_rfc3339(*recording->recorded_at(1)) == "2026-01-02T03:04:05Z");
  CHECK(format_rfc3339(*recording->recorded_at(3)) == "2026-01-02T03:05:05Z");

  Position position;
  const auto http = make_replay_http(recording, position, "traefik", "");
  std::string story;
  for (position.at = 0; position.at < 4; ++position.at) {
    story += next(*http, ask("version")) + " " + next(*http, ask("overview")) + ", ";
  }
  CHECK(story == "v0 o0, HTTP 503 o1, HTTP 503 timeout, v3 timeout, ");
  CHECK(next(*http, ask("absent")) == "HTTP 404");
  CHECK(http->take_received_bytes() == 8);
  CHECK(http->take_received_bytes() == 0);

  SECTION("a step inside of a recording ends it") {
    const auto part = open(directory.path() + "/01-b/");
    CHECK(part->steps() == std::vector<std::string>{"00-a", "01-b"});
    CHECK(say(part->answer(1, "traefik", "", ask("overview"), 1)) == "o1");
    CHECK(say(part->answer(1, "traefik", "", ask("version"), 1)) == "HTTP 503");
    CHECK(part->configuration_path() == recording->configuration_path());
  }
}

TEST_CASE("a recording without steps is one step") {
  const TemporaryDirectory directory;
  directory.write("etcd/one/metrics.txt", "m1");
  directory.write("etcd/two/metrics.json", "m2");
  directory.write("kubernetes/nodes.json", "n");
  const auto recording = open(directory.path());
  CHECK(recording->steps() == std::vector<std::string>{"."});
  CHECK_FALSE(recording->recorded_at(0));
  CHECK(say(recording->answer(0, "etcd", "one", ask("metrics", "json"), 1)) == "m1");
  CHECK(say(recording->answer(0, "etcd", "two", ask("metrics", "txt"), 1)) == "m2");
  CHECK(say(recording->answer(0, "etcd", "", ask("metrics"), 1)) == "HTTP 404");
  CHECK(say(recording->answer(0, "kubernetes", "", ask("nodes"), 1)) == "n");
  auto limited = ask("nodes");
  limited.body_limit = 0;
  CHECK(say(recording->answer(0, "kubernetes", "", limited, 1)) == "too_large");
}

TEST_CASE("numbered files answer call by call, anew in every step") {
  const TemporaryDirectory directory;
  directory.write("a/tailscale/n/ping-try1.status", "timeout");
  directory.write("a/tailscale/n/ping-try3.json", "third");
  directory.write("a/tailscale/n/ping.json", "never");
  directory.write("b/tailscale/n/other.json", "x");
  const auto recording = open(directory.path());
  Position position;
  const auto http = make_replay_http(recording, position, "tailscale", "n");
  std::string story;
  for (int i = 0; i < 4; ++i) story += next(*http, ask("ping")) + " ";
  position.at = 1;
  story += next(*http, ask("ping"));
  CHECK(story == "timeout timeout third third timeout");
}

TEST_CASE("within one step a status wins, then the extension that was asked for") {
  const TemporaryDirectory directory;
  directory.write("linstor/a.json", "json");
  directory.write("linstor/a.txt", "txt");
  directory.write("linstor/b.json", "json");
  directory.write("linstor/b.status", "401");
  directory.write("linstor/c.status", "tired");
  const auto recording = open(directory.path());
  CHECK(say(recording->answer(0, "linstor", "", ask("a", "txt"), 1)) == "txt");
  CHECK(say(recording->answer(0, "linstor", "", ask("a", "json"), 1)) == "json");
  CHECK(say(recording->answer(0, "linstor", "", ask("b"), 1)) == "HTTP 401");
  const auto wrong = recording->answer(0, "linstor", "", ask("c"), 1);
  CHECK(say(wrong) == "internal");
  CHECK(wrong.error().message.ends_with(
      "c.status: want an HTTP status (100 to 599) or a failure reason such as timeout"));
}

TEST_CASE("what is no recording is said in one sentence") {
  const TemporaryDirectory directory;
  CHECK(Recording::open(directory.path() + "/none").error().message ==
        "no recording at " + directory.path() + "/none: there is no such directory");
  CHECK(Recording::open(directory.path()).error().message.find("want a directory that holds") !=
        std::string::npos);
  directory.write("kubernetes/nodes.json", "{}");
  directory.write("recorded_at", "yesterday");
  CHECK(Recording::open(directory.path())
            .error()
            .message.ends_with(
                "recorded_at: want a moment in RFC 3339, such as 2026-01-31T15:30:00Z"));
}

TEST_CASE("names are made safe for files") {
  CHECK(safe_name("ping-fd7a::1-1312") == "ping-fd7a__1-1312");
  CHECK(safe_name("../../etc/passwd") == "_.._.._etc_passwd");
  CHECK(safe_name("") == "_");
  CHECK(safe_name("*.example.org") == "_.example.org");
  const std::string one(300, 'a');
  CHECK(safe_name(one).size() == 200);
  CHECK(safe_name(one) != safe_name(one + "b"));
  CHECK(answer_file_name("ping-node_1-1312") == "ping-node_1-1312");
  CHECK(answer_file_name("ping-fd7a::1-1312").starts_with("ping-fd7a__1-1312-"));
  CHECK(answer_file_name("a:b") != answer_file_name("a/b"));
  CHECK(answer_file_name(one).size() == 200);
  for (const std::size_t length : {182U, 183U, 184U, 200U, 201U}) {
    const std::string name(length - 1, 'a');
    CHECK(answer_file_name(name + ":") != answer_file_name(name + "/"));
    CHECK(answer_file_name(name + ":").size() <= 200);
  }
}

TEST_CASE("two names that look alike as file names are two files") {
  const TemporaryDirectory directory;
  auto inner = std::make_unique<ScriptedHttp>();
  const std::vector<std::string> names{"ping-a:1", "ping-a/1", "ping-a_1", "ping-a 1", ".x", "_.x"};
  for (const std::string& name : names) {
    inner->script.push_back(HttpResponse{200, "of " + name, {}});
  }
  const auto capture = make_capture_http(std::move(inner), directory.path(), "etcd", "m", reduce);
  for (const std::string& name : names) {
    const std::vector<HttpRequest> requests{ask(name)};
    REQUIRE(capture->fetch(requests, Deadline::after(1s), {}).front());
  }
  const auto recording = Recording::open(directory.path());
  REQUIRE(recording);
  for (const std::string& name : names) {
    const auto answer = (*recording)->answer(0, "etcd", "m", ask(name), 1);
    REQUIRE(answer);
    CHECK(answer->body.contains("of " + name));
  }
  CHECK((*recording)->answer(0, "etcd", "m", ask("ping-b:1"), 1)->status == 404);
}

TEST_CASE("a file that somebody named by hand is found") {
  const TemporaryDirectory directory;
  directory.write("tailscale/n/ping-fd7a__1-1312.json", "by hand");
  const auto recording = Recording::open(directory.path());
  REQUIRE(recording);
  CHECK((*recording)->answer(0, "tailscale", "n", ask("ping-fd7a::1-1312"), 1)->body == "by hand");
}

TEST_CASE("what was captured is replayed alike") {
  const TemporaryDirectory directory;
  directory.write("etcd/m_1/metrics-try1.txt", "from an older capture");
  directory.write("etcd/m_1/metrics.status", "from an older capture");
  auto inner = std::make_unique<ScriptedHttp>();
  const std::vector<std::pair<HttpRequest, Result<HttpResponse>>> script = {
      {ask("metrics", "txt"), HttpResponse{200, "kept secret", {}}},
      {ask("health"), HttpResponse{503, "unwell", {}}},
      {ask("status"), HttpResponse{503, "unwell", {}}},
      {ask("members"), fail(Failure::tls, "no")},
      {ask("odd"), HttpResponse{200, "bad", {}}},
      {ask("../up"), HttpResponse{200, "up", {}}},
      {ask("gone"), fail(Failure::cancelled, "stop")},
      {ask("ping"), fail(Failure::timeout, "lost")},
      {ask("ping"), fail(Failure::timeout, "lost")},
      {ask("ping"), HttpResponse{200, "pong", {}}},
  };
  for (const auto& [request, result] : script) inner->script.push_back(result);
  const auto capture = make_capture_http(std::move(inner), directory.path(), "etcd", "m/1", reduce);
  for (const auto& [request, result] : script) {
    const auto passed = fetch_one(*capture, request, Deadline::after(5s), {});
    CHECK(passed.has_value() == result.has_value());
  }
  CHECK(capture->take_received_bytes() == 7);
  CHECK_FALSE(std::filesystem::exists(directory.path() + "/etcd/m_1/metrics.status"));
  CHECK_FALSE(std::filesystem::exists(directory.path() + "/etcd/m_1/gone.status"));

  Position position;
  const auto replay = make_replay_http(open(directory.path()), position, "etcd", "m/1");
  CHECK(next(*replay, ask("metrics", "txt")) == "kept ");
  CHECK(next(*replay, ask("health")) == "unwell");
  CHECK(next(*replay, ask("status")) == "HTTP 503");
  CHECK(next(*replay, ask("members")) == "tls");
  CHECK(next(*replay, ask("odd")) == "schema");
  CHECK(next(*replay, ask("../up")) == "up");
  CHECK(next(*replay, ask("ping")) == "timeout");
  CHECK(next(*replay, ask("ping")) == "timeout");
  CHECK(next(*replay, ask("ping")) == "pong");
}

TEST_CASE("a capture that cannot write says so") {
  const TemporaryDirectory directory;
  directory.write("etcd", "a file where a directory is wanted");
  auto inner = std::make_unique<ScriptedHttp>();
  inner->script.push_back(HttpResponse{200, "x", {}});
  const auto capture = make_capture_http(std::move(inner), directory.path(), "etcd", "", reduce);
  const auto result = fetch_one(*capture, ask("metrics"), Deadline::after(5s), {});
  REQUIRE_FALSE(result);
  CHECK(result.error().failure == Failure::internal);
  CHECK(result.error().message.starts_with("capture: cannot write "));
}
