// The link "middleware" of a route's walk: does Traefik have each of them, and does what they ask
// themselves answer? Borrows the fleet.
#pragma once

#include "checks/address.h"
#include "checks/link_draft.h"
#include "checks/middleware_missing.h"
#include "checks/route_faults.h"
#include "fleet/middleware_target.h"

namespace shortcircuit {

class MiddlewareLink {
 public:
  explicit MiddlewareLink(const Fleet& fleet);
  // Without texts where the route has none.
  [[nodiscard]] Draft draft_of(const Route& route, const FindingIndex& findings) const;

 private:
  void add_asked(const Route& route, const kubernetes::Middleware& middleware,
                 const FindingIndex& findings, Draft& draft) const;

  const Fleet& fleet_;
  RouteFaults faults_;
  RefusedMiddlewares refused_;
  MiddlewareObjects objects_;
  AddressJudge addresses_;
};

}  // namespace shortcircuit
