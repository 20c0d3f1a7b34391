// Requests to tailscaled's LocalAPI. It answers only when the Host is exactly the one below.
#pragma once

#include <string>
#include <string_view>

#include "sources/tailscale/config.h"

namespace shortcircuit::tailscale {

inline HttpRequest local_api_request(const Config& config, std::string answer,
                                     std::string_view path) {
  std::string url =
      config.endpoint.url.empty() ? "http://local-tailscaled.sock" : config.endpoint.url;
  while (url.ends_with('/')) url.pop_back();
  HttpRequest request;
  request.answer = std::move(answer);
  request.url = url + "/localapi/v0/" + std::string(path);
  return request;
}

}  // namespace shortcircuit::tailscale
