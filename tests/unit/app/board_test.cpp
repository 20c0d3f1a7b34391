#include "app/board.h"

#include "config/load.h"
#include "support/catch.h"

using namespace shortcircuit;

namespace {

template <class State = headscale::State>
PollOutcome<State> success(Time time, std::size_t bytes = 10) {
  return {.result = State{}, .notes = {}, .duration = 5ms, .received_bytes = bytes, .time = time};
}

PollOutcome<headscale::State> failure(Time time, Failure reason) {
  return {.result = fail(reason, "refused"),
          .notes = {},
          .duration = 5ms,
          .received_bytes = 0,
          .time = time};
}

const Time start = *parse_rfc3339("2026-01-01T00:00:00Z");

}  // namespace

TEST_CASE("a target keeps its state over two missed polls and is unknown after three") {
  Observed<headscale::State> observed;
  fold(observed, success(start));
  REQUIRE(observed.state);
  CHECK(observed.health.up);
  fold(observed, failure(start + 15s, Failure::connect));
  fold(observed, failure(start + 30s, Failure::timeout));
  CHECK(observed.state);
  CHECK_FALSE(observed.health.up);
  CHECK(observed.health.last_success == start);
  fold(observed, failure(start + 45s, Failure::timeout));
  CHECK_FALSE(observed.state);
  CHECK(observed.earlier.size() == 1);
  CHECK(observed.health.failures.at(Failure::timeout) == 2);
  CHECK(observed.health.failures.at(Failure::connect) == 1);
  fold(observed, success(start + 60s));
  CHECK(observed.state);
  CHECK(observed.earlier.empty());  // nothing compares over a gap without a history
  CHECK(observed.health.consecutive_failures == 0);
  CHECK(observed.health.polls == 5);
  CHECK(observed.health.received_bytes == 20);
}

TEST_CASE("parts that could not be read are counted while the target stays up") {
  Observed<headscale::State> observed;
  auto outcome = success(start);
  outcome.notes.push_back({Failure::auth, "preauthkey: HTTP 403", 403});
  fold(observed, std::move(outcome));
  CHECK(observed.health.up);
  CHECK(observed.health.failures.at(Failure::auth) == 1);
  REQUIRE(observed.health.notes.size() == 1);
}

TEST_CASE("older states are kept for ten minutes, thinned, with the newest always there") {
  static_assert(etcd::State::history == 10min);
  Observed<etcd::State> observed;
  Time time = start;
  for (int i = 0; i < 100; ++i, time += 15s) fold(observed, success<etcd::State>(time));
  CHECK(observed.earlier.size() <= 25);
  CHECK(observed.earlier.size() >= 15);
  CHECK(observed.earlier.back().time == observed.observed_at - 15s);
  // The window begins with the newest state that is as old as the window.
  CHECK(observed.observed_at - observed.earlier.front().time >= std::chrono::minutes(10));
  CHECK(observed.observed_at - observed.earlier[1].time < std::chrono::minutes(10));
}

TEST_CASE("whatever the interval, the window of ten minutes is whole once it can be") {
  for (const Duration interval : {Duration(15s), Duration(1min), Duration(90s), Duration(4min),
                                  Duration(7min), Duration(1h)}) {
    CAPTURE(interval.count());
    Observed<etcd::State> observed;
    Time time = start;
    for (int i = 0; i < 200; ++i, time += interval) {
      fold(observed, success<etcd::State>(time));
      if (time - start < 10min) continue;
      REQUIRE_FALSE(observed.earlier.empty());
      const Duration oldest = observed.observed_at - observed.earlier.front().time;
      CHECK(oldest >= 10min);
      CHECK(oldest < 10min + std::max<Duration>(interval, 1min));
      CHECK(observed.earlier.size() <= 26);
    }
  }
}

TEST_CASE("of a source without a history the state before is kept") {
  static_assert(headscale::State::history == 0s);
  Observed<headscale::State> observed;
  for (int i = 0; i < 5; ++i) {
    const auto before = observed.state;
    fold(observed, success(start + i * 15s));
    REQUIRE(observed.earlier.size() == (i == 0 ? 0 : 1));
    if (i > 0) CHECK(observed.earlier.front().state == before);
  }
}

TEST_CASE("a clock that was set back leaves nothing of the future behind") {
  Observed<etcd::State> observed;
  for (int i = 0; i < 50; ++i) fold(observed, success<etcd::State>(start + 9h + i * 15s));
  for (int i = 0; i < 50; ++i) fold(observed, success<etcd::State>(start + i * 15s));
  CHECK(observed.earlier.size() >= 15);
  CHECK(observed.earlier.back().time == observed.observed_at - 15s);
  CHECK(observed.observed_at - observed.earlier.front().time >= 10min);
}

TEST_CASE("what was seen before a gap counts for as long as the history reaches") {
  Observed<etcd::State> observed;
  fold(observed, success<etcd::State>(start));
  fold(observed, success<etcd::State>(start + 5min));
  for (int i = 1; i <= 4; ++i) {
    fold(observed, PollOutcome<etcd::State>{.result = fail(Failure::timeout, "late"),
                                            .notes = {},
                                            .time = start + 5min + i * 15s});
  }
  REQUIRE_FALSE(observed.state);
  fold(observed, success<etcd::State>(start + 12min));
  REQUIRE(observed.earlier.size() == 1);
  CHECK(observed.earlier.front().time == start + 5min);
}

