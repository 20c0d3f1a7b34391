#include "sources/tailscale/path_mtu.h"

#include <fmt/format.h>

#include <functional>

#include "base/text.h"
#include "sources/tailscale/source.h"
#include "support/catch.h"
#include "support/replayed.h"

using namespace shortcircuit;
using namespace shortcircuit::tailscale;
using Status = PathMtu::Status;

namespace {

constexpr int full_size = full_ping_size(1280);

std::vector<PathMtu> replayed(const std::string& recording, const std::string& target,
                              std::size_t step = 0) {
  Source source(Config{CommonConfig{.target = target}, "", true});
  auto state = shortcircuit::testing::replayed_poll(source, recording, "tailscale", target, step);
  if (!state) throw std::runtime_error(state.error().message);
  return state->path_mtus;
}

// A path that answers pings as `answer(size, attempt of that size)` says: an endpoint, "" through a
// relay, nothing = lost.
class PathHttp : public Http {
 public:
  using Answer = std::function<std::optional<std::string>(int size, int attempt)>;
  explicit PathHttp(Answer answer) : answer_(std::move(answer)) {}

  std::vector<Result<HttpResponse>> fetch(std::span<const HttpRequest> requests, Deadline,
                                          std::stop_token) override {
    std::vector<Result<HttpResponse>> results;
    for (const HttpRequest& request : requests) {
      CHECK(request.method == Method::post);
      CHECK(request.timeout <= Duration(1s));
      const int size = std::stoi(request.answer.substr(request.answer.rfind('-') + 1));
      calls.push_back(size);
      const auto endpoint = answer_(size, ++attempts_[size]);
      if (endpoint) {
        results.push_back(HttpResponse{
            .status = 200, .body = fmt::format(R"({{"Err":"","Endpoint":"{}"}})", *endpoint)});
      } else {
        results.push_back(fail(Failure::timeout, "no answer"));
      }
    }
    return results;
  }
  std::size_t take_received_bytes() override { return 0; }
  std::vector<int> calls;

 private:
  Answer answer_;
  std::map<int, int> attempts_;
};

Peer direct_peer(const std::string& name, const std::string& endpoint) {
  return {.name = name,
          .addresses = {*IpAddress::parse("100.64.0.9")},
          .online = true,
          .active = true,
          .current_endpoint = endpoint};
}

std::vector<PathMtu> measure(PathMtuProber& prober, Http& http, const std::vector<Peer>& peers,
                             bool once = true, Time at = now(), int interface_mtu = 1280) {
  State state;
  state.backend_state = "Running";
  state.peers = peers;
  PollContext context{.http = http,
                      .deadline = Deadline::after(5s),
                      .stop = {},
                      .now = at,
                      .latest = nullptr,
                      .replay = false,
                      .once = once,
                      .notes = {}};
  return prober.measure(state, Config{CommonConfig{.timeout = 3s}, "", true, interface_mtu},
                        context);
}

}  // namespace

TEST_CASE("path MTU: the seven recordings") {
  const auto one = [](const std::string& recording, const std::string& from) {
    const auto paths = replayed(recording, from);
    REQUIRE(paths.size() == 1);
    return paths.front();
  };
  const std::string toa = "toa-fwd-gpu-01";
  const PathMtu hole = one("path-mtu-black-hole", toa);
  CHECK((hole.status == Status::low && hole.mtu_bytes == 1300 && hole.needed_bytes == 1340));
  const PathMtu clean = one("path-mtu-clean", toa);
  CHECK((clean.status == Status::sufficient && clean.mtu_bytes == 1340));
  const PathMtu dropped = one("path-mtu-fragments-dropped", toa);
  CHECK((dropped.status == Status::low && dropped.mtu_bytes == 1300));
  const PathMtu six = one("path-mtu-ipv6-black-hole", toa);
  CHECK((six.status == Status::low && six.mtu_bytes == 1300 && six.needed_bytes == 1360));
  CHECK(one("path-mtu-too-big-delivered", toa).status == Status::sufficient);
  CHECK(one("path-mtu-one-way", toa).status == Status::sufficient);
  const PathMtu one_way = one("path-mtu-one-way", "hnd-fwd-gpu-01");
  CHECK((one_way.peer == toa && one_way.status == Status::low && one_way.mtu_bytes == 1300));
  CHECK(replayed("path-mtu-over-derp", toa).empty());  // not direct: there is nothing to measure
}

