// Tells proxy URLs from other settings of a container or ConfigMap. Pure.
//
// A setting is a proxy when its name ends in PROXY (HTTPS_PROXY, npm_config_proxy, feed.proxy; any
// case) and its value is an http, https or socks URL; `host:port` counts under the names that
// programs read so (HTTP_PROXY, HTTPS_PROXY, ALL_PROXY, FTP_PROXY). In an environment also names
// such as FEED_PROXY_URL count, and a socks URL under any name. NO_PROXY and addresses of ordinary
// services (API_URL, OAUTH2_PROXY_UPSTREAMS) are none, and never kept.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace shortcircuit::kubernetes {

// The proxy as `scheme://host[:port]`: without user information, path and query.
std::optional<std::string> proxy_in_environment(std::string_view name, std::string_view value);
std::optional<std::string> proxy_in_config_map(std::string_view key, std::string_view value);

}  // namespace shortcircuit::kubernetes
