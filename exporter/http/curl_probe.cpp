// Active probes: not what an answer says, but how it arrives.
//
// The answer to a probe is made here, so that it can be recorded and replayed (http.h has its
// form). Every probe uses a connection of its own.
#include <fmt/format.h>

#include "base/text.h"
#include "http/curl_transfer.h"

namespace shortcircuit {

void Transfer::prepare_probe(OptionSetter& options) {
  if (!request_.probe->proxy.empty()) {
    options.set(CURLOPT_PROXY, request_.probe->proxy);
    options.set(CURLOPT_NOPROXY, "");
    options.set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);  // they are no answer of the target
  }
  options.set(CURLOPT_FRESH_CONNECT, 1L);
  options.set(CURLOPT_FORBID_REUSE, 1L);
}

// Whose fault is it? The proxy's when it cannot be reached, cannot be understood or refuses. A
// proxy that was reached but whose answer does not come may wait for the target: not its fault.
bool Transfer::proxy_failed(CURLcode code, long connect_status) const {
  if (request_.probe->proxy.empty() || code == CURLE_OK || over_limit_) return false;
  const std::string proxy = to_lower(request_.probe->proxy);
  const bool socks = proxy.starts_with("socks");
  const bool tunnel = !socks && request_.url.starts_with("https://");
  const TransferFailure facts = failure_facts(code);
  switch (code) {
    case CURLE_COULDNT_RESOLVE_PROXY: return true;
    case CURLE_PROXY: {
      CURLproxycode detail = CURLPX_OK;
      curl_easy_getinfo(handle_.get(), CURLINFO_PROXY_ERROR, &detail);
      switch (detail) {  // here the proxy says that the target is at fault
        case CURLPX_REPLY_CONNECTION_REFUSED:
        case CURLPX_REPLY_HOST_UNREACHABLE:
        case CURLPX_REPLY_NETWORK_UNREACHABLE:
        case CURLPX_REPLY_TTL_EXPIRED:
        case CURLPX_RESOLVE_HOST: return false;
        default: return true;
      }
    }
    case CURLE_COULDNT_CONNECT: return true;  // the only connection made is the one to the proxy
    case CURLE_OPERATION_TIMEDOUT: return facts.resolved && !facts.connected;
    default: break;
  }
  if (failure_of(facts) == Failure::tls) {
    return proxy.starts_with("https://") && !(tunnel && connect_status == 200);
  }
  // Closed or garbled before the tunnel stood, or refused with a status.
  return tunnel && connect_status != 200;
}

Result<HttpResponse> Transfer::probe_report(CURLcode code, bool stalled) const {
  long status = 0;
  long connect_status = 0;
  curl_easy_getinfo(handle_.get(), CURLINFO_RESPONSE_CODE, &status);
  curl_easy_getinfo(handle_.get(), CURLINFO_HTTP_CONNECTCODE, &connect_status);
  // So many bytes that arrived prove the path; the rest is not fetched.
  const bool enough = over_limit_ && headed_;
  bool proxy_at_fault = proxy_failed(code, connect_status);
  std::optional<Failure> failure;
  if (code != CURLE_OK && !enough && !stalled) failure = failure_of(failure_facts(code));
  if (failure == Failure::internal) return fail_with(failure_facts(code));
  if (proxy_at_fault && connect_status >= 300) {
    failure = connect_status == 407 ? Failure::auth : Failure::status;
    status = connect_status;
  } else if (!request_.probe->proxy.empty() && status == 407) {
    failure = Failure::auth;
    proxy_at_fault = true;
  }
  const Duration duration = std::chrono::steady_clock::now() - begun_;
  std::string report = "{";
  if (status > 0) report += fmt::format("\"http_status\":{},", status);
  if (failure) report += fmt::format("\"failure\":\"{}\",", name_of(*failure));
  report += fmt::format(
      "\"stalled\":{},\"received_bytes\":{},\"duration_seconds\":{:.6f},\"proxy_failed\":{}}}",
      stalled, body_bytes_, seconds(duration), proxy_at_fault);
  return HttpResponse{200, std::move(report), {{"content-type", "application/json"}}};
}

}  // namespace shortcircuit
