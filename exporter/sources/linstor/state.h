// What the exporter keeps of a LINSTOR controller. DRBD's shared secret is never kept.
// Unknown is absent: an optional part that is empty could not be read or was not in the answer.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/time.h"

namespace shortcircuit::linstor {

struct NetInterface {
  std::string name;
  std::string address;
};

struct Node {
  std::string name;
  std::string type;               // SATELLITE, CONTROLLER, COMBINED, AUXILIARY …
  std::string connection_status;  // ONLINE, OFFLINE, CONNECTED …
  std::vector<std::string> flags;
  std::string preferred_nic;                   // property PrefNic
  std::map<std::string, std::string> aux;      // properties Aux/…, without the prefix
  std::vector<NetInterface> interfaces;        // in the controller's order
  std::optional<Time> eviction;
  bool drbd_supported = true;
};

struct Connection {
  bool connected = false;
  std::string message;
};

struct Volume {
  std::int64_t number = 0;
  std::string storage_pool;
  std::string provider_kind;
  std::optional<std::string> disk_state;  // nothing: unknown
  std::map<std::string, std::string> replication_states;  // peer → state
};

struct Resource {
  std::string name;
  std::string node;
  std::vector<std::string> flags;
  std::string preferred_nic;
  bool is_drbd = false;
  bool has_state = false;  // false: satellite offline, not created yet, creation failed
  std::optional<bool> in_use;
  std::vector<Volume> volumes;
  std::map<std::string, Connection> connections;  // by peer; empty when unknown
};

struct StoragePool {
  std::string name;
  std::string node;
  std::string provider_kind;
  std::string preferred_nic;
  std::optional<double> free_bytes;
  std::optional<double> total_bytes;
};

struct ResourceDefinition {
  std::string name;
  std::string group;
  std::string preferred_nic;
};

struct ResourceGroup {
  std::string name;
  std::string preferred_nic;
};

// One path between two nodes: the interface name at each end.
struct ConnectionPath {
  std::string name;
  std::map<std::string, std::string> interfaces;  // node → interface
};

struct PairConnection {
  std::string resource;  // "" for a node connection
  std::string node_a;
  std::string node_b;
  std::vector<ConnectionPath> paths;
};

struct State {
  std::string version;
  std::vector<Node> nodes;
  std::optional<std::vector<Resource>> resources;
  std::optional<std::vector<StoragePool>> storage_pools;
  std::optional<std::vector<ResourceDefinition>> definitions;
  std::optional<std::vector<ResourceGroup>> groups;
  std::optional<std::vector<PairConnection>> node_connections;
  std::optional<std::vector<PairConnection>> resource_connections;  // only with paths
  std::optional<std::int64_t> error_reports;
  std::optional<Time> newest_error_report;
};

}  // namespace shortcircuit::linstor
