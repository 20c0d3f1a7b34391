// What one tailscaled says: its own state, its peers and the paths to them.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/address.h"
#include "base/time.h"

namespace shortcircuit::tailscale {

// In the order in which they are decided: an idle peer is not relayed.
enum class PathClass { offline, idle, direct, peer_relay, derp };
inline constexpr std::array<std::string_view, 5> path_class_names{"offline", "idle", "direct",
                                                                  "peer_relay", "derp"};

struct Peer {
  std::string name;  // first label of DNSName (unique), else HostName
  std::vector<IpAddress> addresses;
  bool online = false;
  bool active = false;
  bool expired = false;
  std::string current_endpoint;  // CurAddr, `ip:port` or ""
  std::string derp_region;       // Relay: home region, filled even when the path is direct
  std::string peer_relay;        // `ip:port:vni` or ""
  std::uint64_t received_bytes = 0;
  std::uint64_t transmitted_bytes = 0;
  std::optional<Time> last_handshake;
  std::optional<Time> key_expiry;

  [[nodiscard]] PathClass path_class() const;
  // Of a direct path: the address it runs to.
  [[nodiscard]] std::optional<IpAddress> underlay_address() const;
};

// Bytes of the ping that stands for a full packet: the tunnel's MTU, and what WireGuard adds.
constexpr int full_ping_size(int interface_mtu) { return interface_mtu + 32; }

// Result of pings with a size towards one peer (the sending direction only).
struct PathMtu {
  enum class Status {
    unknown,     // no answer over a direct endpoint, or not yet measured
    sufficient,  // a packet that fills the tunnel passes
    low,         // three in a row were lost; `mtu_bytes` was searched
  };
  std::string peer;
  Status status = Status::unknown;
  std::optional<int> mtu_bytes;  // of the path: largest answered size + 28 (IPv4) or + 48 (IPv6)
  int needed_bytes = 0;          // the size on the wire that a full packet of the tunnel needs
  std::optional<Time> measured;
};

struct State {
  static constexpr Duration history{10s};  // Observed::earlier
  std::string version;
  std::string backend_state;  // Running, Stopped, NeedsLogin …
  std::string self_name;
  std::vector<IpAddress> self_addresses;
  bool self_online = false;
  bool self_expired = false;
  std::optional<Time> self_key_expiry;
  std::size_t health_messages = 0;
  std::vector<Peer> peers;                 // sorted by name, every name once
  std::optional<std::string> control_url;  // from prefs; nothing: not asked or not answered
  // usermetrics; empty before tailscale 1.78: {direction (in, out), path} → bytes
  std::map<std::pair<std::string, std::string>, double> path_bytes;
  std::vector<PathMtu> path_mtus;  // empty unless the opt-in is on
  // Of a status file that is too old to tell what is now: how old it is.
  std::optional<Duration> outdated;

  // Null when there is no peer of that name.
  [[nodiscard]] const Peer* peer(std::string_view name) const;
};

}  // namespace shortcircuit::tailscale
