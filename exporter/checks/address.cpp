#include "checks/address.h"

#include <fmt/format.h>

#include <algorithm>

#include "checks/cure.h"

namespace shortcircuit {
namespace {

// A range that is the pods' for certain: the smallest that holds the nodes' blocks, for Kubernetes
// cuts all of them out of one. The whole range is in no API, and what lies outside of this part may
// be somebody's LAN. Nothing when the blocks are too far apart to be of one range, or when a node
// itself has an address between them.
std::optional<Prefix> range_of_pods(const kubernetes::State& cluster, bool v4) {
  const int widest = v4 ? 16 : 56;
  std::vector<Prefix> blocks;
  for (const auto& node : cluster.nodes.items) {
    std::copy_if(node.pod_cidrs.begin(), node.pod_cidrs.end(), std::back_inserter(blocks),
                 [&](const Prefix& block) { return block.address.is_v4() == v4; });
  }
  if (blocks.empty()) return std::nullopt;
  Prefix range = blocks.front();
  for (const Prefix& block : blocks) {
    while (!range.contains(block) && range.length > 0)
      range = Prefix::around(range.address, range.length - 1);
  }
  if (range.length < widest) return std::nullopt;
  const auto between = [&](const IpAddress& address) {
    return range.contains(address) &&
           std::none_of(blocks.begin(), blocks.end(),
                        [&](const Prefix& block) { return block.contains(address); });
  };
  for (const auto& node : cluster.nodes.items) {
    for (const auto* list : {&node.internal_addresses, &node.external_addresses}) {
      if (std::any_of(list->begin(), list->end(), between)) return std::nullopt;
    }
  }
  return range;
}

// Where tailnets take their addresses from unless told otherwise.
bool in_tailscale_blocks(const IpAddress& address) {
  static const Prefix shared = *Prefix::parse("100.64.0.0/10");
  static const Prefix ula = *Prefix::parse("fd7a:115c:a1e0::/48");
  return shared.contains(address) || ula.contains(address);
}

AddressJudgement live(std::string because) {
  return {.state = AddressState::live, .because = std::move(because)};
}
AddressJudgement stale(std::string reason, std::string because) {
  return {.state = AddressState::stale, .reason = std::move(reason), .because = std::move(because)};
}

}  // namespace

AddressJudge::AddressJudge(const Fleet& fleet) : fleet_(fleet) {
  if (const auto* cluster = fleet.cluster()) {
    for (const auto& node : cluster->nodes.items) {
      node_addresses_.insert(node.internal_addresses.begin(), node.internal_addresses.end());
      node_addresses_.insert(node.external_addresses.begin(), node.external_addresses.end());
    }
    for (const bool v4 : {true, false}) {
      if (const auto range = range_of_pods(*cluster, v4)) pod_ranges_.push_back(*range);
    }
  }
  mesh_configured_ = !fleet.config.headscale.empty() || !fleet.config.tailscale.empty();
  if (!fleet.config.headscale.empty()) {
    if (const auto* control = fleet.headscale()) {
      mesh_known_ = true;
      for (const auto& node : control->nodes) {
        const bool expired = node.expiry && *node.expiry <= fleet.snapshot.time;
        for (const IpAddress& address : node.addresses) {
          peers_[address] = {node.given_name, node.online || !node.online_known, expired};
        }
      }
    }
  } else {
    for (const auto& observed : fleet.snapshot.tailscale) {
      // One that is stopped, logged out or cut off lists no peers, or what it knew once.
      if (!observed.state || observed.state->backend_state != "Running" ||
          !observed.state->self_online)
        continue;
      mesh_known_ = true;
      for (const IpAddress& address : observed.state->self_addresses) {
        peers_[address] = {observed.state->self_name, true, observed.state->self_expired};
      }
      for (const auto& peer : observed.state->peers) {
        for (const IpAddress& address : peer.addresses) {
          peers_.try_emplace(address, Peer{peer.name, peer.online, peer.expired});
        }
      }
    }
  }
  for (const auto& [address, peer] : peers_) own_tailnets_.insert(fleet.networks.of(address).name);
}

AddressJudgement AddressJudge::judge_peer(const IpAddress& address) const {
  // Every tailscaled itself answers on these (https://tailscale.com/kb/1381/what-is-quad100).
  static const std::set<IpAddress> own_services{*IpAddress::parse("100.100.100.100"),
                                                *IpAddress::parse("fd7a:115c:a1e0::53")};
  if (own_services.contains(address)) return live("is tailscaled's own service address");
  if (!mesh_known_) {
    return {.state = AddressState::unknown,
            .because = mesh_configured_ ? "may be a peer's, and the peers cannot be read"
                                        : "lies in the tailnet",
            .needs_mesh = mesh_configured_};
  }
  const auto found = peers_.find(address);
  if (found == peers_.end()) return stale("no_such_peer", "lies in the tailnet and no peer has it");
  const Peer& peer = found->second;
  if (peer.expired)
    return stale("peer_expired",
                 fmt::format("belongs to peer {}, whose key is expired", peer.name));
  if (!peer.online)
    return stale("peer_offline", fmt::format("belongs to peer {}, which is offline", peer.name));
  return live(fmt::format("belongs to peer {}", peer.name));
}

bool AddressJudge::may_be_tailnet(const IpAddress& address, const Network& network) const {
  if (network.kind == NetworkKind::tailnet) {
    return !network.configured || !mesh_known_ || own_tailnets_.contains(network.name);
  }
  // While Headscale cannot be read nobody says whose these are.
  return !network.configured && mesh_configured_ && !mesh_known_ && in_tailscale_blocks(address);
}

AddressJudgement AddressJudge::judge(const IpAddress& address) const {
  const Network& network = fleet_.networks.of(address);
  if (network.retired)
    return stale("retired_network", fmt::format("lies in the retired network {}", network.name));
  if (may_be_tailnet(address, network)) return judge_peer(address);
  if (network.configured) return live(fmt::format("lies in {}", network.name));
  if (network.kind == NetworkKind::pods) return live("lies in a node's block of pod addresses");
  if (network.kind == NetworkKind::services) return live("is a cluster IP");
  if (node_addresses_.contains(address)) return live("is a node's address");
  if (std::any_of(pod_ranges_.begin(), pod_ranges_.end(),
                  [&](const Prefix& range) { return range.contains(address); })) {
    return stale("no_such_node",
                 "lies among the nodes' blocks of pod addresses, in one that no node has");
  }
  return {.state = AddressState::unknown,
          .because = fmt::format("lies in no network that is known here ({})", network.name)};
}

std::vector<EndpointAddress> judge_endpoint_addresses(const Fleet& fleet) {
  std::vector<EndpointAddress> judged;
  const AddressJudge judge(fleet);
  for (const auto& [name, service] : fleet.endpoints.all()) {
    if (service.service->type == "ExternalName") {
      if (const auto address = IpAddress::parse(service.service->external_name)) {
        judged.push_back({name, address->text(), judge.judge(*address)});
      }
      continue;
    }
    // The API server keeps the addresses of its own Service.
    const bool api_server = name.namespace_name == "default" && name.name == "kubernetes";
    if (!service.hand_kept() || api_server || !fleet.endpoints.known()) continue;
    std::map<IpAddress, std::size_t> seen;
    for (const auto* slice : service.slices) {
      for (const auto& endpoint : slice->endpoints) {
        if (endpoint.target_kind == "Pod") continue;  // a controller put it there and takes it away
        for (const std::string& text : endpoint.addresses) {
          const auto address = IpAddress::parse(text);
          if (!address) continue;
          const auto [place, added] = seen.try_emplace(*address, judged.size());
          if (added)
            judged.push_back({name, address->text(), judge.judge(*address), endpoint.ready});
          else judged[place->second].ready |= endpoint.ready;
        }
      }
    }
  }
  return judged;
}

std::string advice_for(const Fleet& fleet, std::string_view reason) {
  if (reason == "retired_network")
    return "put in the address that the machine has in the new network";
  if (reason == "no_such_peer")
    return "put in the address of a peer that exists (headscale nodes list)";
  if (reason == "no_such_node") return "put in the address of a pod or node that exists";
  if (reason == "peer_expired")
    return "log the peer in again there: tailscale up --force-reauth" + login_server_option(fleet);
  return "start the machine, or tailscaled on it";
}

}  // namespace shortcircuit
