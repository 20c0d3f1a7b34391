// Is an address alive? One rule for endpoints, literal ExternalNames and proxies.
//
// In this order: a retired network makes it stale; in the tailnet Headscale knows (tailscaled where
// Headscale is not configured); in a network that the user declared, of a node's pods, of a node or
// a cluster IP it is live; between the nodes' blocks of pod addresses it is stale; everywhere else
// nobody here can know. A network that the user calls a tailnet is asked of Headscale only if
// Headscale has peers in it: it may be another one.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "fleet/fleet.h"

namespace shortcircuit {

enum class AddressState { live, stale, unknown };
inline constexpr std::array<std::string_view, 3> address_state_names{"live", "stale", "unknown"};

struct AddressJudgement {
  AddressState state = AddressState::unknown;
  std::string reason;  // of a stale one: retired_network, no_such_peer, no_such_node, peer_offline,
                       // peer_expired
  std::string because;      // half a sentence: `lies in the retired network old`
  bool needs_mesh = false;  // unknown only because Headscale cannot be read
};

// Indexes made once for many addresses; borrows the fleet.
class AddressJudge {
 public:
  explicit AddressJudge(const Fleet& fleet);
  [[nodiscard]] AddressJudgement judge(const IpAddress& address) const;

 private:
  struct Peer {
    std::string name;
    bool online = false;
    bool expired = false;
  };
  [[nodiscard]] AddressJudgement judge_peer(const IpAddress& address) const;
  [[nodiscard]] bool may_be_tailnet(const IpAddress& address, const Network& network) const;

  const Fleet& fleet_;
  bool mesh_known_ = false;
  bool mesh_configured_ = false;
  std::map<IpAddress, Peer> peers_;
  std::set<IpAddress> node_addresses_;
  std::set<std::string> own_tailnets_;  // networks that a peer has an address in
  std::vector<Prefix> pod_ranges_;      // one a family
};

// One address of a hand-kept Service (or a literal ExternalName).
struct EndpointAddress {
  kubernetes::ObjectName service;
  std::string address;
  AddressJudgement judgement;
  bool ready = true;  // requests go there
};

// All of them, by Service; empty when services or endpoints are unknown.
std::vector<EndpointAddress> judge_endpoint_addresses(const Fleet& fleet);

// What a person is told to do about a stale address of that reason.
std::string advice_for(const Fleet& fleet, std::string_view reason);

}  // namespace shortcircuit
