// Which network does an address lie in? Longest prefix wins; what the user named wins over what is
// known by itself at equal length. Known by themselves: pod CIDRs of nodes, the service CIDR
// (inferred from cluster IPs), Headscale's addresses (tailnet), node addresses, loopback,
// link-local, RFC 1918 and ULA (private), 100.64/10 that is not this tailnet (cgnat), public.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "config/config.h"
#include "fleet/snapshot.h"

namespace shortcircuit {

struct Network {
  std::string name;
  NetworkKind kind = NetworkKind::public_internet;
  std::string site;
  bool retired = false;
  bool configured = false;  // the user named it
};

class Networks {
 public:
  Networks(const Config& config, const Snapshot& snapshot);

  // Never nothing: every address lies somewhere, if only in `public` or `private`. The reference
  // lives as long as this object.
  [[nodiscard]] const Network& of(const IpAddress& address) const;
  // A network by the name that the user or the exporter gave it.
  [[nodiscard]] const Network* find(std::string_view name) const;
  // The prefixes of a network, longest first.
  [[nodiscard]] std::vector<Prefix> prefixes_of(const Network& network) const;
  // All networks that have a name, for listings (configured first).
  [[nodiscard]] const std::vector<Network>& all() const { return networks_; }

 private:
  std::vector<Network> networks_;
  // By length, longest first; within a length the first that claimed the prefix keeps it.
  std::map<int, std::map<Prefix, std::size_t>, std::greater<>> prefixes_;
};

}  // namespace shortcircuit
