#include "checks/ledger.h"

#include "support/catch.h"

using namespace shortcircuit;

namespace {

const Time start = *parse_rfc3339("2026-01-01T00:00:00Z");

Judgement judgement_with(Time time, std::vector<std::string> objects,
                         std::vector<std::string> unknown = {}) {
  Judgement judgement{.time = time};
  judgement.layers.push_back(
      {.layer = Layer::mesh, .status = LayerStatus::ok, .unknown = std::move(unknown)});
  for (auto& object : objects) {
    judgement.findings.push_back({.check = "peer_offline",
                                  .layer = Layer::mesh,
                                  .reason = "offline",
                                  .kind = "Peer",
                                  .object = object});
  }
  return judgement;
}

}  // namespace

TEST_CASE("a finding keeps the moment it was first seen, and starts anew when it comes back") {
  Ledger ledger;
  auto judgement = judgement_with(start, {"a"});
  ledger.apply(judgement);
  CHECK(judgement.findings[0].since == start);
  judgement = judgement_with(start + 60s, {"a", "b"});
  ledger.apply(judgement);
  CHECK(judgement.findings[0].since == start);
  CHECK(judgement.findings[1].since == start + 60s);
  judgement = judgement_with(start + 120s, {});
  ledger.apply(judgement);
  judgement = judgement_with(start + 180s, {"a"});
  ledger.apply(judgement);
  CHECK(judgement.findings[0].since == start + 180s);
}

TEST_CASE("while a layer cannot be judged nobody knows that a finding is gone") {
  Ledger ledger;
  auto judgement = judgement_with(start, {"a"});
  ledger.apply(judgement);
  judgement = judgement_with(start + 60s, {}, {"Headscale: connect"});
  ledger.apply(judgement);
  judgement = judgement_with(start + 120s, {"a"});
  ledger.apply(judgement);
  CHECK(judgement.findings[0].since == start);
}

TEST_CASE("a layer that can never be judged as a whole does not remember for ever") {
  Ledger ledger;
  const std::vector<std::string> blind{"tailscale laptop: connect"};
  const auto since = [&](Time time, const std::string& object) {
    auto judgement = judgement_with(time, {object}, blind);
    ledger.apply(judgement);
    return judgement.findings[0].since;
  };
  CHECK(since(start, "a") == start);
  CHECK(since(start + 1h, "b") == start + 1h);
  CHECK(since(start + Ledger::forget_after, "a") == start);
  CHECK(since(start + Ledger::forget_after + 90min, "a") == start);
  // b was last seen after one hour: more than a day ago, so it is a new one.
  CHECK(since(start + Ledger::forget_after + 2h, "b") == start + Ledger::forget_after + 2h);
}

TEST_CASE("of more findings that are gone than can be kept, those seen last are") {
  Ledger ledger;
  const std::vector<std::string> blind{"tailscale laptop: connect"};
  const int objects = static_cast<int>(Ledger::most_absent) + 10;
  for (int i = 0; i < objects; ++i) {
    auto judgement = judgement_with(start + std::chrono::seconds(i), {std::to_string(i)}, blind);
    ledger.apply(judgement);
  }
  const Time end = start + 1h;
  auto judgement =
      judgement_with(end, {"0", std::to_string(objects - 2), std::to_string(objects - 1)}, blind);
  ledger.apply(judgement);
  CHECK(judgement.findings[0].since == end);
  CHECK(judgement.findings[1].since == start + std::chrono::seconds(objects - 2));
  CHECK(judgement.findings[2].since == start + std::chrono::seconds(objects - 1));
}
