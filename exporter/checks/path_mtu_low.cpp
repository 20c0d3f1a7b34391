// Layer 8 of the story: small answers work, large transfers stall. How it is measured is said in
// sources/tailscale/path_mtu.h.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "checks/check.h"
#include "checks/cure.h"
#include "fleet/mesh.h"

namespace shortcircuit {
namespace {

using tailscale::PathMtu;

// Null when nobody asked to measure from there.
const tailscale::Config* asked_for(const Fleet& fleet, const std::string& target) {
  const auto& all = fleet.config.tailscale;
  const auto found = std::ranges::find_if(all, [&](const tailscale::Config& config) {
    return config.target == target && config.path_mtu;
  });
  return found == all.end() ? nullptr : &*found;
}

// Linux takes IPv6 from an interface whose MTU is below 1280, and the tunnel's has it unless its
// addresses say otherwise.
bool has_ipv6(const tailscale::State& state) {
  const auto& own = state.self_addresses;
  return own.empty() || !std::ranges::all_of(own, &IpAddress::is_v4);
}

std::string cure(const std::string& from, const PathMtu& path, bool ipv6, int interface_mtu) {
  std::string look =
      on_node(from, fmt::format("tailscale ping --size {} {}",
                                tailscale::full_ping_size(interface_mtu), shell_word(path.peer)));
  if (!path.mtu_bytes) return look;
  // The tunnel's interface MTU that fits: the needed size on the wire is its MTU now + what wraps
  // it.
  const int fits = *path.mtu_bytes - (path.needed_bytes - interface_mtu);
  const std::string lower = on_node(from, fmt::format("ip link set dev tailscale0 mtu {}", fits));
  constexpr const char* other_way = "let ICMP \"fragmentation needed\" through on the way";
  if (!ipv6)
    return fmt::format(
        "{}   # and TS_DEBUG_MTU={} in /etc/default/tailscaled, and tailscale.interface_mtu: {} "
        "for the exporter; or {}",
        lower, fits, fits, other_way);
  return fmt::format(
      "{}   # {}, or clamp TCP's MSS; the tunnel's MTU would have to be {} ({}), which takes IPv6 "
      "from its interface and holds for all peers",
      look, other_way, fits, lower);
}

Finding low(const std::string& from, const PathMtu& path, bool ipv6, int interface_mtu) {
  const std::string measured = path.mtu_bytes
                                   ? fmt::format("packets of up to {} bytes pass", *path.mtu_bytes)
                                   : std::string("only smaller packets pass");
  return {.severity = Severity::critical,
          .reason = "black_hole",
          .kind = "Path",
          .object = fmt::format("{} → {}", from, path.peer),
          .message = fmt::format("From {} to {} {}, a full packet of the tunnel needs {}: small "
                                 "answers arrive, large transfers stall.",
                                 from, path.peer, measured, path.needed_bytes),
          .cure = cure(from, path, ipv6, interface_mtu)};
}

// Why nothing can be said of a node's paths; nothing when enough is known.
std::optional<std::string> unmeasured(const TailscaleView& view, bool anything_measured) {
  std::vector<std::string> waiting;
  for (const PathMtu& path : view.state->path_mtus) {
    if (path.status == PathMtu::Status::unknown) waiting.push_back(path.peer);
  }
  if (!waiting.empty()) {
    return fmt::format("tailscale {}: no path MTU to {}", view.target, enumerate(waiting));
  }
  if (!view.state->path_mtus.empty()) return std::nullopt;
  const auto& peers = view.state->peers;
  const bool direct = std::any_of(peers.begin(), peers.end(), [](const tailscale::Peer& peer) {
    return peer.path_class() == tailscale::PathClass::direct;
  });
  if (!direct) return fmt::format("tailscale {}: no direct path to measure", view.target);
  // A recording may hold the pings of some nodes only.
  if (anything_measured) return std::nullopt;
  return fmt::format("tailscale {}: no path MTU was measured", view.target);
}

Verdict judge_path_mtu_low(const Fleet& fleet) {
  Verdict verdict{.applicable = false, .findings = {}, .unknown = {}};
  const auto& views = fleet.snapshot.tailscale;
  const bool anything_measured = std::any_of(
      views.begin(), views.end(),
      [](const TailscaleView& view) { return view.state && !view.state->path_mtus.empty(); });
  for (const TailscaleView& view : views) {
    const auto* settings = asked_for(fleet, view.target);
    if (settings == nullptr) continue;
    verdict.applicable = true;
    if (!view.state) continue;
    for (const PathMtu& path : view.state->path_mtus) {
      if (path.status == PathMtu::Status::low)
        verdict.findings.push_back(
            low(view.target, path, has_ipv6(*view.state), settings->interface_mtu));
    }
    if (auto unknown = unmeasured(view, anything_measured)) verdict.unknown.push_back(*unknown);
  }
  if (!verdict.applicable) return verdict;
  for (std::string& unknown : Mesh(fleet).unknown_views()) {
    verdict.unknown.push_back(std::move(unknown));
  }
  return verdict;
}

}  // namespace

const CheckDefinition path_mtu_low_check{
    .name = "path_mtu_low",
    .layer = Layer::path_mtu,
    .question =
        "Does a full packet of the tunnel pass on every direct path, in the sending direction?",
    .reasons = {{"black_hole",
                 "Three full packets in a row were lost while small ones are answered."}},
    .judge = judge_path_mtu_low};

}  // namespace shortcircuit