TEST_CASE("a target of which no poll comes back is unknown, though nobody says that it failed") {
  Config config;
  config.headscale.push_back({});
  config.headscale.front().interval = 15s;
  config.headscale.front().timeout = 5s;
  config.etcd.push_back({});  // was never asked
  Board board(config);
  board.commit(&Snapshot::headscale, 0, success(start));
  const Duration then = time_since_boot();
  CHECK_FALSE(board.miss_silent(then + 40s));
  CHECK(board.look(start).headscale.front().state);
  CHECK(board.miss_silent(then + 1h));
  CHECK_FALSE(board.miss_silent(then + 1h));  // is known
  const auto silent = board.look(start).headscale.front();
  CHECK_FALSE(silent.state);
  CHECK_FALSE(silent.health.up);
  REQUIRE(silent.health.last_error);
  CHECK(silent.health.last_error->message == "no poll has come back for 60m");
  board.commit(&Snapshot::headscale, 0, success(start + 1h));
  CHECK(board.look(start).headscale.front().health.up);
  CHECK_FALSE(board.miss_silent(time_since_boot()));
}

TEST_CASE("the same recorded moment read twice is one observation") {
  Observed<headscale::State> observed;
  fold(observed, success(start));
  fold(observed, success(start));
  CHECK(observed.earlier.empty());
  fold(observed, success(start + 5s));
  CHECK(observed.earlier.size() == 1);
}

TEST_CASE("the board numbers its snapshots and knows when every target has answered") {
  Config config;
  config.headscale.push_back({});
  config.etcd.resize(2);
  Board board(config);
  CHECK_FALSE(board.complete());
  board.commit(&Snapshot::headscale, 0, success(start));
  board.commit<etcd::State>(&Snapshot::etcd, 0,
                            {.result = fail(Failure::tls, "x"), .notes = {}, .time = start});
  CHECK_FALSE(board.complete());
  board.commit<etcd::State>(&Snapshot::etcd, 1,
                            {.result = etcd::State{}, .notes = {}, .time = start});
  CHECK(board.complete());
  CHECK(board.take(start).number == 1);
  const Snapshot snapshot = board.take(start);
  CHECK(snapshot.number == 2);
  CHECK(state_of(snapshot.headscale) != nullptr);
  CHECK_FALSE(snapshot.etcd[0].state);
}

TEST_CASE("a board knows of which targets any certificate is accepted") {
  const auto config = parse_config(
      "headscale: {url: https://a, api_key: k, tls: {insecure_skip_verify: true}}\n"
      "traefik: {url: https://b}\n",
      "config.yaml");
  REQUIRE(config);
  Board board(*config);
  const Snapshot snapshot = board.take(start);
  CHECK(snapshot.headscale.front().health.accepts_any_certificate);
  CHECK_FALSE(snapshot.traefik.front().health.accepts_any_certificate);
}

TEST_CASE("nobody waits for a source that follows from others") {
  Config config;
  config.headscale.push_back({});
  config.dns.push_back({});
  config.probes.resize(2);
  config.probes[0].endpoint.url = "https://cameras.example/";  // by itself
  Board board(config);
  board.commit(&Snapshot::headscale, 0, success(start));
  CHECK_FALSE(board.complete());
  board.commit<probes::State>(&Snapshot::probes, 0,
                              {.result = fail(Failure::tls, "x"), .notes = {}, .time = start});
  CHECK(board.complete());
  CHECK(board.look(start).number == 0);
}

TEST_CASE("a board begins with what the one before remembers") {
  Config config;
  config.kubernetes.push_back({});
  CHECK(Board(config).take(start).memory.webhooks_last_seen.empty());
  Board board(config, {.webhooks_last_seen = {{"ValidatingWebhookConfiguration/guard", start}}});
  CHECK(board.take(start + 1h).memory.webhooks_last_seen.size() == 1);
  CHECK(board.take(start + 2h).memory.webhooks_last_seen.size() == 1);
}

TEST_CASE("a webhook that was there is remembered for a day") {
  Snapshot snapshot;
  snapshot.time = start;
  auto cluster = std::make_shared<kubernetes::State>();
  cluster->validating_webhooks = {
      .status = kubernetes::Listed<kubernetes::WebhookConfiguration>::Status::listed,
      .items = {{.kind = "ValidatingWebhookConfiguration", .name = "guard"}}};
  snapshot.kubernetes.push_back({.state = cluster});
  snapshot.memory = remember(snapshot);
  REQUIRE(snapshot.memory.webhooks_last_seen.size() == 1);
  snapshot.kubernetes.front().state = std::make_shared<kubernetes::State>();
  snapshot.time += std::chrono::hours(23);
  snapshot.memory = remember(snapshot);
  CHECK(snapshot.memory.webhooks_last_seen.size() == 1);
  snapshot.time += std::chrono::hours(2);
  CHECK(remember(snapshot).webhooks_last_seen.empty());
}
