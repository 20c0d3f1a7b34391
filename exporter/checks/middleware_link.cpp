#include "checks/middleware_link.h"

namespace shortcircuit {
namespace {

void add_backend_faults(const RouteBackend& backend, const FindingIndex& findings, Draft& draft,
                        bool lacks_its_port) {
  for (Finding* finding : findings.of("backend_missing", backend.service.text())) {
    if (finding->kind == "Service" &&
        (finding->reason == "service_absent" || finding->reason == "no_ready_endpoints" ||
         (finding->reason == "service_port_absent" && lacks_its_port)))
      draft.add(finding);
  }
}

}  // namespace

MiddlewareLink::MiddlewareLink(const Fleet& fleet)
    : fleet_(fleet), faults_(fleet), refused_(fleet), objects_(fleet), addresses_(fleet) {}

Draft MiddlewareLink::draft_of(const Route& route, const FindingIndex& findings) const {
  Draft draft;
  const auto* cluster = fleet_.cluster();
  for (const RouteMiddleware& middleware : route.middlewares) {
    const std::string object = middleware.name();
    draft.name(object);
    for (Finding* finding : findings.of("middleware_missing", object)) {
      if (finding->kind == kind_of(middleware)) draft.add(finding);
    }
    const bool readable = middleware.object ? (middleware.tcp ? cluster->middleware_tcps.known()
                                                              : cluster->middlewares.known())
                                            : fleet_.traefik() != nullptr;
    draft.unknown = draft.unknown || !readable;
    if (const auto* found = objects_.of(middleware)) add_asked(route, *found, findings, draft);
  }
  // Those of an entry point, which no route names.
  for (const std::string& object : refused_.of(route)) {
    for (Finding* finding : findings.of("middleware_missing", object)) {
      if (finding->kind != "Middleware") continue;
      draft.name(object);
      draft.add(finding);
    }
  }
  return draft;
}

// With forwardAuth nobody passes without an answer; without its error pages a middleware is not
// loaded, unless Traefik does without endpoints (allowEmptyServices).
void MiddlewareLink::add_asked(const Route& route, const kubernetes::Middleware& middleware,
                               const FindingIndex& findings, Draft& draft) const {
  const ForwardTarget target = forward_target(middleware);
  if (target.address) {
    draft.name(fmt::format("{} (asked by {})", target.address->text(), middleware.name.text()));
    for (Finding* finding : findings.of("endpoint_address_stale", middleware.name.text())) {
      if (finding->kind == "Middleware") draft.add(finding);
    }
    draft.unknown = draft.unknown || addresses_.judge(*target.address).needs_mesh;
  }
  if (target.service) {
    draft.name(
        fmt::format("{} (asked by {})", target.service->service.text(), middleware.name.text()));
    const auto* found = fleet_.endpoints.find(target.service->service);
    add_backend_faults(*target.service, findings, draft,
                       found != nullptr && lacks_port(*target.service, *found->service));
    draft.unknown =
        draft.unknown || !fleet_.endpoints.known() || (found != nullptr && !found->certain);
  }
  const auto& pages = middleware.error_pages;
  if (pages && pages->kind == "Service" && faults_.router_state(route) != RouterState::alive) {
    const RouteBackend backend = backend_of(*pages, middleware.name.namespace_name);
    const auto* found = fleet_.endpoints.find(backend.service);
    add_backend_faults(backend, findings, draft,
                       found != nullptr && !port_exists(backend, *found->service, false));
  }
}

}  // namespace shortcircuit
