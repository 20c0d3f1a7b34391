// Judges the `caBundle` of a webhook: base64 of PEM, stored by the API server without complaint
// even when it is neither. ca_bundle.cpp is the only file of this source that sees OpenSSL.
// Pure functions.
#pragma once

#include <string>
#include <string_view>

#include "sources/kubernetes/state.h"

namespace shortcircuit::kubernetes {

// Blocks that are no certificate are passed over, as the API server does; `not_pem` when none is
// left.
CaBundle read_ca_bundle(std::string_view base64);

// The same bundle, again in base64, with nothing in it but its certificates: a mistaken bundle may
// hold a private key. What is `not_pem` comes back as other text that is `not_pem`.
std::string certificates_only(std::string_view base64);

}  // namespace shortcircuit::kubernetes
