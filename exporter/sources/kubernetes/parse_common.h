// What the parsers of all kinds share. Pure; errors are SchemaError with the JSON path, caught by
// read_json(). Every parser takes one object, be it an item of a list or of a watch event.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/json.h"
#include "sources/kubernetes/state.h"

namespace shortcircuit::kubernetes {

ObjectName object_name(JsonView object);
std::optional<Time> creation_time(JsonView object);

// A map of strings, such as labels; empty when missing.
Labels string_map(JsonView map);
Labels annotations_with_prefix(JsonView object, std::string_view prefix);
std::optional<std::string> annotation(JsonView object, std::string_view name);
bool is_true(const std::optional<std::string>& annotation_value);

// An IntOrString as text; "" when missing or 0.
std::string integer_or_text(JsonView value);
// 0 when missing; what is no port is an error.
int port_number(JsonView value);
int count_number(JsonView value, int fallback);

// The addresses of a status.loadBalancer; entries with a host name only are left out.
std::vector<std::string> ingress_addresses(JsonView load_balancer);

}  // namespace shortcircuit::kubernetes
