// Is a route asked by https, as far as its Ingress tells? Traefik's routers say it better where
// they can be read: an entry point may have TLS of its own.
#pragma once

#include <string>

#include "sources/kubernetes/state.h"

namespace shortcircuit {

bool has_tls(const kubernetes::Ingress& ingress, const std::string& host);

}  // namespace shortcircuit
