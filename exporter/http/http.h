// How the exporter talks to the outside: one narrow interface, so that the network, a recording
// and a fake are interchangeable. Implementations: CurlHttp (the network), ReplayHttp (a
// recording), CaptureHttp (passes on and writes a recording).
//
// Contract: fetch() sends all requests of one call in parallel and returns one result for each,
// in order, at the latest shortly after `deadline` (absolute) or after `stop` was requested
// (Failure::cancelled, in under 50 ms). A result is an error only when there is no HTTP answer;
// an HTTP status of any kind is an answer. Bodies are decoded and never longer than `body_limit`;
// those of one call together hold at most 64 MiB (a request beyond that is Failure::too_large).
// A URL that was answered with 429 or 503 and Retry-After is not asked again before that (5 minutes
// at most): until then its result is Failure::status.
// Thread rules: an object belongs to one source and is used by one thread at a time.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/secret.h"
#include "base/time.h"

namespace shortcircuit {

struct TlsSettings {
  std::string ca_file;
  std::string cert_file;
  std::string key_file;
  std::string ca_pem;  // inline alternatives (kubeconfig)
  std::string cert_pem;
  Secret key_pem;
  std::string server_name;  // "" = the URL's host
  bool insecure_skip_verify = false;
};

// Where and how one target of a source is reached. `url` has no user information.
struct Endpoint {
  std::string url;
  std::string unix_socket;  // "" = TCP
  std::string username;     // basic auth when not empty
  Secret password;
  Secret bearer_token;  // read again for every request when given by file
  TlsSettings tls;
};

enum class Method { get, post };

// An active probe wants to know how an answer arrives, not what is in it.
struct ProbeOptions {
  std::string proxy;            // http://, https://, socks5://; "" = none
  Duration stall_timeout = 5s;  // bytes arrived, then none for so long: stalled
  std::string connect_to;       // connect to this address instead of the URL's host; "" = no
};

// Some requests are no plain HTTP. The first two answer with JSON made by the implementation, so
// that they can be recorded and replayed like any other:
//   `probe` set:  {"http_status":200,"stalled":false,"received_bytes":1,"duration_seconds":0.1,
//                  "failure":"connect","proxy_failed":false} (http_status and failure may be
//                  absent)
//   URL `dns:host`: {"addresses":["10.0.0.1"]}, empty when the name has none or does not exist;
//                  a resolver that does not answer is Failure::resolve or timeout.
//   URL `file:/path`: the file's content; Failure::connect when it cannot be read.
struct HttpRequest {
  std::string answer;              // name in a recording: `nodes`, `ping-peer-1312`
  std::string extension = "json";  // of the file in a recording: json or txt
  Method method = Method::get;
  std::string url;  // absolute
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;
  std::size_t body_limit = 4U << 20;
  std::optional<Duration> timeout;  // shorter than the deadline of the call, for this request
  std::optional<ProbeOptions> probe;
};

struct HttpResponse {
  int status = 0;
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;  // names in lower case

  [[nodiscard]] std::string header(std::string_view lower_case_name) const {
    for (const auto& [name, value] : headers) {
      if (name == lower_case_name) return value;
    }
    return "";
  }
};

class Streams;  // http/streams.h

class Http {
 public:
  virtual ~Http() = default;
  virtual std::vector<Result<HttpResponse>> fetch(std::span<const HttpRequest> requests,
                                                  Deadline deadline, std::stop_token stop) = 0;
  // Decoded body bytes received since the last call of this function.
  virtual std::size_t take_received_bytes() = 0;
  // Answers of the same endpoint that are followed as they come; lives as long as this object.
  // Null: nothing can be followed here (a recording, a capture).
  virtual Streams* streams() { return nullptr; }
};

// One request.
inline Result<HttpResponse> fetch_one(Http& http, const HttpRequest& request, Deadline deadline,
                                      std::stop_token stop) {
  return std::move(http.fetch(std::span(&request, 1), deadline, std::move(stop)).front());
}

// 2xx passes; 401 and 403 become Failure::auth, the rest Failure::status. The message says what
// was asked for, the status and what to check.
Result<HttpResponse> expect_success(Result<HttpResponse> response, const HttpRequest& request);

}  // namespace shortcircuit
