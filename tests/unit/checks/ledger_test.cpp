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
