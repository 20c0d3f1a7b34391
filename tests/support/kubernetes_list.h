// An answer of a Kubernetes API server to a list, for tests.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>

namespace shortcircuit::testing {

// The kind of a list of `resource` (`ingresses`), in small letters: `ingressList`.
inline std::string list_kind(std::string_view resource) {
  if (resource.ends_with("sses")) {
    resource.remove_suffix(2);
  } else if (resource != "endpoints") {
    resource.remove_suffix(1);
  }
  return std::string(resource) + "List";
}

inline std::string list_kind_of_url(std::string_view url) {
  url = url.substr(0, url.find('?'));
  return list_kind(url.substr(url.rfind('/') + 1));
}

// `metadata`: members of that object; `items`: the objects, with commas between them, or "null".
inline std::string list_body(std::string_view kind, std::string_view metadata,
                             std::string_view items) {
  const bool none = items == "null";
  return fmt::format(R"({{"kind":"{}","metadata":{{{}}},"items":{}{}{}}})", kind, metadata,
                     none ? "" : "[", items, none ? "" : "]");
}

}  // namespace shortcircuit::testing
