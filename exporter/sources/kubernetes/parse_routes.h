// Ingresses and Traefik's own kinds. See parse_common.h.
#pragma once

#include "base/json.h"
#include "sources/kubernetes/state.h"

namespace shortcircuit::kubernetes {

Ingress parse_ingress(JsonView object);
IngressClass parse_ingress_class(JsonView object);
Middleware parse_middleware(JsonView object);       // MiddlewareTCP as well
IngressRoute parse_ingress_route(JsonView object);  // IngressRouteTCP and -UDP as well
TraefikService parse_traefik_service(JsonView object);

// `scheme://host[:port]` of a forwardAuth.address: its path and query may carry secrets. "" for
// what is no URL.
std::string forward_endpoint(std::string_view address);

}  // namespace shortcircuit::kubernetes
