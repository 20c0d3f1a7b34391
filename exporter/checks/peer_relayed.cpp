// A peer is reached through a relay: a warning for one that matters, a hint for others (a person's
// laptop in a hotel). Only active paths count: an idle peer names a relay too. A path that has just
// woken starts over a relay and turns direct within seconds, so it is judged when it is still
// relayed at the next look.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "checks/check.h"
#include "checks/cure.h"
#include "fleet/mesh.h"

namespace shortcircuit {
namespace {

using tailscale::PathClass;
using tailscale::Peer;

bool relayed(PathClass path) { return path == PathClass::derp || path == PathClass::peer_relay; }

// A path begins at a relay and becomes a direct one in a moment.
bool just_begun(const TailscaleView& view, const Peer& peer) {
  if (view.earlier.empty()) return false;
  const auto& before = view.earlier.back();
  if (view.observed_at - before.time > 2 * std::max(view.health.interval, Duration(15s)))
    return false;
  const Peer* old = before.state->peer(peer.name);
  return old == nullptr || old->path_class() == PathClass::idle ||
         old->path_class() == PathClass::offline;
}

Finding relay(const std::string& from, const Peer& peer, bool matters) {
  const bool derp = peer.path_class() == PathClass::derp;
  const std::string relay = derp ? fmt::format("DERP relay {}", peer.derp_region)
                                 : fmt::format("peer relay {}", peer.peer_relay);
  return {.severity = matters ? Severity::warning : Severity::info,
          .reason = derp ? "derp" : "peer_relay",
          .kind = "Path",
          .object = fmt::format("{} → {}", from, peer.name),
          .message = fmt::format("{} reaches {} only through {}, not directly: slower, and as "
                                 "reliable as the relay.",
                                 from, peer.name, relay),
          .cure = fmt::format("{}   # then allow UDP 41641 between the two networks; tailscale "
                              "netcheck shows what is blocked",
                              on_node(from, "tailscale ping " + shell_word(peer.name)))};
}

Verdict judge_peer_relayed(const Fleet& fleet) {
  if (fleet.snapshot.tailscale.empty()) return not_applicable();
  const Mesh mesh(fleet);
  Verdict verdict{.applicable = true, .findings = {}, .unknown = mesh.unknown_views()};
  for (const TailscaleView& view : fleet.snapshot.tailscale) {
    if (!view.state) continue;
    for (const Peer& peer : view.state->peers) {
      if (!relayed(peer.path_class()) || just_begun(view, peer)) continue;
      verdict.findings.push_back(relay(view.target, peer, mesh.matters(peer.name, peer.addresses)));
    }
  }
  return verdict;
}

}  // namespace

const CheckDefinition peer_relayed_check{
    .name = "peer_relayed",
    .layer = Layer::mesh,
    .question = "Is every active peer reached directly?",
    .reasons = {{"derp", "The traffic goes through a DERP relay."},
                {"peer_relay", "The traffic goes through another peer."}},
    .judge = judge_peer_relayed};

}  // namespace shortcircuit
