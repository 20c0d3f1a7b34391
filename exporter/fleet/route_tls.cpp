#include "fleet/route_tls.h"

#include <algorithm>
#include <string_view>

#include "base/text.h"

namespace shortcircuit {
namespace {

// A wildcard stands for one label.
bool covers(std::string_view pattern, std::string_view host) {
  if (!pattern.starts_with("*.") || host.starts_with("*.")) return pattern == host;
  const auto dot = host.find('.');
  return dot != std::string_view::npos && dot > 0 && host.substr(dot) == pattern.substr(1);
}

// `router.tls: "true"`, or anything that says more of it (`router.tls.certresolver` …).
bool is_annotated(const kubernetes::Ingress& ingress) {
  constexpr std::string_view switched = "traefik.ingress.kubernetes.io/router.tls";
  return std::ranges::any_of(ingress.traefik_annotations, [&](const auto& annotation) {
    const std::string_view name = annotation.first;
    if (!name.starts_with(switched)) return false;
    return name == switched ? to_lower(annotation.second) == "true" : name[switched.size()] == '.';
  });
}

}  // namespace

bool has_tls(const kubernetes::Ingress& ingress, const std::string& host) {
  return ingress.tls_for_every_host || is_annotated(ingress) ||
         std::ranges::any_of(ingress.tls_hosts,
                             [&](const std::string& pattern) { return covers(pattern, host); });
}

}  // namespace shortcircuit