TEST_CASE("path MTU: the night's narrow path, until it is mended") {
  const auto night = replayed("night", "toa-fwd-gpu-01", 0);
  REQUIRE(night.size() == 1);  // only one peer's pings were recorded
  CHECK((night[0].peer == "hnd-fwd-gpu-01" && night[0].mtu_bytes == 1300));
  const auto mended = replayed("night", "toa-fwd-gpu-01", 8);
  REQUIRE(mended.size() == 1);
  CHECK(mended[0].status == Status::sufficient);
}

TEST_CASE("path MTU: every size that a path can end at is found with at most eight calls") {
  const std::string endpoint = GENERATE("10.1.1.1:41641", "[fd00::1]:41641");
  const int headers = endpoint.front() == '[' ? 48 : 28;
  for (int largest = 1000; largest < full_size; largest += 13) {
    PathHttp http([&](int size, int) -> std::optional<std::string> {
      return size <= largest ? std::optional(endpoint) : std::nullopt;
    });
    PathMtuProber prober;
    const auto paths = measure(prober, http, {direct_peer("b", endpoint)});
    REQUIRE(paths.size() == 1);
    CHECK(paths[0].status == Status::low);
    CHECK(http.calls.size() <= 1 + 3 + 8);
    CHECK(*std::max_element(http.calls.begin(), http.calls.end()) <= largest_ping_size);
    const int found = *paths[0].mtu_bytes - headers;
    CHECK(found <= largest);
    CHECK(found >= (largest >= full_size - 128 ? largest : largest - 1));
  }
}

TEST_CASE("path MTU: one lost ping is no finding, nor are two") {
  for (const int lost : {1, 2}) {
    PathHttp http([&](int size, int attempt) -> std::optional<std::string> {
      return size == full_size && attempt <= lost ? std::nullopt
                                                  : std::optional<std::string>("10.1.1.1:1");
    });
    PathMtuProber prober;
    CHECK(measure(prober, http, {direct_peer("b", "10.1.1.1:1")})[0].status == Status::sufficient);
  }
}

TEST_CASE("path MTU: answers without an endpoint, or from another one, say nothing") {
  PathHttp relayed([](int, int) { return std::optional<std::string>(""); });
  PathMtuProber prober;
  const auto unknown = measure(prober, relayed, {direct_peer("b", "10.1.1.1:1")});
  CHECK(unknown.at(0).status == Status::unknown);
  CHECK_FALSE(unknown[0].mtu_bytes);
  CHECK(relayed.calls == std::vector<int>{1000, 1000, 1000});  // at most three small ones

  PathHttp late([](int size, int attempt) {
    return std::optional<std::string>(size == 1000 && attempt < 3 ? "" : "10.1.1.1:1");
  });
  PathMtuProber other;
  CHECK(measure(other, late, {direct_peer("b", "10.1.1.1:1")})[0].status == Status::sufficient);

  PathHttp moved([](int size, int) {
    return std::optional<std::string>(size == 1000 ? "10.1.1.1:1" : "10.2.2.2:1");
  });
  PathMtuProber third;
  CHECK(measure(third, moved, {direct_peer("b", "10.1.1.1:1")})[0].status == Status::unknown);
}

TEST_CASE("path MTU: only online, active, direct peers are pinged") {
  PathHttp http([](int, int) { return std::optional<std::string>("10.1.1.1:1"); });
  Peer idle = direct_peer("idle", "10.1.1.1:1");
  idle.active = false;
  Peer offline = direct_peer("offline", "10.1.1.1:1");
  offline.online = false;
  PathMtuProber prober;
  CHECK(measure(prober, http, {idle, offline, direct_peer("relayed", "")}).empty());
  CHECK(http.calls.empty());
}

TEST_CASE("path MTU: at most one peer a second, and the rest later") {
  PathHttp http([](int, int) { return std::optional<std::string>("10.1.1.1:1"); });
  std::vector<Peer> peers;
  for (const std::string name : {"a", "b", "c", "d", "e", "f"}) {
    peers.push_back(direct_peer(name, "10.1.1.1:1"));
  }
  PathMtuProber prober;
  const auto begin = std::chrono::steady_clock::now();
  const auto first = measure(prober, http, peers, false);
  const auto took = std::chrono::steady_clock::now() - begin;
  CHECK(first.size() == 6);  // a peer that was not measured yet is unknown, not fine
  const auto measured = static_cast<int>(std::count_if(
      first.begin(), first.end(), [](const PathMtu& path) { return path.measured.has_value(); }));
  CHECK(measured >= 1);
  CHECK(std::chrono::seconds(measured - 1) <= took);
  CHECK(http.calls.size() == static_cast<std::size_t>(measured) * 2);
}

