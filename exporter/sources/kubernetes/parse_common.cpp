#include "sources/kubernetes/parse_common.h"

#include <limits>

namespace shortcircuit::kubernetes {

ObjectName object_name(JsonView object) {
  const JsonView metadata = object["metadata"];
  return {.namespace_name = metadata["namespace"].string_or(""), .name = metadata["name"].string()};
}

std::optional<Time> creation_time(JsonView object) {
  return object["metadata"]["creationTimestamp"].time();
}

Labels string_map(JsonView map) {
  Labels values;
  for (const auto& [key, value] : map.members()) values.emplace(key, value.string_or(""));
  return values;
}

Labels annotations_with_prefix(JsonView object, std::string_view prefix) {
  Labels values;
  for (const auto& [key, value] : object["metadata"]["annotations"].members()) {
    if (key.starts_with(prefix)) values.emplace(key, value.string_or(""));
  }
  return values;
}

std::optional<std::string> annotation(JsonView object, std::string_view name) {
  const JsonView value = object["metadata"]["annotations"][name];
  if (value.missing()) return std::nullopt;
  return value.string();
}

bool is_true(const std::optional<std::string>& annotation_value) {
  return annotation_value && *annotation_value == "true";
}

std::string integer_or_text(JsonView value) {
  if (value.missing()) return "";
  if (value.is_string()) return value.string();
  const std::int64_t number = value.integer();
  return number == 0 ? "" : std::to_string(number);
}

int port_number(JsonView value) {
  const std::int64_t number = value.integer_or(0);
  if (number < 0 || number > 65535) value.wrong("a port between 0 and 65535");
  return static_cast<int>(number);
}

int count_number(JsonView value, int fallback) {
  const std::int64_t number = value.integer_or(fallback);
  if (number < 0 || number > std::numeric_limits<int>::max()) value.wrong("a count");
  return static_cast<int>(number);
}

std::vector<std::string> ingress_addresses(JsonView load_balancer) {
  std::vector<std::string> addresses;
  for (const JsonView& entry : load_balancer["ingress"].items()) {
    std::string address = entry["ip"].string_or("");
    if (!address.empty()) addresses.push_back(std::move(address));
  }
  return addresses;
}

}  // namespace shortcircuit::kubernetes
