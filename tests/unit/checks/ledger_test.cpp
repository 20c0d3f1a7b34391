#include "checks/ledger.h"

#include "support/catch.h"

using namespace shortcircuit;

namespace {

const Time beginning = *parse_rfc3339("2026-01-01T00:00:00Z");

Judgement judgement_with(Time time, std::vector<std::string> objects,
                         std::vector<std::string> unknown = {}) {
  Judgement judgement{.time = time};
  if (!unknown.empty()) judgement.unknown_checks.emplace("peer_offline");
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
  auto judgement = judgement_with(beginning, {"a"});
  ledger.apply(judgement);
  CHECK(judgement.findings[0].since == beginning);
  judgement = judgement_with(beginning + 60s, {"a", "b"});
  ledger.apply(judgement);
  CHECK(judgement.findings[0].since == beginning);
  CHECK(judgement.findings[1].since == beginning + 60s);
  judgement = judgement_with(beginning + 120s, {});
  ledger.apply(judgement);
  judgement = judgement_with(beginning + 180s, {"a"});
  ledger.apply(judgement);
  CHECK(judgement.findings[0].since == beginning + 180s);
}

TEST_CASE("while its check cannot see everything nobody knows that a finding is gone") {
  Ledger ledger;
  auto judgement = judgement_with(beginning, {"a"});
  ledger.apply(judgement);
  judgement = judgement_with(beginning + 60s, {}, {"Headscale: connect"});
  ledger.apply(judgement);
  judgement = judgement_with(beginning + 120s, {"a"});
  ledger.apply(judgement);
  CHECK(judgement.findings[0].since == beginning);
}

TEST_CASE("what another check of the layer cannot see keeps nothing") {
  Ledger ledger;
  auto judgement = judgement_with(beginning, {"a"});
  ledger.apply(judgement);
  judgement = judgement_with(beginning + 60s, {});
  judgement.unknown_checks.emplace("path_mtu_low");
  judgement.layers.front().unknown = {"tailscale laptop: connect"};
  ledger.apply(judgement);
  judgement = judgement_with(beginning + 120s, {"a"});
  ledger.apply(judgement);
  CHECK(judgement.findings[0].since == beginning + 120s);
}

TEST_CASE("what a finding speaks of at once has a beginning each") {
  Ledger ledger;
  const auto at = [&](Time time, const std::vector<std::string>& parts) {
    auto judgement = judgement_with(time, {"a"});
    for (const auto& part : parts) judgement.findings[0].parts.push_back({.name = part});
    ledger.apply(judgement);
    return judgement.findings[0];
  };
  at(beginning, {"10.0.0.1"});
  const Finding both = at(beginning + 1h, {"10.0.0.1", "10.0.0.2"});
  CHECK(both.since == beginning);
  CHECK(both.parts[0].since == beginning);
  CHECK(both.parts[1].since == beginning + 1h);
  at(beginning + 2h, {"10.0.0.2"});
  const Finding again = at(beginning + 3h, {"10.0.0.1", "10.0.0.2"});
  CHECK(again.since == beginning);
  CHECK(again.parts[0].since == beginning + 3h);
  CHECK(again.parts[1].since == beginning + 1h);
}

TEST_CASE("a check that can never see everything does not remember for ever") {
  Ledger ledger;
  const std::vector<std::string> blind{"tailscale laptop: connect"};
  const auto since = [&](Time time, const std::string& object) {
    auto judgement = judgement_with(time, {object}, blind);
    ledger.apply(judgement);
    return judgement.findings[0].since;
  };
  CHECK(since(beginning, "a") == beginning);
  CHECK(since(beginning + 1h, "b") == beginning + 1h);
  CHECK(since(beginning + Ledger::forget_after, "a") == beginning);
  CHECK(since(beginning + Ledger::forget_after + 90min, "a") == beginning);
  // b was last seen after one hour: more than a day ago, so it is a new one.
  CHECK(since(beginning + Ledger::forget_after + 2h, "b") == beginning + Ledger::forget_after + 2h);
}

TEST_CASE("of more findings that are gone than can be kept, those seen last are") {
  Ledger ledger;
  const std::vector<std::string> blind{"tailscale laptop: connect"};
  const int objects = static_cast<int>(Ledger::most_absent) + 10;
  for (int i = 0; i < objects; ++i) {
    auto judgement =
        judgement_with(beginning + std::chrono::seconds(i), {std::to_string(i)}, blind);
    ledger.apply(judgement);
  }
  const Time end = beginning + 1h;
  auto judgement =
      judgement_with(end, {"0", std::to_string(objects - 2), std::to_string(objects - 1)}, blind);
  ledger.apply(judgement);
  CHECK(judgement.findings[0].since == end);
  CHECK(judgement.findings[1].since == beginning + std::chrono::seconds(objects - 2));
  CHECK(judgement.findings[2].since == beginning + std::chrono::seconds(objects - 1));
}

TEST_CASE("since is never later than now, though the clock was set back") {
  Ledger ledger;
  auto judgement = judgement_with(beginning + 9h, {"a"});
  ledger.apply(judgement);
  judgement = judgement_with(beginning, {"a"});
  ledger.apply(judgement);
  CHECK(judgement.findings[0].since == beginning);
}
