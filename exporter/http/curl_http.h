// The network: Http on libcurl. The only door to libcurl (and, for `dns:`, to c-ares).
//
// Never follows redirects, never uses proxies from the environment, limits headers and decoded
// bodies while receiving, reads rotating credentials for every call.
#pragma once

#include <memory>

#include "http/http.h"

namespace shortcircuit {

// An `endpoint.url` of the form `dns://10.0.0.1:53[,…]` names the resolvers for `dns:` requests;
// with any other URL they are those of the system.
std::unique_ptr<Http> make_curl_http(Endpoint endpoint);

// Once, before the first thread and after the last one. Ignores SIGPIPE in the whole process.
void set_up_network();
void tear_down_network();

}  // namespace shortcircuit