TEST_CASE("path MTU: one look measures every peer, one a second as well") {
  std::vector<std::chrono::steady_clock::time_point> asked;
  PathHttp http([&](int, int) {
    asked.push_back(std::chrono::steady_clock::now());
    return std::optional<std::string>("10.1.1.1:1");
  });
  PathMtuProber prober;
  const auto begin = std::chrono::steady_clock::now();
  const auto paths = measure(prober, http,
                             {direct_peer("a", "10.1.1.1:1"), direct_peer("b", "10.1.1.1:1"),
                              direct_peer("c", "10.1.1.1:1")});
  REQUIRE(paths.size() == 3);
  for (const PathMtu& path : paths) CHECK(path.status == Status::sufficient);
  REQUIRE(asked.size() == 6);  // two of each
  CHECK(asked[2] - begin >= 1s);
  CHECK(asked[4] - begin >= 2s);
}

TEST_CASE("path MTU: results are kept until the path changes or they are old") {
  PathHttp http([](int, int) { return std::optional<std::string>("10.1.1.1:1"); });
  PathMtuProber prober;
  const Time start = now();
  measure(prober, http, {direct_peer("b", "10.1.1.1:1")}, true, start);
  REQUIRE(http.calls.size() == 2);
  measure(prober, http, {direct_peer("b", "10.1.1.1:1")}, true, start + 15s);
  CHECK(http.calls.size() == 2);  // known well enough
  measure(prober, http, {direct_peer("b", "10.1.1.1:1")}, true, start - 9h);
  CHECK(http.calls.size() == 4);  // the clock was set back: nothing is known of now
  http.calls.resize(2);
  measure(prober, http, {direct_peer("b", "10.3.3.3:1")}, true, start + 30s);
  CHECK(http.calls.size() == 4);  // another path
  CHECK(measure(prober, http, {direct_peer("b", "")}, true, start + 45s).empty());
}

TEST_CASE("path MTU: a path that was too narrow is so while nobody uses it") {
  PathHttp http([](int size, int) {
    return size <= 1272 ? std::optional<std::string>("10.1.1.1:1") : std::nullopt;
  });
  PathMtuProber prober;
  const Time start = now();
  const Peer awake = direct_peer("b", "10.1.1.1:1");
  REQUIRE(measure(prober, http, {awake}, true, start).at(0).status == Status::low);
  Peer idle = direct_peer("b", "");
  idle.active = false;
  const auto calls = http.calls.size();
  const auto kept = measure(prober, http, {idle}, true, start + 3min);
  REQUIRE(kept.size() == 1);
  CHECK((kept[0].status == Status::low && kept[0].mtu_bytes == 1300));
  CHECK(http.calls.size() == calls);  // an idle peer is not woken
  SECTION("it wakes, and is measured anew") {
    PathHttp mended([](int, int) { return std::optional<std::string>("10.1.1.1:1"); });
    CHECK(measure(prober, mended, {awake}, true, start + 4min).at(0).status == Status::sufficient);
    CHECK(measure(prober, mended, {idle}, true, start + 5min).empty());  // passed: nothing is known
  }
  SECTION("it wakes over another path") {
    PathHttp mended([](int, int) { return std::optional<std::string>("10.2.2.2:1"); });
    const Peer moved = direct_peer("b", "10.2.2.2:1");
    CHECK(measure(prober, mended, {moved}, true, start + 4min).at(0).status == Status::sufficient);
  }
  SECTION("it leaves, or is relayed, or nobody has used the path for long") {
    CHECK(measure(prober, http, {}, true, start + 4min).empty());
    REQUIRE(measure(prober, http, {awake}, true, start + 5min).size() == 1);
    CHECK(measure(prober, http, {direct_peer("b", "")}, true, start + 6min).empty());
    REQUIRE(measure(prober, http, {awake}, true, start + 7min).size() == 1);
    CHECK(measure(prober, http, {idle}, true, start + 1h).empty());
  }
}

TEST_CASE("path MTU: a smaller tunnel needs smaller packets") {
  PathHttp http([](int size, int) {
    return size <= 1272 ? std::optional<std::string>("10.1.1.1:1") : std::nullopt;
  });
  PathMtuProber prober;
  const auto paths = measure(prober, http, {direct_peer("b", "10.1.1.1:1")}, true, now(), 1240);
  REQUIRE(paths.size() == 1);
  CHECK((paths[0].status == Status::sufficient && paths[0].needed_bytes == 1300));
}
