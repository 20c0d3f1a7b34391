// Whose is an address: which node's, which peer's, nobody's for certain? As Kubernetes and
// Headscale list them. Borrows the fleet, whose cluster must be known.
#pragma once

#include <map>
#include <set>
#include <string>

#include "fleet/mesh.h"

namespace shortcircuit {

class AddressOwners {
 public:
  explicit AddressOwners(const Fleet& fleet);

  // Null: no node has it, as far as anybody knows. The mesh knows addresses that Kubernetes does
  // not list.
  [[nodiscard]] const kubernetes::Node* node_of(const IpAddress& address) const;
  // The peer that has it and is offline or expired; "" = none.
  [[nodiscard]] std::string away(const IpAddress& address) const;
  // Nothing answers on an address that no node has: it is retired, or lies where everybody's
  // addresses are listed.
  [[nodiscard]] bool leads_nowhere(const IpAddress& address) const;

 private:
  void add_peers(const headscale::State& control);
  void add_away(const headscale::Node& peer, const Mesh& mesh);

  const Fleet& fleet_;
  std::map<IpAddress, const kubernetes::Node*> nodes_;
  std::map<std::string, const kubernetes::Node*> by_name_;
  std::set<IpAddress> peers_;                // that Headscale can reach
  std::map<IpAddress, std::string> away_;    // of the others: their names
  std::set<std::string> own_tailnets_;       // networks that addresses of peers lie in
  std::set<std::string> networks_of_nodes_;  // as Kubernetes lists nodes
};

}  // namespace shortcircuit
