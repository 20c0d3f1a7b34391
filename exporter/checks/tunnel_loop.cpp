// A tunnel in itself: the overlay below uses the mesh's address of the peer, the mesh uses the
// overlay's. Every packet is wrapped and sent again: far more goes out than comes in. It takes two
// looks at the counters; such a path flaps between the overlay and a relay, so it counts when
// either look shows the overlay. An upload sends as much more than it receives, since answers are
// short: what tells them apart is that of an upload everything arrives. Where the peer's own
// tailscaled is not read, nobody can tell.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "checks/check.h"
#include "fleet/mesh.h"

namespace shortcircuit {
namespace {

constexpr double loop_bytes_per_second = 1e6;
constexpr double loop_ratio = 10;
// A real loop: 19.0 MB sent, 7.0 MB arrived. Counters that are read some seconds apart differ too.
constexpr double most_that_arrives = 0.6;

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

struct Rates {
  double sent = 0;  // bytes a second, to the peer
  double received = 0;
};

// Nothing: seen for the first time, or the counters started anew.
std::optional<Rates> rates_of(const TailscaleView& view, const Peer& peer) {
  const auto* before = look_before(view);
  const Peer* old = before == nullptr ? nullptr : before->state->peer(peer.name);
  if (old == nullptr || old->transmitted_bytes > peer.transmitted_bytes ||
      old->received_bytes > peer.received_bytes)
    return std::nullopt;
  const double passed = seconds(view.observed_at - before->time);
  return Rates{static_cast<double>(peer.transmitted_bytes - old->transmitted_bytes) / passed,
               static_cast<double>(peer.received_bytes - old->received_bytes) / passed};
}

// Are the two pairs of looks about the same time, for at least half of each?
bool overlap(const TailscaleView& a, const TailscaleView& b) {
  const Time begin = std::max(look_before(a)->time, look_before(b)->time);
  const Duration common = std::min(a.observed_at, b.observed_at) - begin;
  return 2 * common >= a.observed_at - look_before(a)->time &&
         2 * common >= b.observed_at - look_before(b)->time;
}

bool shares_address(const std::vector<IpAddress>& these, const std::vector<IpAddress>& those) {
  return std::ranges::find_first_of(these, those) != these.end();
}

// Bytes a second that the peer itself says to have received from the view's node.
std::optional<double> arrived(const Fleet& fleet, const TailscaleView& view, const Peer& peer) {
  for (const TailscaleView& other : fleet.snapshot.tailscale) {
    if (!other.state || !shares_address(other.state->self_addresses, peer.addresses)) continue;
    for (const Peer& sender : other.state->peers) {
      if (!shares_address(sender.addresses, view.state->self_addresses)) continue;
      const auto rates = rates_of(other, sender);
      if (rates && overlap(view, other)) return rates->received;
    }
  }
  return std::nullopt;
}

Finding loop(const DirectPath& path, const Rates& rates, const std::optional<double>& arrives) {
  const std::string& from = path.view->target;
  const std::string& peer = path.peer->name;
  const std::string what =
      fmt::format("{} sends {:.1f} MB/s to {} through {} and receives {:.2f} MB/s", from,
                  rates.sent / 1e6, peer, path.network->name, rates.received / 1e6);
  const std::string mend = fmt::format(
      "on {} and {} keep {} off the tailnet (Nebula: lighthouse.local_allow_list {{interfaces: "
      "{{tailscale0: false}}}} and lighthouse.remote_allow_list {{100.64.0.0/10: false, 0.0.0.0/0: "
      "true}}), then restart it",
      from, peer, path.network->name);
  Finding finding{.kind = "Path", .object = fmt::format("{} → {}", from, peer)};
  if (arrives) {
    finding.severity = Severity::critical;
    finding.reason = "traffic_multiplies";
    finding.message = fmt::format(
        "{}; {:.1f} MB/s arrive there: the two tunnels carry each other, every packet is sent "
        "again.",
        what, *arrives / 1e6);
    finding.cure = "# " + mend;
  } else {
    finding.severity = Severity::warning;
    finding.reason = "traffic_may_multiply";
    finding.message =
        fmt::format("{}: it may be an upload, or the two tunnels carry each other.", what);
    finding.cure = fmt::format(
        "# let the exporter read {}'s tailscaled too (tailscale.nodes): of "
        "an upload everything arrives. If far less does: {}",
        peer, mend);
  }
  return finding;
}

Verdict judge_tunnel_loop(const Fleet& fleet) {
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
      const auto rates = rates_of(view, peer);
      if (!rates) {
        ++unjudged;
        continue;
      }
      if (rates->sent < loop_bytes_per_second || rates->sent < loop_ratio * rates->received)
        continue;
      const auto arrives = arrived(fleet, view, peer);
      if (arrives && *arrives > most_that_arrives * rates->sent) continue;
      path->peer = &peer;
      verdict.findings.push_back(loop(*path, *rates, arrives));
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
                 "Over an overlay, at least 1 MB/s is sent and ten times what is received, and the "
                 "peer itself receives far less than is sent."},
                {"traffic_may_multiply",
                 "The same, but the peer's own tailscaled is not read: it may be an upload."}},
    .judge = judge_tunnel_loop};

}  // namespace shortcircuit
