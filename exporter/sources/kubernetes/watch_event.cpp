#include "sources/kubernetes/watch_event.h"

#include <fmt/format.h>

namespace shortcircuit::kubernetes {

Result<void> take_event(List& list, std::string_view line) {
  int error_code = 0;
  const auto parsed = read_json(line, [&](JsonView event) {
    const std::string type = event["type"].string();
    const JsonView object = event["object"];
    if (type == "ERROR") {
      error_code = count_number(object["code"], 500);
      return;
    }
    std::string version = object["metadata"]["resourceVersion"].string();
    if (type == "ADDED" || type == "MODIFIED") {
      list.change(object);
    } else if (type == "DELETED") {
      list.remove(object);
    } else if (type != "BOOKMARK") {
      event["type"].wrong("an event of a watch");
    }
    list.resource_version = std::move(version);
  });
  if (!parsed) return std::unexpected(parsed.error());
  if (error_code == 0) return {};
  return fail(Failure::status, fmt::format("the watch ended with error {}", error_code),
              error_code);
}

}  // namespace shortcircuit::kubernetes
