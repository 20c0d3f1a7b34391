#include "sources/kubernetes/parse_routes.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/address.h"
#include "sources/kubernetes/parse_common.h"

namespace shortcircuit::kubernetes {
namespace {

constexpr std::string_view class_annotation = "kubernetes.io/ingress.class";

// Nothing for a backend that is a resource and no Service.
std::optional<IngressBackend> ingress_backend(JsonView view) {
  const JsonView service = view["service"];
  if (service.missing()) return std::nullopt;
  return IngressBackend{.service = service["name"].string(),
                        .port_name = service["port"]["name"].string_or(""),
                        .port_number = port_number(service["port"]["number"])};
}

std::vector<MiddlewareReference> middleware_references(JsonView list) {
  std::vector<MiddlewareReference> references;
  for (const JsonView& view : list.items()) {
    references.push_back(
        {.name = view["name"].string(), .namespace_name = view["namespace"].string_or("")});
  }
  return references;
}

ServiceReference service_reference(JsonView view) {
  return {.name = view["name"].string(),
          .namespace_name = view["namespace"].string_or(""),
          .kind = view["kind"].string_or("Service"),
          .port = integer_or_text(view["port"]),
          .port_is_text = view["port"].is_string()};
}

ServiceReference idle_reference(JsonView view) {
  ServiceReference reference = service_reference(view);
  reference.idle = true;
  return reference;
}

// Of Services that share the requests by weight (1 where none is written). One alone gets all of
// them, whatever its weight.
void add_service_references(JsonView list, std::vector<ServiceReference>& references) {
  const auto items = list.items();
  const auto has_weight = [](JsonView view) { return view["weight"].integer_or(1) > 0; };
  const bool shared = std::ranges::any_of(items, has_weight);
  for (const JsonView& view : items) {
    references.push_back(shared && !has_weight(view) ? idle_reference(view)
                                                     : service_reference(view));
  }
}

}  // namespace

Ingress parse_ingress(JsonView object) {
  Ingress ingress;
  ingress.name = object_name(object);
  ingress.created = creation_time(object);
  ingress.class_annotation = annotation(object, class_annotation);
  ingress.traefik_annotations = annotations_with_prefix(object, "traefik.ingress.kubernetes.io/");
  const JsonView spec = object["spec"];
  if (!spec["ingressClassName"].missing()) {
    ingress.class_name = spec["ingressClassName"].string();
  }
  for (const JsonView& view : spec["rules"].items()) {
    IngressRule rule;
    rule.host = view["host"].string_or("");
    for (const JsonView& path : view["http"]["paths"].items()) {
      rule.paths.push_back({.path = path["path"].string_or(""),
                            .path_type = path["pathType"].string_or(""),
                            .backend = ingress_backend(path["backend"])});
    }
    ingress.rules.push_back(std::move(rule));
  }
  ingress.default_backend = ingress_backend(spec["defaultBackend"]);
  for (const JsonView& tls : spec["tls"].items()) {
    std::vector<std::string> hosts = tls["hosts"].strings();
    ingress.tls_for_every_host = ingress.tls_for_every_host || hosts.empty();
    for (std::string& host : hosts) ingress.tls_hosts.push_back(std::move(host));
  }
  ingress.load_balancer_addresses = ingress_addresses(object["status"]["loadBalancer"]);
  return ingress;
}

IngressClass parse_ingress_class(JsonView object) {
  return {.name = object_name(object).name,
          .controller = object["spec"]["controller"].string_or(""),
          .is_default = is_true(annotation(object, "ingressclass.kubernetes.io/is-default-class"))};
}

Middleware parse_middleware(JsonView object) {
  Middleware middleware;
  middleware.name = object_name(object);
  const JsonView spec = object["spec"];
  middleware.chain = middleware_references(spec["chain"]["middlewares"]);
  middleware.forward_address = forward_endpoint(spec["forwardAuth"]["address"].string_or(""));
  if (const JsonView service = spec["errors"]["service"]; !service.missing())
    middleware.error_pages = service_reference(service);
  return middleware;
}

std::string forward_endpoint(std::string_view address) {
  const auto url = parse_url(address);
  // Further on, an `@` may end a password that holds a slash.
  if (!url || url->host.empty() || url->path.find('@') != std::string::npos) return "";
  const bool v6 = url->host.find(':') != std::string::npos;
  return fmt::format("{}://{}{}", url->scheme, v6 ? "[" + url->host + "]" : url->host,
                     url->port == 0 ? "" : fmt::format(":{}", url->port));
}

IngressRoute parse_ingress_route(JsonView object) {
  IngressRoute route;
  route.name = object_name(object);
  route.created = creation_time(object);
  route.class_annotation = annotation(object, class_annotation);
  const JsonView spec = object["spec"];
  route.entry_points = spec["entryPoints"].strings();
  for (const JsonView& view : spec["routes"].items()) {
    IngressRouteRule rule;
    rule.match = view["match"].string_or("");
    rule.middlewares = middleware_references(view["middlewares"]);
    add_service_references(view["services"], rule.services);
    route.rules.push_back(std::move(rule));
  }
  route.tls = !spec["tls"].missing();
  return route;
}

TraefikService parse_traefik_service(JsonView object) {
  TraefikService service;
  service.name = object_name(object);
  const JsonView spec = object["spec"];
  add_service_references(spec["weighted"]["services"], service.services);
  add_service_references(spec["highestRandomWeight"]["services"], service.services);
  if (const JsonView mirroring = spec["mirroring"]; !mirroring.missing()) {
    service.services.push_back(service_reference(mirroring));
    for (const JsonView& mirror : mirroring["mirrors"].items())
      service.services.push_back(idle_reference(mirror));
  }
  const JsonView failover = spec["failover"];
  if (const JsonView view = failover["service"]; !view.missing())
    service.services.push_back(service_reference(view));
  if (const JsonView view = failover["fallback"]; !view.missing())
    service.services.push_back(idle_reference(view));
  return service;
}

}  // namespace shortcircuit::kubernetes
