#include "sources/headscale/parse.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/json.h"

namespace shortcircuit::headscale {
namespace {

// Ids are 64-bit numbers, written as strings by the gateway.
std::string id_of(JsonView value) {
  if (value.missing()) return "";
  return value.is_string() ? value.string() : fmt::format("{}", value.unsigned_integer());
}

std::vector<JsonView> required_list(JsonView value) {
  if (!value.is_array()) value.wrong("an array");
  return value.items();
}

Node read_node(JsonView item) {
  Node node;
  node.id = id_of(item["id"]);
  node.host_name = item["name"].string_or("");
  node.given_name = item["givenName"].string_or("");
  if (node.given_name.empty()) node.given_name = node.host_name;
  const JsonView owner = item["user"].missing() ? item["namespace"] : item["user"];
  node.user = owner["name"].string_or("");
  for (const std::string& text : item["ipAddresses"].strings()) {
    if (const auto address = IpAddress::parse(text)) node.addresses.push_back(*address);
  }
  node.online_known = !item["online"].missing();
  node.online = item["online"].boolean_or(true);
  node.last_seen = item["lastSeen"].time();
  node.expiry = item["expiry"].time();
  std::set<std::string> tags;  // one list since 0.28, three before
  for (const std::string_view field : {"tags", "forcedTags", "validTags"}) {
    for (std::string& tag : item[field].strings()) tags.insert(std::move(tag));
  }
  node.tags.assign(tags.begin(), tags.end());
  node.approved_routes = item["approvedRoutes"].strings();
  node.available_routes = item["availableRoutes"].strings();
  return node;
}

// The server keeps given names unique; an older one or a shape to come may not, and they become
// labels of series.
void make_names_unique(std::vector<Node>& nodes) {
  std::set<std::string> ids;  // a node that is listed twice is one
  std::erase_if(nodes,
                [&](const Node& node) { return !node.id.empty() && !ids.insert(node.id).second; });
  std::set<std::string> seen;
  for (Node& node : nodes) {
    if (node.given_name.empty()) node.given_name = fmt::format("node-{}", node.id);
    if (seen.insert(node.given_name).second) continue;
    const std::string name = node.given_name;
    for (int i = 0; !seen.insert(node.given_name).second; ++i) {
      node.given_name =
          i == 0 ? fmt::format("{}@{}", name, node.id) : fmt::format("{}@{}-{}", name, node.id, i);
    }
  }
}

}  // namespace

Result<NodeList> parse_nodes(std::string_view body) {
  NodeList list;
  const auto read = read_json(body, [&](JsonView root) {
    const JsonView nodes = root["nodes"].missing() ? root["machines"] : root["nodes"];
    if (nodes.missing()) root["nodes"].wrong("an array");
    for (const JsonView& item : required_list(nodes)) {
      list.nodes.push_back(read_node(item));
      for (const std::string_view field : {"approvedRoutes", "availableRoutes", "subnetRoutes"}) {
        list.has_routes = list.has_routes || !item[field].missing();
      }
    }
  });
  if (!read) return std::unexpected(read.error());
  make_names_unique(list.nodes);
  return list;
}

Result<void> parse_routes(std::string_view body, std::vector<Node>& nodes) {
  return read_json(body, [&](JsonView root) {
    for (const JsonView& item : required_list(root["routes"])) {
      const JsonView owner = item["node"].missing() ? item["machine"] : item["node"];
      const std::string id = id_of(owner["id"]);
      const auto node = std::find_if(nodes.begin(), nodes.end(), [&](const Node& candidate) {
        return !id.empty() && candidate.id == id;
      });
      const std::string prefix = item["prefix"].string_or("");
      if (node == nodes.end() || prefix.empty()) continue;
      if (item["advertised"].boolean_or(true)) node->available_routes.push_back(prefix);
      if (item["enabled"].boolean_or(false)) node->approved_routes.push_back(prefix);
    }
  });
}

Result<std::vector<ApiKey>> parse_api_keys(std::string_view body) {
  std::vector<ApiKey> keys;
  const auto read = read_json(body, [&](JsonView root) {
    std::set<std::string> seen;
    for (const JsonView& item : required_list(root["apiKeys"])) {
      const std::string prefix = item["prefix"].string_or("");
      if (seen.insert(prefix).second) keys.push_back({prefix, item["expiration"].time()});
    }
  });
  if (!read) return std::unexpected(read.error());
  return keys;
}

Result<std::vector<PreAuthKey>> parse_pre_auth_keys(std::string_view body) {
  std::vector<PreAuthKey> keys;
  const auto read = read_json(body, [&](JsonView root) {
    for (const JsonView& item : required_list(root["preAuthKeys"])) {
      keys.push_back({.id = id_of(item["id"]),
                      .reusable = item["reusable"].boolean_or(false),
                      .used = item["used"].boolean_or(false),
                      .expiration = item["expiration"].time()});
    }
  });
  if (!read) return std::unexpected(read.error());
  return keys;
}

Result<bool> parse_health(std::string_view body) {
  bool healthy = false;
  const auto read =
      read_json(body, [&](JsonView root) { healthy = root["status"].string() == "pass"; });
  if (!read) return std::unexpected(read.error());
  return healthy;
}

}  // namespace shortcircuit::headscale
