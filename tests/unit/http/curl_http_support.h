// What the tests of the network client share.
#pragma once

#include <string>

#include "http/curl_http.h"
#include "support/catch.h"
#include "support/loopback_server.h"

namespace shortcircuit::testing {

// Long enough never to matter where something must succeed.
inline constexpr auto patience = 60s;
// For what must run into its deadline.
inline constexpr auto impatience = 200ms;

inline HttpRequest get(std::string url) {
  HttpRequest request;
  request.answer = "answer";
  request.url = std::move(url);
  return request;
}

inline Result<HttpResponse> fetch(const HttpRequest& request, Endpoint endpoint = {},
                                  Duration within = patience) {
  return fetch_one(*make_curl_http(std::move(endpoint)), request, Deadline::after(within), {});
}

// The failure's name, or `HTTP n`.
inline std::string outcome(const Result<HttpResponse>& result) {
  if (result) return "HTTP " + std::to_string(result->status);
  CHECK_FALSE(result.error().message.empty());
  return std::string(name_of(result.error().failure));
}

}  // namespace shortcircuit::testing
