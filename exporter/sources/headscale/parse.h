// Pure readers of Headscale's answers, of every shape that its releases gave them.
// Errors: syntax (no JSON), schema (JSON of another shape).
#pragma once

#include <string_view>
#include <vector>

#include "base/result.h"
#include "sources/headscale/state.h"

namespace shortcircuit::headscale {

// `/api/v1/node` (`nodes`) or, before 0.23, `/api/v1/machine` (`machines`).
// Given names are unique within the result.
struct NodeList {
  std::vector<Node> nodes;
  bool has_routes = false;  // since 0.26 a node carries its routes
};
Result<NodeList> parse_nodes(std::string_view body);

// `/api/v1/routes` (before 0.26) fills the routes of the nodes it names.
Result<void> parse_routes(std::string_view body, std::vector<Node>& nodes);

Result<std::vector<ApiKey>> parse_api_keys(std::string_view body);
Result<std::vector<PreAuthKey>> parse_pre_auth_keys(std::string_view body);

// `/health`: {"status":"pass"}.
Result<bool> parse_health(std::string_view body);

}  // namespace shortcircuit::headscale
