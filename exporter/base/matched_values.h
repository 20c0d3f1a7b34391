// Rules of Traefik without what may be secret in them. Pure; never throws.
#pragma once

#include <string>
#include <string_view>

namespace shortcircuit {

// For what leaves the program: a rule, or a text that quotes one, without the values that headers
// and queries are compared with. They may be secrets that are shared with a proxy in front.
std::string without_matched_values(std::string_view text);

}  // namespace shortcircuit
