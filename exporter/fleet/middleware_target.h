// Where Middlewares themselves lead to: forwardAuth asks a server about every request and errors
// fetches its pages from one. A route is as dead without the first as without its own Service.
// An index made once per fleet; borrows it.
#pragma once

#include <map>
#include <optional>

#include "fleet/fleet.h"

namespace shortcircuit {

// What a forwardAuth address means: either, or neither for a name outside of the cluster.
struct ForwardTarget {
  std::optional<IpAddress> address;
  std::optional<RouteBackend>
      service;  // by its name in the cluster's DNS, and the port that is asked
};
ForwardTarget forward_target(const kubernetes::Middleware& middleware);

class MiddlewareObjects {
 public:
  explicit MiddlewareObjects(const Fleet& fleet);
  // Null for those of TCP and of other providers, and for what does not exist or is not read.
  [[nodiscard]] const kubernetes::Middleware* of(const RouteMiddleware& middleware) const;
  // All that Traefik reads.
  [[nodiscard]] const std::map<kubernetes::ObjectName, const kubernetes::Middleware*>& all() const {
    return objects_;
  }

 private:
  std::map<kubernetes::ObjectName, const kubernetes::Middleware*> objects_;
};

}  // namespace shortcircuit
