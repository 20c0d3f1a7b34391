// The one failure channel between the exporter's modules.
//
// A function that can fail returns Result<T>. Exceptions are caught at two walls (calls into
// third-party code, entry of a thread or request handler) and never cross a module.
#pragma once

#include <array>
#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace shortcircuit {

// Closed list: it is the `reason` label of shortcircuit_source_poll_failures_total and the word
// that a recording's `.status` file may hold. `cancelled` (the process stops) is never counted.
enum class Failure {
  resolve,    // the name has no address
  connect,    // refused, unreachable, reset before an answer, no such unix socket
  tls,        // handshake or certificate
  timeout,    // the deadline passed
  auth,       // 401, 403, unreadable credentials
  status,     // any other unexpected HTTP status
  too_large,  // body or headers over the limit
  syntax,     // not HTTP, not JSON, not the text format
  schema,     // well formed, but not the shape that was expected
  internal,   // a mistake of the exporter
  cancelled,
};

inline constexpr std::array<std::string_view, 11> failure_names{
    "resolve",   "connect", "tls",    "timeout",  "auth",     "status",
    "too_large", "syntax",  "schema", "internal", "cancelled"};

constexpr std::string_view name_of(Failure failure) {
  return failure_names[static_cast<std::size_t>(failure)];
}

// Message: what failed, where, what was expected, what to do. Never a body, never a secret.
struct Error {
  Failure failure = Failure::internal;
  std::string message;
  int http_status = 0;  // 0: there was none

  // The same error with the place in front: "nodes: items[3].metadata.name: want a string".
  [[nodiscard]] Error in(std::string_view place) const {
    return {failure, std::string(place) + ": " + message, http_status};
  }
  bool operator==(const Error&) const = default;
};

template <class T>
using Result = std::expected<T, Error>;

inline std::unexpected<Error> fail(Failure failure, std::string message, int http_status = 0) {
  return std::unexpected(Error{failure, std::move(message), http_status});
}

}  // namespace shortcircuit
