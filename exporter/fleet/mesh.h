// The mesh as several checks and metrics look at it: who is expected, whose word there is, which
// direct paths run over which network. Derived from one Fleet, which it borrows; pure values.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "fleet/fleet.h"

namespace shortcircuit {

using TailscaleView = Observed<tailscale::State>;

// What a direct path of the mesh runs over, if that is not plain ground.
enum class Nesting {
  none,
  retired_network,  // a network that the user wants to be rid of
  overlay,          // another overlay, or the mesh itself
};

struct DirectPath {
  const TailscaleView* view = nullptr;  // `from` is its target
  const tailscale::Peer* peer = nullptr;
  IpAddress underlay;
  const Network* network = nullptr;  // that `underlay` lies in
  Nesting nesting = Nesting::none;
  bool tunnel = false;  // a packet of the path is wrapped once more below it
};

class Mesh {
 public:
  explicit Mesh(const Fleet& fleet);

  // Of all nodes whose tailscaled is known, in the order of the configuration and of the names.
  [[nodiscard]] std::vector<DirectPath> direct_paths() const;
  [[nodiscard]] DirectPath path(const TailscaleView& view, const tailscale::Peer& peer,
                                const IpAddress& underlay) const;

  // Is it an address that this mesh gave to one of its nodes?
  [[nodiscard]] bool is_mesh_address(const IpAddress& address) const;

  // The Kubernetes node that a peer is, by name or by address; null when it is none.
  [[nodiscard]] const kubernetes::Node* cluster_node(std::string_view name,
                                                     const std::vector<IpAddress>& addresses) const;
  // Named in expect.peers, or a node of the cluster: it must be online.
  [[nodiscard]] bool expected(std::string_view name, const std::vector<IpAddress>& addresses) const;
  // A machine that registered anew (`name-x7f3k`) leaves an offline entry behind: of that nobody
  // expects anything, unless he names it or the cluster still lists its address.
  [[nodiscard]] bool registered_anew(const headscale::Node& old) const;
  // Expected, or a node whose tailscaled is read: somebody cares for the path to it.
  [[nodiscard]] bool matters(std::string_view name, const std::vector<IpAddress>& addresses) const;

  // What the node says of itself; null when nobody asks it or it does not answer.
  [[nodiscard]] const tailscale::State* own_word(std::string_view name) const;

  // `tailscale <node>: <why>` for every configured node whose state is unknown, or too old to tell.
  [[nodiscard]] std::vector<std::string> unknown_views() const;
  // `headscale: <failure>`; nothing when it is known or not configured.
  [[nodiscard]] std::optional<std::string> unknown_headscale() const;
  // Who of the expected are nodes of the cluster; nothing when that is known or not configured.
  [[nodiscard]] std::optional<std::string> unknown_cluster_nodes() const;

 private:
  void index_cluster_nodes();

  // A node of the cluster, and whether it has an address of this mesh.
  struct NamedNode {
    const kubernetes::Node* node = nullptr;
    bool in_mesh = false;
  };

  const Fleet& fleet_;
  std::set<IpAddress> addresses_;
  // Every path of the mesh asks who its ends are: looking through lists would be cubic.
  using PlacedNode = std::pair<std::size_t, const kubernetes::Node*>;  // in the cluster's order
  std::map<IpAddress, PlacedNode> nodes_by_address_;                   // the first that has it
  std::map<std::string_view, std::vector<NamedNode>> nodes_by_name_;
  std::map<std::string_view, const TailscaleView*> views_;  // the first of its name
  std::set<std::string_view> expected_peers_;
};

}  // namespace shortcircuit
