#include "sources/tailscale/parse.h"

#include <fmt/format.h>

#include <filesystem>

#include "http/curl_http.h"
#include "sources/tailscale/source.h"
#include "support/catch.h"
#include "support/replayed.h"
#include "support/scripted_http.h"
#include "support/temporary_directory.h"

using namespace shortcircuit;
using namespace shortcircuit::tailscale;
using shortcircuit::testing::replayed_poll;

namespace {

State poll(const std::string& recording, const std::string& target) {
  Source source(Config{CommonConfig{.target = target}, "", false});
  auto state = replayed_poll(source, recording, "tailscale", target);
  if (!state) throw std::runtime_error(state.error().message);
  return *state;
}

const Peer& peer(const State& state, std::string_view name) {
  for (const Peer& candidate : state.peers) {
    if (candidate.name == name) return candidate;
  }
  throw std::runtime_error("no such peer");
}

std::string class_of(const State& state, std::string_view name) {
  return std::string(path_class_names[static_cast<std::size_t>(peer(state, name).path_class())]);
}

PollContext looking_at(Http& http, bool once, bool replay = false) {
  return {.http = http,
          .deadline = Deadline::after(5s),
          .stop = {},
          .now = now(),
          .replay = replay,
          .once = once,
          .notes = {}};
}

// Peers as members of the status document.
std::string status(const std::string& peers) {
  return R"({"BackendState":"Running","Self":null,"Peer":{)" + peers + "}}";
}

}  // namespace

TEST_CASE("tailscale: a healthy node's status, prefs and usermetrics") {
  const State state = poll("mesh-healthy", "toa-fwd-gpu-01");
  CHECK(state.backend_state == "Running");
  CHECK(state.self_name == "toa-fwd-gpu-01");
  CHECK(state.self_online);
  CHECK(state.self_addresses.size() == 2);
  CHECK(state.control_url == "https://hs.kub0.lab");
  REQUIRE(state.peers.size() == 4);
  CHECK(peer(state, "hnd-fwd-gpu-01").underlay_address()->text() == "172.30.4.11");
  CHECK(peer(state, "hnd-fwd-gpu-01").transmitted_bytes == 6668);
  CHECK(state.path_bytes.at({"in", "direct_ipv4"}) == 16396);
  CHECK(state.path_bytes.at({"out", "derp"}) == 3500);
}

TEST_CASE("tailscale: an idle peer is not relayed, an offline one that is Active is offline") {
  const State idle = poll("mesh-idle", "toa-fwd-gpu-01");
  CHECK(class_of(idle, "aus-node-01") == "idle");  // CurAddr "", Relay filled
  CHECK(class_of(idle, "hnd-fwd-gpu-01") == "offline");
  const State offline = poll("mesh-peer-offline", "toa-fwd-gpu-01");
  CHECK(class_of(offline, "lax-fwd-gpu-01") == "offline");  // Active true, Relay sfo3
  CHECK(class_of(offline, "aus-fwd-gpu-01") == "direct");   // Relay filled as well
  CHECK(class_of(poll("mesh-derp-one-pair", "toa-fwd-gpu-01"), "hnd-fwd-gpu-01") == "derp");
}

TEST_CASE("tailscale: stopped and expired nodes say so") {
  CHECK(poll("mesh-one-stopped-one-expired", "aus-node-01").backend_state == "Stopped");
  const State expired = poll("mesh-one-stopped-one-expired", "hnd-fwd-gpu-01");
  CHECK(expired.backend_state == "NeedsLogin");
  CHECK(expired.self_expired);
  CHECK(expired.self_key_expiry.has_value());
  const State down = poll("mesh-headscale-down", "toa-fwd-gpu-01");
  CHECK(down.backend_state == "Running");
  CHECK_FALSE(down.self_online);
}

TEST_CASE("tailscale: names are unique whatever the peers call themselves") {
  const auto state = parse_status(status(
      R"("k1":{"Online":true,"HostName":"a","DNSName":"web.one.ts.net.","TailscaleIPs":["100.64.0.1"]},)"
      R"("k2":{"Online":true,"HostName":"b","DNSName":"web.two.ts.net.","TailscaleIPs":["100.64.0.2"]},)"
      R"("k3":{"Online":true,"HostName":"localhost","TailscaleIPs":["100.64.0.3"]},)"
      R"("k4":{"Online":true,"HostName":"localhost","TailscaleIPs":["100.64.0.4"]},)"
      R"("k5":{"Online":true,"TailscaleIPs":["100.64.0.5"]})"));
  REQUIRE(state);
  std::vector<std::string> names;
  for (const Peer& each : state->peers) names.push_back(each.name);
  CHECK(names == std::vector<std::string>{"100.64.0.5", "localhost", "localhost@100.64.0.4", "web",
                                          "web.two.ts.net"});
}

