// What servers really answered (tests/recordings/raw), sent on loopback byte for byte as they sent
// it to the source that asks such servers: what it makes of each. Rewrite as golden_test.cpp says.
#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <set>

#include "base/text.h"
#include "http/curl_http.h"
#include "sources/etcd/source.h"
#include "sources/headscale/source.h"
#include "sources/kubernetes/source.h"
#include "sources/linstor/source.h"
#include "sources/tailscale/source.h"
#include "sources/traefik/source.h"
#include "support/catch.h"
#include "support/fake_http.h"
#include "support/loopback_server.h"

using namespace shortcircuit;

namespace {

const std::string raw_folder = SHORTCIRCUIT_RECORDINGS "/raw/";

// A file holds what curl wrote down: chunks are joined, lines may end as in a file. What frames the
// body is said anew; all else goes out as it came. A body alone gets a head.
std::string as_sent(const std::string& file) {
  const auto text = read_file(raw_folder + file);
  if (!text) throw std::runtime_error(text.error().message);
  if (!text->starts_with("HTTP/")) return testing::reply(200, *text);
  std::string head;
  std::size_t body = 0;
  while (body < text->size()) {
    const auto end = text->find('\n', body);
    const std::string line(trim(std::string_view(*text).substr(body, end - body)));
    body = end == std::string::npos ? text->size() : end + 1;
    if (line.empty()) break;
    const std::string name = to_lower(line.substr(0, line.find(':')));
    if (name == "content-length" || name == "transfer-encoding") continue;
    head += (line.starts_with("HTTP/2 ") ? "HTTP/1.1 " + line.substr(7) : line) + "\r\n";
  }
  return fmt::format("{}Content-Length: {}\r\n\r\n{}", head, text->size() - body,
                     text->substr(body));
}

// File by the name of what is asked for (`ping` is every ping); a recording answers the rest.
using RawAnswers = std::map<std::string, std::string>;

class RawHttp : public Http {
 public:
  RawHttp(const std::string& recording, RawAnswers answers)
      : recorded_(answers_of(SHORTCIRCUIT_RECORDINGS "/" + recording)),
        answers_(std::move(answers)) {}

  std::vector<Result<HttpResponse>> fetch(std::span<const HttpRequest> requests, Deadline deadline,
                                          std::stop_token stop) override {
    std::vector<Result<HttpResponse>> results;
    for (const HttpRequest& request : requests) {
      const auto found = std::ranges::find_if(answers_, [&](const auto& answer) {
        return request.answer == answer.first ||
               (answer.first == "ping" && request.answer.starts_with("ping-"));
      });
      if (found == answers_.end()) {
        results.push_back(recorded_(request));
        continue;
      }
      testing::LoopbackServer server(testing::sending(as_sent(found->second)));
      HttpRequest to_server = request;
      to_server.url = server.url("/" + request.answer);
      to_server.timeout.reset();  // a busy machine is no lost ping
      results.push_back(fetch_one(*make_curl_http({}), to_server, deadline, stop));
      served.insert(found->second);
    }
    return results;
  }
  std::size_t take_received_bytes() override { return 0; }
  std::set<std::string> served;

