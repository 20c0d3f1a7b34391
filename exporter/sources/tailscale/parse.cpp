#include "sources/tailscale/parse.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/exposition_text.h"
#include "base/json.h"
#include "base/text.h"

namespace shortcircuit::tailscale {
namespace {

std::vector<IpAddress> addresses_of(JsonView list) {
  std::vector<IpAddress> addresses;
  for (const std::string& text : list.strings()) {
    if (const auto address = IpAddress::parse(text)) addresses.push_back(*address);
  }
  return addresses;
}

std::string whole_name_of(JsonView node) {
  std::string name = node["DNSName"].string_or("");
  while (name.ends_with('.')) name.pop_back();
  return name;
}

// HostName is what the machine calls itself and may occur twice; the first label of DNSName is
// what the control server made unique.
std::string name_of_node(JsonView node) {
  const std::string name = whole_name_of(node);
  return name.empty() ? node["HostName"].string_or("") : name.substr(0, name.find('.'));
}

std::uint64_t count_of_bytes(JsonView value) {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(0, value.integer_or(0)));
}

struct NamedPeer {
  Peer peer;
  std::string whole_name;
};

NamedPeer read_peer(JsonView node) {
  Peer peer;
  peer.name = name_of_node(node);
  peer.addresses = addresses_of(node["TailscaleIPs"]);
  peer.online = node["Online"].boolean();
  peer.active = node["Active"].boolean_or(false);
  peer.expired = node["Expired"].boolean_or(false);
  peer.current_endpoint = node["CurAddr"].string_or("");
  peer.derp_region = node["Relay"].string_or("");
  peer.peer_relay = node["PeerRelay"].string_or("");
  peer.received_bytes = count_of_bytes(node["RxBytes"]);
  peer.transmitted_bytes = count_of_bytes(node["TxBytes"]);
  peer.last_handshake = node["LastHandshake"].time();
  peer.key_expiry = node["KeyExpiry"].time();
  if (peer.name.empty() && !peer.addresses.empty()) peer.name = peer.addresses.front().text();
  return {std::move(peer), whole_name_of(node)};
}

// A node shared from another tailnet may have the same first label; names become labels of series
// and must not collide.
std::vector<Peer> with_unique_names(std::vector<NamedPeer> named) {
  std::stable_sort(named.begin(), named.end(), [](const NamedPeer& a, const NamedPeer& b) {
    return std::tie(a.peer.name, a.whole_name, a.peer.addresses) <
           std::tie(b.peer.name, b.whole_name, b.peer.addresses);
  });
  std::set<std::string> seen;
  std::vector<Peer> peers;
  for (NamedPeer& entry : named) {
    Peer& peer = entry.peer;
    if (!seen.insert(peer.name).second) {
      std::string other = entry.whole_name;
      if ((other.empty() || seen.contains(other)) && !peer.addresses.empty()) {
        other = fmt::format("{}@{}", peer.name, peer.addresses.front().text());
      }
      if (other.empty() || !seen.insert(other).second) continue;
      peer.name = other;
    }
    peers.push_back(std::move(peer));
  }
  std::sort(peers.begin(), peers.end(),
            [](const Peer& a, const Peer& b) { return a.name < b.name; });
  return peers;
}

}  // namespace

Result<State> parse_status(std::string_view body) {
  State state;
  std::vector<NamedPeer> peers;
  const auto read = read_json(body, [&](JsonView root) {
    state.version = root["Version"].string_or("");
    state.backend_state = root["BackendState"].string();
    state.health_messages = root["Health"].items().size();
    const JsonView self = root["Self"];
    state.self_name = name_of_node(self);
    state.self_addresses = addresses_of(self["TailscaleIPs"]);
    state.self_online = self["Online"].boolean_or(false);
    state.self_expired = self["Expired"].boolean_or(false);
    state.self_key_expiry = self["KeyExpiry"].time();
    for (const auto& [key, node] : root["Peer"].members()) peers.push_back(read_peer(node));
  });
  if (!read) return std::unexpected(read.error());
  state.peers = with_unique_names(std::move(peers));
  return state;
}

Result<std::string> parse_control_url(std::string_view body) {
  std::string url;
  const auto read = read_json(
      body, [&](JsonView root) { url = without_userinfo(root["ControlURL"].string_or("")); });
  if (!read) return std::unexpected(read.error());
  return url;
}

Result<std::map<std::pair<std::string, std::string>, double>> parse_path_bytes(
    std::string_view text) {
  const auto samples =
      parse_exposition(text, {"tailscaled_inbound_bytes_total", "tailscaled_outbound_bytes_total"});
  if (!samples) return std::unexpected(samples.error());
  std::map<std::pair<std::string, std::string>, double> bytes;
  for (const Sample& sample : *samples) {
    const auto path = sample.labels.find("path");
    if (path == sample.labels.end()) continue;
    const bool in = sample.name == "tailscaled_inbound_bytes_total";
    bytes[{in ? "in" : "out", path->second}] = sample.value;
  }
  return bytes;
}

Result<PingAnswer> parse_ping(std::string_view body) {
  PingAnswer answer;
  const auto read = read_json(body, [&](JsonView root) {
    answer.error = root["Err"].string_or("");
    answer.endpoint = root["Endpoint"].string_or("");
  });
  if (!read) return std::unexpected(read.error());
  return answer;
}

}  // namespace shortcircuit::tailscale
