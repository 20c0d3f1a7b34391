// A tunnel in itself: the overlay below uses the mesh's address of the peer, the mesh uses the
// overlay's. Every packet is wrapped and sent again: far more goes out than comes in. It takes two
// looks at the counters; such a path flaps between the overlay and a relay, so it counts when
// either look shows the overlay.
#include <fmt/format.h>

#include "base/text.h"
#include "checks/check.h"
#include "fleet/mesh.h"

namespace shortcircuit {
namespace {

constexpr double loop_bytes_per_second = 1e6;
constexpr double loop_ratio = 10;

using tailscale::Peer;

// The newest older look that is at least a second away.
const Earlier<tailscale::State>* look_before(const TailscaleView& view) {
  for (auto look = view.earlier.rbegin(); look != view.earlier.rend(); ++look) {
    if (view.observed_at - look->time >= Duration(1s)) return &*look;
  }
  return nullptr;
}

// Over another tunnel at this look?
std::optional<DirectPath> tunnel_path(const Mesh& mesh, const TailscaleView& view,
                                      const Peer& peer) {
  const auto underlay = peer.underlay_address();
  if (!underlay) return std::nullopt;
  DirectPath path = mesh.path(view, peer, *underlay);
  return path.tunnel ? std::optional(path) : std::nullopt;
}

Finding loop(const DirectPath& path, double sent, double received) {
  const std::string& from = path.view->target;
  const std::string& peer = path.peer->name;
  return {
      .severity = Severity::critical,
      .reason = "traffic_multiplies",
      .kind = "Path",
      .object = fmt::format("{} → {}", from, peer),
      .message = fmt::format("{} sends {:.1f} MB/s to {} through {} and receives {:.2f} MB/s: the "
                             "two tunnels carry each other, every packet is sent again.",
                             from, sent / 1e6, peer, path.network->name, received / 1e6),
      .cure =
          fmt::format("# on {} and {} keep {} off the tailnet (Nebula: "
                      "lighthouse.local_allow_list {{interfaces: {{tailscale0: false}}}} and "
                      "lighthouse.remote_allow_list {{100.64.0.0/10: false, 0.0.0.0/0: true}}), "
                      "then restart it",
                      from, peer, path.network->name)};
}

Verdict judge(const Fleet& fleet) {
  if (fleet.snapshot.tailscale.empty()) return not_applicable();
  const Mesh mesh(fleet);
  Verdict verdict{.applicable = true, .findings = {}, .unknown = mesh.unknown_views()};
  for (const TailscaleView& view : fleet.snapshot.tailscale) {
    if (!view.state) continue;
    const auto* before = look_before(view);
    std::size_t unjudged = 0;
    for (const Peer& peer : view.state->peers) {
      auto path = tunnel_path(mesh, view, peer);
      const Peer* old = before == nullptr ? nullptr : before->state->peer(peer.name);
      if (!path && old != nullptr) path = tunnel_path(mesh, view, *old);
      if (!path) continue;
      if (old == nullptr || old->transmitted_bytes > peer.transmitted_bytes ||
          old->received_bytes > peer.received_bytes) {
        ++unjudged;  // seen for the first time, or the counters started anew
        continue;
      }
      const double passed = seconds(view.observed_at - before->time);
      const double sent =
          static_cast<double>(peer.transmitted_bytes - old->transmitted_bytes) / passed;
      const double received =
          static_cast<double>(peer.received_bytes - old->received_bytes) / passed;
      if (sent >= loop_bytes_per_second && sent >= loop_ratio * received) {
        path->peer = &peer;
        verdict.findings.push_back(loop(*path, sent, received));
      }
    }
    if (unjudged > 0) {
      verdict.unknown.push_back(
          fmt::format("tailscale {}: the rates on {} inside another tunnel need a second look",
                      view.target, count_of(unjudged, "path")));
    }
  }
  return verdict;
}

}  // namespace

const CheckDefinition tunnel_loop_check{
    .name = "tunnel_loop",
    .layer = Layer::mesh,
    .question = "Does the mesh carry the overlay that carries the mesh?",
    .reasons = {{"traffic_multiplies",
                 "Over an overlay, at least 1 MB/s is sent and ten times what is received."}},
    .judge = judge};

}  // namespace shortcircuit
