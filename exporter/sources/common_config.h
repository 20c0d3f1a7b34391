// What every source's configuration has: where it is, how often it is asked, how long it may take.
#pragma once

#include <string>

#include "http/http.h"

namespace shortcircuit {

struct CommonConfig {
  std::string target;  // label `target`, folder in a recording; "" where a source has one target
  Endpoint endpoint;
  Duration interval = 15s;
  Duration timeout = 5s;  // < interval

  // Whose answers tell what to ask for: nobody's, those with the routes (Kubernetes, Traefik), or
  // those with the names of their hosts (DNS) as well. A configuration that follows says so itself.
  enum class Follows { nothing, routes, names };
  [[nodiscard]] static constexpr Follows follows() { return Follows::nothing; }
};

}  // namespace shortcircuit
