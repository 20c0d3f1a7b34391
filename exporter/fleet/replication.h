// Which address does each end of a LINSTOR replication use?
//
// The rule, as the satellites apply it: all paths of the resource connection; else all paths of the
// node connection; else each end for itself the first PrefNic of storage pool (of the first
// volume), resource, resource definition, resource group, node; else, or if the node has no such
// interface (nothing warns of that), the interface `default`; else the first one.
// Pure functions of one LINSTOR state; results borrow nothing.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/address.h"
#include "fleet/networks.h"
#include "fleet/snapshot.h"

namespace shortcircuit {

struct ReplicationEnd {
  std::string node;
  std::string interface;
  std::string address;             // as written; "" = the node has no interface at all
  std::string missing_preference;  // the interface that PrefNic names and the node lacks; "" = none
  [[nodiscard]] std::optional<IpAddress> ip() const { return IpAddress::parse(address); }
};

struct ReplicationPath {
  ReplicationEnd a, b;
};

// Two replicas of one resource that are connected; node_a < node_b.
struct ReplicationPair {
  std::string resource;
  std::string node_a;
  std::string node_b;
  std::vector<ReplicationPath> paths;  // more than one only where paths are configured
};

// A path of a connection that names an interface that the node lacks.
struct MissingPathInterface {
  std::string node;
  std::string interface;
  std::string where;  // `path lan of the connection of pvc-1 between a and b`
};

struct Replication {
  std::vector<ReplicationPair> pairs;  // by resource, then nodes
  std::vector<MissingPathInterface> missing_path_interfaces;
  std::vector<std::string> unknown;  // what could not be read; its pairs are left out
};

// Replicas that are being deleted, are inactive or evicted have no connection, nor have two
// diskless ones.
Replication replication_of(const linstor::State& state);

// How a pair's replication runs, over all its paths.
struct ReplicationRoute {
  bool retired = false;  // some path has an end in a retired network
  bool tunnel = false;   // every path has an end in a tunnel (and none is retired)
  std::string network;   // that makes it so
  std::string address;
  std::string node;  // whose address that is
};
ReplicationRoute route_of(const ReplicationPair& pair, const Networks& networks);

// An overlay, the tailnet, the pod network: not the wire.
bool is_tunnel(const IpAddress& address, const Network& network);

// Are both nodes in one place? By the sites of their addresses' networks; where one has none by the
// Kubernetes nodes' topology labels (zone, then region); then by the LINSTOR properties Aux/…/zone
// and Aux/…/site. False when nothing says so.
bool same_site(const linstor::Node& one, const linstor::Node& other, const Networks& networks,
               const kubernetes::State* cluster);

// Null when the controller does not list it.
const linstor::Node* find_node(const linstor::State& state, const std::string& name);

}  // namespace shortcircuit
