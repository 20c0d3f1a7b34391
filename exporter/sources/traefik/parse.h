// Traefik's API answers as plain values. Pure functions of a body; fields as of Traefik 2 and 3.
// Errors: Failure::syntax or schema with the JSON path. `priority` is never read: internal routers
// carry 2^63-1 and other releases more.
#pragma once

#include <string_view>

#include "base/result.h"
#include "sources/traefik/state.h"

namespace shortcircuit::traefik {

// An error as Traefik words it, without what it quotes of a configuration that is secret: users
// with their password's hash, user information of URLs, values of headers.
std::string shown_error(std::string_view error);

// Each adds what its answer says to `state`. Lists add one page.
Result<void> parse_version(std::string_view body, State& state);
Result<void> parse_overview(std::string_view body, State& state);
Result<void> parse_entry_points(std::string_view body, State& state);
Result<void> parse_routers(std::string_view body, State& state);
Result<void> parse_services(std::string_view body, State& state);
Result<void> parse_middlewares(std::string_view body, State& state);

}  // namespace shortcircuit::traefik
