// Pure readers of the controller's answers, one for each.
//
// Errors: Failure::syntax or schema with the path inside the answer. DRBD's shared secret is in
// two of the answers: only the fields of state.h are looked at, and kept_fields() is an allow-list.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "http/http.h"
#include "sources/linstor/state.h"

namespace shortcircuit::linstor {

Result<std::string> parse_version(std::string_view body);
Result<std::vector<Node>> parse_nodes(std::string_view body);
Result<std::vector<Resource>> parse_resources(std::string_view body);
Result<std::vector<StoragePool>> parse_storage_pools(std::string_view body);
Result<std::vector<ResourceDefinition>> parse_definitions(std::string_view body);
Result<std::vector<ResourceGroup>> parse_groups(std::string_view body);
// Only pairs with paths; `resource` is "" for node connections.
Result<std::vector<PairConnection>> parse_connections(std::string_view body,
                                                      const std::string& resource);
Result<ErrorReports> parse_error_reports(std::string_view body);

// What a recording may keep of an answer; Failure::internal for an answer that does not exist.
// `Aux/zone`, `Aux/topology/site`: of what users write there, only where a node stands is read.
bool is_place(std::string_view property);

Result<std::vector<std::string_view>> kept_fields(std::string_view answer);

// Like expect_success(), but knows how this controller says "not logged in": 400.
Result<HttpResponse> expect_answer(Result<HttpResponse> response, const HttpRequest& request);

}  // namespace shortcircuit::linstor