 private:
  FakeHttp::Answer recorded_;
  RawAnswers answers_;
};

std::string text_of(const Error& error) {
  return error.http_status == 0 ? std::string(name_of(error.failure))
                                : fmt::format("{} {}", name_of(error.failure), error.http_status);
}

std::string known(const auto& part, std::string_view what) {
  return part ? fmt::format("{} {}", part->size(), what) : fmt::format("{} unknown", what);
}

template <class T>
std::string known(const kubernetes::Listed<T>& list, std::string_view what) {
  return list.known() ? fmt::format("{} {}", list.items.size(), what)
                      : fmt::format("{} unknown", what);
}

std::string facts(const etcd::State& state) {
  return fmt::format("{}, {}, version '{}'", known(state.members, "members"),
                     known(state.alarms, "alarms"), state.version);
}
std::string facts(const headscale::State& state) {
  return fmt::format("{} nodes, {} API keys, health {}", state.nodes.size(), state.api_keys.size(),
                     state.healthy ? (*state.healthy ? "good" : "bad") : "unknown");
}
std::string facts(const linstor::State& state) {
  return fmt::format("{} nodes, {}, {}, {} of unknown connections", state.nodes.size(),
                     known(state.resources, "resources"), known(state.definitions, "definitions"),
                     state.connections_unknown.size());
}
std::string facts(const traefik::State& state) {
  return fmt::format("{} routers, version {}", state.routers.size(), state.version);
}
std::string facts(const tailscale::State& state) {
  std::string text = fmt::format("{} peers, control server {}", state.peers.size(),
                                 state.control_url.value_or("unknown"));
  for (const tailscale::PathMtu& path : state.path_mtus) {
    using Status = tailscale::PathMtu::Status;
    text += path.status == Status::sufficient ? ", path fits"
            : path.status == Status::low      ? ", path too narrow"
                                              : ", path unknown";
  }
  return text;
}
std::string facts(const kubernetes::State& state) {
  return fmt::format("{}, {}, {}", known(state.nodes, "nodes"), known(state.services, "services"),
                     known(state.pods, "pods"));
}

// "down: why", or what is known and why each part that was not read was not.
template <class Source, class Config>
std::string poll(Config config, Http& http) {
  config.endpoint.url = "http://upstream.example";
  Source source(config);
  PollContext context{.http = http, .deadline = Deadline::after(60s), .stop = {}, .now = now()};
  context.once = true;
  const auto state = source.poll(context);
  if (!state) return "down: " + text_of(state.error());
  std::string outcome = facts(*state);
  std::set<std::string> unread;
  for (const Error& note : context.notes) unread.insert(text_of(note));
  for (const std::string& reason : unread) outcome += ", unread: " + reason;
  return outcome;
}

std::string outcome(const std::string& source, Http& http) {
  if (source == "etcd") return poll<etcd::Source>(etcd::Config{}, http);
  if (source == "headscale") return poll<headscale::Source>(headscale::Config{}, http);
  if (source == "linstor") return poll<linstor::Source>(linstor::Config{}, http);
  if (source == "traefik") return poll<traefik::Source>(traefik::Config{}, http);
  if (source == "kubernetes") {
    kubernetes::Config config;
    config.watch = false;
    return poll<kubernetes::Source>(config, http);
  }
  tailscale::Config config;
  config.timeout = 55s;
  config.path_mtu = true;
  return poll<tailscale::Source>(config, http);
}

std::string folder_of(const std::string& source) {
  if (source == "etcd") return "etcd-healthy/etcd/toa-fwd-gpu-01";
  if (source == "headscale") return "mesh-healthy/headscale";
  if (source == "linstor") return "linstor-healthy/linstor";
  if (source == "tailscale") return "path-mtu-clean/tailscale/toa-fwd-gpu-01";
  return "healthy/" + source;
}

}  // namespace

TEST_CASE("what servers really answered, and what each source makes of it", "[raw][golden]") {
  const std::string table = SHORTCIRCUIT_TESTS "/unit/sources/raw_answers.txt";
  const auto text = read_file(table);
  REQUIRE(text);
  const bool write = std::getenv("SHORTCIRCUIT_GOLDEN") != nullptr;
  std::string written;
  std::set<std::string> all_served;
  for (const std::string& line : split(*text, '\n')) {
    if (line.empty() || line.starts_with('#')) {
      written += line.empty() ? "" : line + "\n";
      continue;
    }
    INFO(line);
    const std::string source = line.substr(0, line.find(": "));
    const std::string given = line.substr(0, line.find(" => "));
    RawAnswers answers;
    std::set<std::string> files;
    for (const std::string& pair : split(given.substr(source.size() + 2), ',')) {
      const auto equals = pair.find('=');
      REQUIRE(equals != std::string::npos);
      const std::string file = source + "/" + pair.substr(equals + 1);
      answers[std::string(trim(pair.substr(0, equals)))] = file;
      files.insert(file);
    }
    RawHttp http(folder_of(source), answers);
    const std::string got = given + " => " + outcome(source, http);
    if (!write) CHECK(got == line);
    CHECK(http.served == files);
    all_served.merge(http.served);
    written += got + "\n";
  }
  if (write) REQUIRE(write_file(table, written));
  // None lies there for nothing. What has no head says what a client said, or is a body that
  // watch_event_test.cpp reads.
  for (const auto& entry : std::filesystem::recursive_directory_iterator(raw_folder)) {
    if (!entry.is_regular_file()) continue;
    const std::string file = std::filesystem::relative(entry.path(), raw_folder).string();
    const auto content = read_file(entry.path().string());
    INFO(file);
    REQUIRE(content);
    if (content->starts_with("HTTP/") || file.starts_with("tailscale/")) {
      CHECK(all_served.contains(file));
    }
  }
}
