// What the exporter keeps of a LINSTOR controller. DRBD's shared secret is never kept.
// Unknown is absent: an optional part that is empty could not be read or was not in the answer.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "base/time.h"

namespace shortcircuit::linstor {

struct NetInterface {
  std::string name;
  std::string address;
  bool active = false;  // the controller reaches the satellite by it
};

struct Node {
  std::string name;
  std::string type;               // SATELLITE, CONTROLLER, COMBINED, AUXILIARY …
  std::string connection_status;  // ONLINE, OFFLINE, CONNECTED …
  std::vector<std::string> flags;
  std::string preferred_nic;  // property PrefNic
  std::map<std::string, std::string>
      aux;                               // properties Aux/…/zone and Aux/…/site, without the prefix
  std::vector<NetInterface> interfaces;  // in the controller's order
  std::optional<Time> eviction;          // when an offline node will be evicted
  bool drbd_supported = true;            // false only when an online node says so
  std::string drbd_unsupported_reason;

  [[nodiscard]] bool is_satellite() const { return type == "SATELLITE" || type == "COMBINED"; }
  [[nodiscard]] bool has_flag(std::string_view flag) const;
};

struct Connection {
  bool connected = false;
  std::string message;
};

struct Volume {
  std::int64_t number = 0;
  std::string storage_pool;
  std::string provider_kind;
  std::optional<std::string> disk_state;                  // nothing: unknown
  std::map<std::string, std::string> replication_states;  // peer → state
  std::optional<double> synchronized_percent;  // while this volume is a target of a resync
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

  [[nodiscard]] bool has_flag(std::string_view flag) const;
  // Without a disk of its own by intent: a client or a tie breaker.
  [[nodiscard]] bool diskless() const;
  // On its way out or switched off: nothing is expected of it.
  [[nodiscard]] bool leaving() const;
};

struct StoragePool {
  std::string name;
  std::string node;
  std::string provider_kind;
  std::string preferred_nic;
  std::optional<double> free_bytes;
  std::optional<double> total_bytes;

  [[nodiscard]] bool diskless() const { return provider_kind == "DISKLESS"; }
};

struct ResourceDefinition {
  std::string name;
  std::string group;
  std::string preferred_nic;
  std::vector<std::string> layers = {};  // from the top; empty: not said, and no replica was made
  std::vector<std::string> flags = {};
  std::string quorum = {};  // property DrbdOptions/Resource/quorum: off, majority …; "" = not said
};

struct ResourceGroup {
  std::string name;
  std::string preferred_nic;
  std::vector<std::string> layers = {};  // what its definitions get; empty: not said
  std::optional<std::int64_t> place_count = std::nullopt;  // replicas with a disk that are wanted
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

struct ErrorReports {
  std::int64_t count = 0;
  std::optional<Time> newest;
};

struct State {
  static constexpr Duration history{1min};  // Observed::earlier
  std::string version;
  std::vector<Node> nodes;
  std::optional<std::vector<Resource>> resources;
  bool resources_are_old = false;  // the answer of an earlier poll
  std::optional<std::vector<StoragePool>> storage_pools;
  std::optional<std::vector<ResourceDefinition>> definitions;
  std::optional<std::vector<ResourceGroup>> groups;
  std::optional<std::vector<PairConnection>> node_connections;
  std::optional<std::vector<PairConnection>> resource_connections;  // only with paths
  // Definitions whose connections could not be read: nothing above speaks of them.
  std::vector<std::string> connections_unknown;
  std::optional<std::int64_t> error_reports;  // at most 10,000 are counted
  std::optional<Time> newest_error_report;
};

}  // namespace shortcircuit::linstor
