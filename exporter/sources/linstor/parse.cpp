#include "sources/linstor/parse.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/json.h"

namespace shortcircuit::linstor {
namespace {

constexpr std::string_view preferred_nic_property = "PrefNic";
constexpr std::string_view aux_prefix = "Aux/";
constexpr std::string_view paths_prefix = "Paths/";

std::string preferred_nic(JsonView item) {
  return item["props"][preferred_nic_property].string_or("");
}

std::optional<Time> time_of_milliseconds(JsonView value) {
  if (value.missing() || value.integer() <= 0) return std::nullopt;
  return time_of_unix_milliseconds(value.integer());
}

template <class T>
Result<std::vector<T>> parse_list(std::string_view body, T (*parse_item)(JsonView)) {
  std::vector<T> items;
  const auto read = read_json(body, [&](JsonView root) {
    if (!root.is_array()) root.wrong("an array");
    for (const auto& item : root.items()) items.push_back(parse_item(item));
  });
  if (!read) return std::unexpected(read.error());
  return items;
}

Node parse_node(JsonView item) {
  Node node;
  node.name = item["name"].string();
  node.type = item["type"].string_or("");
  node.connection_status = item["connection_status"].string_or("UNKNOWN");
  node.flags = item["flags"].strings();
  node.preferred_nic = preferred_nic(item);
  for (const auto& [name, value] : item["props"].members()) {
    if (is_place(name)) node.aux[name.substr(aux_prefix.size())] = value.string_or("");
  }
  for (const auto& interface : item["net_interfaces"].items()) {
    node.interfaces.push_back({interface["name"].string(), interface["address"].string_or(""),
                               interface["is_active"].boolean_or(false)});
  }
  node.eviction = time_of_milliseconds(item["eviction_timestamp"]);
  // An offline node lists no layer either: that says nothing.
  if (node.connection_status == "ONLINE" && item["resource_layers"].is_array()) {
    const auto layers = item["resource_layers"].strings();
    node.drbd_supported = std::find(layers.begin(), layers.end(), "DRBD") != layers.end();
    if (!node.drbd_supported) {
      const auto reasons = item["unsupported_layers"]["DRBD"].strings();
      if (!reasons.empty()) node.drbd_unsupported_reason = reasons.front();
    }
  }
  return node;
}

Volume parse_volume(JsonView item) {
  Volume volume;
  volume.number = item["volume_number"].integer_or(0);
  volume.storage_pool = item["storage_pool_name"].string_or("");
  volume.provider_kind = item["provider_kind"].string_or("");
  const auto state = item["state"];
  const std::string disk_state = state["disk_state"].string_or("");
  if (!disk_state.empty()) volume.disk_state = disk_state;
  for (const auto& [peer, replication] : state["replication_states"].members()) {
    const std::string word = replication["replication_state"].string_or("");
    volume.replication_states[peer] = word;
    if (word == "SyncTarget" || word == "PausedSyncT") {
      if (!replication["done_percentage"].missing()) {
        volume.synchronized_percent = replication["done_percentage"].number();
      }
    }
  }
  return volume;
}

Resource parse_resource(JsonView item) {
  Resource resource;
  resource.name = item["name"].string();
  resource.node = item["node_name"].string();
  resource.flags = item["flags"].strings();
  resource.preferred_nic = preferred_nic(item);
  const auto layer = item["layer_object"];
  resource.is_drbd = layer["type"].string_or("") == "DRBD";
  const auto state = item["state"];
  resource.has_state = !state.missing();
  if (!state["in_use"].missing()) resource.in_use = state["in_use"].boolean();
  for (const auto& volume : item["volumes"].items())
    resource.volumes.push_back(parse_volume(volume));
  for (const auto& [peer, connection] : layer["drbd"]["connections"].members()) {
    resource.connections[peer] = {connection["connected"].boolean_or(false),
                                  connection["message"].string_or("")};
  }
  return resource;
}

StoragePool parse_storage_pool(JsonView item) {
  StoragePool pool;
  pool.name = item["storage_pool_name"].string();
  pool.node = item["node_name"].string();
  pool.provider_kind = item["provider_kind"].string_or("");
  pool.preferred_nic = preferred_nic(item);
  const auto bytes = [](JsonView kibibytes) -> std::optional<double> {
    if (kibibytes.missing()) return std::nullopt;
    return static_cast<double>(kibibytes.integer()) * 1024;
  };
  if (!pool.diskless()) {  // those say 2^63-1
    pool.free_bytes = bytes(item["free_capacity"]);
    pool.total_bytes = bytes(item["total_capacity"]);
  }
  return pool;
}

ResourceDefinition parse_definition(JsonView item) {
  ResourceDefinition definition{item["name"].string(), item["resource_group_name"].string_or(""),
                                preferred_nic(item)};
  for (const auto& layer : item["layer_data"].items())
    definition.layers.push_back(layer["type"].string_or(""));
  definition.flags = item["flags"].strings();
  definition.quorum = item["props"]["DrbdOptions/Resource/quorum"].string_or("");
  return definition;
}

ResourceGroup parse_group(JsonView item) {
  const auto filter = item["select_filter"];
  ResourceGroup group{item["name"].string(), preferred_nic(item), filter["layer_stack"].strings()};
  if (!filter["place_count"].missing()) group.place_count = filter["place_count"].integer();
  return group;
}

// `Paths/<path>/<node>` = interface. Names of paths have no slash.
std::vector<ConnectionPath> parse_paths(JsonView properties) {
  std::vector<ConnectionPath> paths;  // members() sorts by key, so a path's entries are neighbours
  for (const auto& [key, value] : properties.members()) {
    if (!key.starts_with(paths_prefix)) continue;
    const std::string rest = key.substr(paths_prefix.size());
    const auto slash = rest.find('/');
    if (slash == std::string::npos) continue;
    const std::string name = rest.substr(0, slash);
    if (paths.empty() || paths.back().name != name) paths.push_back({name, {}});
    paths.back().interfaces[rest.substr(slash + 1)] = value.string();
  }
  return paths;
}

PairConnection parse_pair(JsonView item) {
  return {"", item["node_a"].string(), item["node_b"].string(), parse_paths(item["props"])};
}

}  // namespace

bool is_place(std::string_view property) {
  if (!property.starts_with(aux_prefix)) return false;
  const std::string_view word = property.substr(property.rfind('/') + 1);
  return word == "zone" || word == "site";
}

Result<std::string> parse_version(std::string_view body) {
  std::string version;
  const auto read = read_json(body, [&](JsonView root) { version = root["version"].string(); });
  if (!read) return std::unexpected(read.error());
  return version;
}

Result<std::vector<Node>> parse_nodes(std::string_view body) {
  return parse_list<Node>(body, parse_node);
}
Result<std::vector<Resource>> parse_resources(std::string_view body) {
  return parse_list<Resource>(body, parse_resource);
}
Result<std::vector<StoragePool>> parse_storage_pools(std::string_view body) {
  return parse_list<StoragePool>(body, parse_storage_pool);
}
Result<std::vector<ResourceDefinition>> parse_definitions(std::string_view body) {
  return parse_list<ResourceDefinition>(body, parse_definition);
}
Result<std::vector<ResourceGroup>> parse_groups(std::string_view body) {
  return parse_list<ResourceGroup>(body, parse_group);
}

Result<std::vector<PairConnection>> parse_connections(std::string_view body,
                                                      const std::string& resource) {
  auto pairs = parse_list<PairConnection>(body, parse_pair);
  if (!pairs) return pairs;
  std::erase_if(*pairs, [](const PairConnection& pair) { return pair.paths.empty(); });
  for (auto& pair : *pairs) pair.resource = resource;
  return pairs;
}

Result<ErrorReports> parse_error_reports(std::string_view body) {
  ErrorReports reports;
  const auto read = read_json(body, [&](JsonView root) {
    if (!root.is_array()) root.wrong("an array");
    for (const auto& item : root.items()) {
      ++reports.count;
      const auto time = time_of_milliseconds(item["error_time"]);
      if (time && (!reports.newest || *time > *reports.newest)) reports.newest = time;
    }
  });
  if (!read) return std::unexpected(read.error());
  return reports;
}

Result<std::vector<std::string_view>> kept_fields(std::string_view answer) {
  using Fields = std::vector<std::string_view>;
  if (answer == "controller-version") return Fields{"version", "rest_api_version"};
  if (answer == "nodes") {
    return Fields{"name",
                  "type",
                  "connection_status",
                  "flags",
                  "props/PrefNic",
                  "props/CurStltConnName",
                  "props/Aux*",
                  "net_interfaces/name",
                  "net_interfaces/address",
                  "net_interfaces/is_active",
                  "eviction_timestamp",
                  "resource_layers",
                  "unsupported_layers/DRBD"};
  }
  if (answer == "view-resources") {
    return Fields{"name",
                  "node_name",
                  "flags",
                  "props/PrefNic",
                  "state/in_use",
                  "layer_object/type",
                  "layer_object/drbd/connections/*/connected",
                  "layer_object/drbd/connections/*/message",
                  "layer_object/drbd/promotion_score",
                  "layer_object/drbd/may_promote",
                  "volumes/volume_number",
                  "volumes/storage_pool_name",
                  "volumes/provider_kind",
                  "volumes/state/disk_state",
                  "volumes/state/replication_states/*/replication_state",
                  "volumes/state/replication_states/*/done_percentage",
                  "volumes/allocated_size_kib"};
  }
  if (answer == "view-storage-pools") {
    return Fields{"storage_pool_name", "node_name",      "provider_kind",
                  "free_capacity",     "total_capacity", "props/PrefNic"};
  }
  if (answer == "resource-definitions")
    return Fields{"name",          "resource_group_name", "flags",
                  "props/PrefNic", "props/DrbdOptions*",  "layer_data/type"};
  if (answer == "resource-groups")
    return Fields{"name", "props/PrefNic", "select_filter/layer_stack",
                  "select_filter/place_count"};
  if (answer == "node-connections" || answer.starts_with("resource-connections-")) {
    return Fields{"node_a", "node_b", "props/Paths*"};
  }
  if (answer == "error-reports") return Fields{"node_name", "error_time", "module"};
  return fail(Failure::internal, fmt::format("linstor has no answer named {}", answer));
}

Result<HttpResponse> expect_answer(Result<HttpResponse> response, const HttpRequest& request) {
  if (response && response->status == 400) {
    bool login = false;
    (void)read_json(response->body, [&](JsonView root) {
      for (const auto& item : root.items()) {
        const std::string message = item["message"].string_or("");
        login = login || message.starts_with("Login required") || message.starts_with("Sign-in");
      }
    });
    if (login) {
      return fail(
          Failure::auth,
          fmt::format("{}: the controller wants a login (HTTP 400): set basic_auth of linstor",
                      request.answer),
          400);
    }
  }
  return expect_success(std::move(response), request);
}

}  // namespace shortcircuit::linstor
