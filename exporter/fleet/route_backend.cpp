#include "fleet/route_backend.h"

#include <charconv>

#include "fleet/endpoints.h"

namespace shortcircuit {

std::optional<int> port_number(std::string_view text) {
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number <= 0) return std::nullopt;
  return number;
}

RouteBackend backend_of(const kubernetes::ServiceReference& reference,
                        const std::string& own_namespace) {
  RouteBackend backend{
      .service = {reference.namespace_name.empty() ? own_namespace : reference.namespace_name,
                  reference.name},
      .idle = reference.idle};
  const auto number = port_number(reference.port);
  if (number && !reference.port_is_text) {
    backend.port_number = *number;
  } else {
    backend.port_name = reference.port;
  }
  return backend;
}

const kubernetes::ServicePort* port_of(const RouteBackend& backend,
                                       const kubernetes::Service& service) {
  for (const auto& port : service.ports) {
    if (backend.port_name.empty() ? port.port == backend.port_number
                                  : port.name == backend.port_name)
      return &port;
  }
  return nullptr;
}

std::optional<RouteBackend> target_of(const RouteBackend& backend,
                                      const kubernetes::Service& external_name) {
  const auto service = cluster_service_of(external_name);
  if (!service) return std::nullopt;
  const auto* port = port_of(backend, external_name);
  return RouteBackend{.service = *service,
                      .port_number = port != nullptr ? port->port : backend.port_number,
                      .through_traefik_service = backend.through_traefik_service,
                      .idle = backend.idle};
}

bool lacks_port(const RouteBackend& target, const kubernetes::Service& service) {
  return service.type != "ExternalName" && !service.headless() && target.port_number != 0 &&
         port_of(target, service) == nullptr;
}

bool port_exists(const RouteBackend& backend, const kubernetes::Service& service, bool of_ingress) {
  if (port_of(backend, service) != nullptr) return true;
  // Of an ExternalName Service an IngressRoute may ask for any number; an Ingress may not.
  return !of_ingress && service.type == "ExternalName" && backend.port_name.empty() &&
         backend.port_number != 0;
}

}  // namespace shortcircuit
