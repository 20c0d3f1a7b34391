// What is asked of a request's head before civetweb sees it. Pure; no copy is made.
#pragma once

#include <cstddef>
#include <string_view>

namespace shortcircuit {

// Where the first head of `input` ends, exactly as civetweb sees it; npos when it is not complete.
// Nothing before `from` can be the end.
std::size_t end_of_head(std::string_view input, std::size_t from);

// False for what civetweb would refuse anyway, which then costs none of its threads, and for a
// zero in the path, at which civetweb would end it.
bool may_be_http(std::string_view head);

// Lines between the request line and the empty one.
std::ptrdiff_t header_lines(std::string_view head);

}  // namespace shortcircuit
