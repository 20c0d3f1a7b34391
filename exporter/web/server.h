// The HTTP server as the exporter sees it: a handler is a function from request to response, so
// pages are tested without sockets.
//
// Thread rules: the handler is called from several threads at once and must not block on upstreams.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "web/connection_gate.h"

namespace shortcircuit {

struct WebRequest {
  std::string method;  // GET, HEAD, POST …
  std::string path;    // decoded, without query
  std::string query;
  std::string accept_encoding;
  std::string authorization;
  std::string remote_address;
  bool has_body = false;  // to be answered 413: nothing here takes one
};

struct WebResponse {
  int status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::shared_ptr<const std::string> body;  // shared: rendered bytes are not copied
  std::string content_encoding;             // "" or gzip
  std::vector<std::pair<std::string, std::string>> headers;
};

WebResponse text_response(int status, std::string body);

using WebHandler = std::function<WebResponse(const WebRequest&)>;

struct ServerSettings {
  std::vector<std::string> listen_addresses{":10067"};  // `:port`, `host:port`, `[v6]:port`
  bool systemd_socket = false;                          // take systemd's sockets instead
  GateLimits limits;
  std::shared_ptr<TlsServer> tls;  // null = plain HTTP
  HeaderLines header_lines;        // for answers that the handler never sees; may be empty
};

class Server {
 public:
  virtual ~Server() = default;  // stops listening, waits for running handlers, sends their answers
  // Addresses that it listens on, with the real ports (port 0 = any free one).
  [[nodiscard]] virtual std::vector<std::string> addresses() const = 0;
};

// Failure::internal with one line that names the address and the reason.
Result<std::unique_ptr<Server>> start_server(const ServerSettings& settings, WebHandler handler);

// True when the client takes gzip: `gzip;q=0` and `identity` alone do not.
bool accepts_gzip(std::string_view accept_encoding);

}  // namespace shortcircuit