TEST_CASE("tailscale: a peer is found by its name though another one was renamed") {
  const auto state = parse_status(status(
      R"("k1":{"Online":true,"DNSName":"web.one.ts.net."},"k2":{"Online":true,"DNSName":"web.two.ts.net."},)"
      R"("k3":{"Online":true,"DNSName":"web-2.one.ts.net."})"));
  REQUIRE(state);
  REQUIRE(state->peers.size() == 3);
  for (const Peer& each : state->peers) {
    INFO(each.name);
    CHECK(state->peer(each.name) == &each);
  }
  CHECK(state->peer("web-2") != nullptr);
  CHECK(state->peer("web-3") == nullptr);
}

TEST_CASE("tailscale: an answer of another shape is refused with its path") {
  CHECK(parse_status("{}").error().failure == Failure::schema);
  CHECK(parse_status("[]").error().failure == Failure::schema);
  CHECK(parse_status("<html>").error().failure == Failure::syntax);
  const auto wrong = parse_status(status(R"("k":{"HostName":"a","Online":"yes"})"));
  CHECK(wrong.error().message == "Peer.k.Online: want true or false, got string");
  CHECK(parse_status(R"({"BackendState":"NoState","Peer":null})")->peers.empty());
  CHECK(parse_path_bytes("tailscaled_inbound_bytes_total{path=").error().failure ==
        Failure::syntax);
  CHECK(parse_path_bytes("")->empty());
  CHECK(*parse_control_url(R"({"ControlURL":"https://u:p@hs/"})") == "https://hs/");
  CHECK(parse_ping(R"({"Err":"no matching peer","Endpoint":""})")->error == "no matching peer");
}

TEST_CASE("tailscale: a recording holds no key, no login, no free text") {
  const std::string body =
      R"({"Version":"1","BackendState":"NeedsLogin","AuthURL":"https://hs/register/s3cret",)"
      R"("Health":["s3cret"],"User":{"1":{"LoginName":"s3cret"}},)"
      R"("Self":{"PublicKey":"nodekey:s3cret","DNSName":"a.ts.","CapMap":{"s3cret":[]}},)"
      R"("Peer":{"nodekey:s3cret1":{"DNSName":"b.ts.","Online":true,"PublicKey":"s3cret"},)"
      R"("nodekey:s3cret2":{"Online":false,"DNSName":"c.ts.","RxBytes":5}}})";
  const auto reduced = reduce_for_recording("status", body);
  REQUIRE(reduced);
  CHECK(reduced->find("s3cret") == std::string::npos);
  const auto state = parse_status(*reduced);
  REQUIRE(state);
  CHECK(state->health_messages == 1);
  REQUIRE(state->peers.size() == 2);
  CHECK(state->peers[0].online);
  CHECK(state->peers[1].received_bytes == 5);
  CHECK(*reduce_for_recording("prefs", R"({"ControlURL":"https://hs","Config":"s3cret"})") ==
        "{\n \"ControlURL\": \"https://hs\"\n}");
  CHECK(reduce_for_recording("usermetrics",
                             "tailscaled_x{a=\"s3cret\"} 1\n"
                             "tailscaled_inbound_bytes_total{path=\"derp\"} 3\n")
            .value() == "tailscaled_inbound_bytes_total{path=\"derp\"} 3\n");
  CHECK_FALSE(reduce_for_recording("other", "{}"));
}

TEST_CASE("tailscale: metrics of an idle and of a relayed node") {
  const auto observed = [](const std::string& recording, const std::string& target) {
    Observed<State> seen;
    seen.target = target;
    seen.state = std::make_shared<const State>(poll(recording, target));
    return std::vector{seen};
  };
  const auto values = [](const MetricSet& metrics, std::string_view family) {
    std::map<std::string, double> found;
    const auto at = metrics.families().find(family);
    if (at == metrics.families().end()) return found;
    for (const Series& series : at->second.series) {
      found[fmt::format("{}", fmt::join(series.label_values, ","))] = series.value;
    }
    return found;
  };
  MetricSet idle;
  describe(observed("mesh-idle", "toa-fwd-gpu-01"), idle);
  CHECK(values(idle, "shortcircuit_tailscale_direct_path_ratio").empty());  // none is active
  CHECK(values(idle, "shortcircuit_tailscale_peers")["toa-fwd-gpu-01,idle"] == 3);
  CHECK(values(idle, "shortcircuit_tailscale_peers")["toa-fwd-gpu-01,derp"] == 0);

  MetricSet relayed;
  describe(observed("mesh-derp-one-pair", "toa-fwd-gpu-01"), relayed);
  CHECK(values(relayed, "shortcircuit_tailscale_direct_path_ratio")["toa-fwd-gpu-01"] == 0.75);
  const auto paths = values(relayed, "shortcircuit_tailscale_peer_path");
  CHECK(paths.size() == 4 * 5);
  CHECK(paths.at("toa-fwd-gpu-01,hnd-fwd-gpu-01,derp") == 1);
  CHECK(paths.at("toa-fwd-gpu-01,hnd-fwd-gpu-01,direct") == 0);
  CHECK(values(relayed, "shortcircuit_tailscale_running")["toa-fwd-gpu-01"] == 1);
}

TEST_CASE("tailscale: a status file is read through the same door, so that it can be captured") {
  set_up_network();
  const shortcircuit::testing::TemporaryDirectory directory;
  const std::string path =
      directory.write("status.json", status(R"("k":{"HostName":"b","Online":true})"));
  const auto http = make_curl_http({});
  const auto ask = [&](const std::string& file) {
    Source source(Config{CommonConfig{.target = "a"}, file, true});
    std::vector<Error> notes;
    auto state = shortcircuit::testing::poll_with(source, *http, &notes);
    CHECK(notes.empty());
    return state;
  };
  const auto state = ask(path);
  REQUIRE(state);
  CHECK(state->peers.at(0).online);
  CHECK(http->take_received_bytes() > 0);
  CHECK(ask(path + ".absent").error().failure == Failure::connect);
}

TEST_CASE("tailscale: a peer that is neither online nor offline is no peer") {
  const std::string peer = R"({"HostName":"b","DNSName":"b.net.","TailscaleIPs":["100.64.0.2"]})";
  const auto state =
      parse_status(R"({"BackendState":"Running","Self":{},"Peer":{"nodekey:2":)" + peer + "}}");
  REQUIRE_FALSE(state);
  CHECK(state.error().failure == Failure::schema);
  CHECK(state.error().message.find("Online") != std::string::npos);
}

TEST_CASE("tailscale: a status file without peers is no healthy mesh") {
  set_up_network();
  const auto http = make_curl_http({});
  const std::string path = SHORTCIRCUIT_RECORDINGS "/raw/tailscale/status-peers-false.json";
  Source source(Config{CommonConfig{.target = "a"}, path, true});
  PollContext context = looking_at(*http, true);
  const auto state = source.poll(context);
  REQUIRE_FALSE(state);
  CHECK(state.error().failure == Failure::schema);
  CHECK(state.error().message ==
        path +
            ": has no peers: it is written with `--peers=false`, or this node sees nobody and "
            "there is nothing to watch; expected what `tailscale status --json` says of others");
}

TEST_CASE("tailscale: a status file that nobody writes any more tells nothing of now") {
  set_up_network();
  const shortcircuit::testing::TemporaryDirectory directory;
  const std::string path =
      directory.write("status.json", status(R"("k":{"HostName":"b","Online":true})"));
  const auto http = make_curl_http({});
  const auto ask = [&](Duration age, bool once, bool replay = false) {
    std::filesystem::last_write_time(
        path, std::filesystem::file_time_type::clock::now() -
                  std::chrono::duration_cast<std::filesystem::file_time_type::duration>(age));
    Source source(Config{CommonConfig{.target = "a"}, path, true});
    PollContext context = looking_at(*http, once, replay);
    auto state = source.poll(context);
    CHECK(context.notes.size() == (state && state->outdated ? 1 : 0));
    return state;
  };
  CHECK(ask(9min, false));
  CHECK(ask(72h, false).error().failure == Failure::timeout);
  CHECK_FALSE(ask(9min, true)->outdated);
  const auto old = ask(72h, true);
  REQUIRE(old);
  CHECK(old->outdated >= 72h);
}
