#include "fleet/middleware_target.h"

#include "fleet/router_index.h"

namespace shortcircuit {

ForwardTarget forward_target(const kubernetes::Middleware& middleware) {
  ForwardTarget target;
  const auto url = parse_url(middleware.forward_address);
  if (!url) return target;
  target.address = url->address();
  if (const auto service = cluster_service_named(url->host)) {
    const int usual = url->scheme == "https" ? 443 : 80;
    target.service =
        RouteBackend{.service = *service, .port_number = url->port != 0 ? url->port : usual};
  }
  return target;
}

MiddlewareObjects::MiddlewareObjects(const Fleet& fleet) {
  const auto* cluster = fleet.cluster();
  if (cluster == nullptr) return;
  const bool old_group_read = reads_old_group(fleet.traefik());
  for (const auto& item : cluster->middlewares.items) {
    if (!item.old_group || old_group_read) objects_[item.name] = &item;
  }
}

const kubernetes::Middleware* MiddlewareObjects::of(const RouteMiddleware& middleware) const {
  if (middleware.tcp || !middleware.object) return nullptr;
  const auto found = objects_.find(*middleware.object);
  return found == objects_.end() ? nullptr : found->second;
}

}  // namespace shortcircuit
