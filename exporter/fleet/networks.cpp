#include "fleet/networks.h"

#include <algorithm>
#include <map>
#include <set>

namespace shortcircuit {
namespace {

// Address blocks with a meaning of their own. Sources: RFC 1918, RFC 4193 (ULA), RFC 3927 and
// RFC 4291 (link local), RFC 6598 (shared address space, "CGNAT").
struct KnownBlock {
  std::string_view prefix;
  std::string_view name;
  NetworkKind kind;
};
constexpr std::array known_blocks{
    KnownBlock{"0.0.0.0/0", "public", NetworkKind::public_internet},
    KnownBlock{"::/0", "public", NetworkKind::public_internet},
    KnownBlock{"10.0.0.0/8", "private", NetworkKind::private_use},
    KnownBlock{"172.16.0.0/12", "private", NetworkKind::private_use},
    KnownBlock{"192.168.0.0/16", "private", NetworkKind::private_use},
    KnownBlock{"fc00::/7", "private", NetworkKind::private_use},
    KnownBlock{"100.64.0.0/10", "cgnat", NetworkKind::cgnat},
    KnownBlock{"169.254.0.0/16", "link_local", NetworkKind::link_local},
    KnownBlock{"fe80::/10", "link_local", NetworkKind::link_local},
    KnownBlock{"127.0.0.0/8", "loopback", NetworkKind::loopback},
    KnownBlock{"::1/128", "loopback", NetworkKind::loopback},
};

// Tailscale's own ULA block (https://tailscale.com/kb/1033/ip-and-dns-addresses): nobody else's.
constexpr std::string_view tailscale_ula = "fd7a:115c:a1e0::/48";
constexpr std::string_view shared_address_space = "100.64.0.0/10";

// Is there a mesh of which nothing can be read now? Its addresses must not look like somebody's
// CGNAT then, or what runs over it would look mended.
bool has_unknown_mesh(const Snapshot& snapshot) {
  const auto unknown = [](const auto& observed) { return !observed.state; };
  return snapshot.headscale.size() + snapshot.tailscale.size() > 0 &&
         std::ranges::all_of(snapshot.headscale, unknown) &&
         std::ranges::all_of(snapshot.tailscale, unknown);
}

// Addresses that belong to the mesh for certain.
std::set<IpAddress> mesh_addresses(const Snapshot& snapshot) {
  std::set<IpAddress> addresses;
  if (const auto* control = state_of(snapshot.headscale)) {
    for (const auto& node : control->nodes)
      addresses.insert(node.addresses.begin(), node.addresses.end());
  }
  for (const auto& observed : snapshot.tailscale) {
    if (!observed.state) continue;
    addresses.insert(observed.state->self_addresses.begin(), observed.state->self_addresses.end());
    for (const auto& peer : observed.state->peers)
      addresses.insert(peer.addresses.begin(), peer.addresses.end());
  }
  return addresses;
}

}  // namespace

Networks::Networks(const Config& config, const Snapshot& snapshot) {
  std::map<std::pair<std::string, NetworkKind>, std::size_t> known;
  const auto network = [&](std::string name, NetworkKind kind) {
    const auto [entry, added] = known.try_emplace({name, kind}, networks_.size());
    if (added) networks_.push_back({.name = std::move(name), .kind = kind});
    return entry->second;
  };
  const auto add = [&](const Prefix& prefix, std::size_t index) {
    prefixes_[prefix.length].try_emplace(prefix, index);
  };
  // What is known of single addresses never takes one out of a network that the user drew.
  const auto add_address = [&](const IpAddress& address, std::string_view name, NetworkKind kind) {
    for (const NetworkSettings& settings : config.networks) {
      for (const Prefix& prefix : settings.cidrs) {
        if (prefix.contains(address)) return;
      }
    }
    add({address, address.bits()}, network(std::string(name), kind));
  };

  // The user's own name for the same thing stands.
  const auto within_configured = [&](const Prefix& inner, NetworkKind kind) {
    return std::any_of(
        config.networks.begin(), config.networks.end(), [&](const NetworkSettings& settings) {
          return settings.kind == kind &&
                 std::any_of(settings.cidrs.begin(), settings.cidrs.end(),
                             [&](const Prefix& prefix) { return prefix.contains(inner); });
        });
  };

  for (const NetworkSettings& settings : config.networks) {
    networks_.push_back({.name = settings.name,
                         .kind = settings.kind,
                         .site = settings.site,
                         .retired = settings.retired,
                         .configured = true});
    for (const Prefix& prefix : settings.cidrs) add(prefix, networks_.size() - 1);
  }
  if (const auto* cluster = state_of(snapshot.kubernetes)) {
    for (const auto& node : cluster->nodes.items) {
      for (const Prefix& prefix : node.pod_cidrs) {
        if (!within_configured(prefix, NetworkKind::pods))
          add(prefix, network("pods", NetworkKind::pods));
      }
    }
    for (const auto& service : cluster->services.items) {
      for (const std::string& text : service.cluster_ips) {
        if (const auto address = IpAddress::parse(text))
          add_address(*address, "services", NetworkKind::services);
      }
    }
  }
  const auto shared = *Prefix::parse(shared_address_space);
  const auto ula = *Prefix::parse(tailscale_ula);
  bool uses_shared = has_unknown_mesh(snapshot);
  bool uses_ula = uses_shared;
  for (const IpAddress& address : mesh_addresses(snapshot)) {
    if (shared.contains(address)) {
      uses_shared = true;
    } else if (ula.contains(address)) {
      uses_ula = true;
    } else {
      add_address(address, "tailnet", NetworkKind::tailnet);
    }
  }
  // A tailnet that draws its addresses from the shared space owns what lies there, unless the user
  // says otherwise; without one it is somebody's CGNAT.
  if (uses_shared) add(shared, network("tailnet", NetworkKind::tailnet));
  if (uses_ula) add(ula, network("tailnet", NetworkKind::tailnet));
  if (const auto* cluster = state_of(snapshot.kubernetes)) {
    for (const auto& node : cluster->nodes.items) {
      for (const auto* list : {&node.internal_addresses, &node.external_addresses}) {
        for (const IpAddress& address : *list) {
          const bool of_tailnet =
              (uses_shared && shared.contains(address)) || (uses_ula && ula.contains(address));
          if (!of_tailnet) add_address(address, "node", NetworkKind::node);
        }
      }
    }
  }
  for (const KnownBlock& block : known_blocks) {
    add(*Prefix::parse(block.prefix), network(std::string(block.name), block.kind));
  }
}

const Network& Networks::of(const IpAddress& address) const {
  for (const auto& [length, entries] : prefixes_) {
    if (length > address.bits()) continue;
    const auto found = entries.find(Prefix::around(address, length));
    if (found != entries.end()) return networks_[found->second];
  }
  return networks_.back();  // cannot be: ::/0 and 0.0.0.0/0 are there
}

const Network* Networks::find(std::string_view name) const {
  const auto found = std::find_if(networks_.begin(), networks_.end(),
                                  [&](const Network& network) { return network.name == name; });
  return found == networks_.end() ? nullptr : &*found;
}

std::vector<Prefix> Networks::prefixes_of(const Network& network) const {
  std::vector<Prefix> result;
  for (const auto& [length, entries] : prefixes_) {
    for (const auto& [prefix, index] : entries) {
      if (&networks_[index] == &network) result.push_back(prefix);
    }
  }
  return result;
}

}  // namespace shortcircuit
