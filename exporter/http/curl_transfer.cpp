#include "http/curl_transfer.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace shortcircuit {

namespace {

std::string_view method_name(Method method) { return method == Method::post ? "POST" : "GET"; }

std::string place_of(const HttpRequest& request, const Endpoint& endpoint) {
  std::string place = fmt::format("{} {}", method_name(request.method), shown_url(request.url));
  if (!endpoint.unix_socket.empty()) place += " (socket " + endpoint.unix_socket + ")";
  return place;
}

}  // namespace

Transfer::Transfer(EasyHandle handle, const HttpRequest& request, const Endpoint& endpoint,
                   Deadline deadline, std::size_t& received_bytes, HeldBytes& held)
    : handle_(std::move(handle)),
      request_(request),
      endpoint_(endpoint),
      deadline_(deadline),
      received_bytes_total_(received_bytes),
      held_(held),
      begun_(std::chrono::steady_clock::now()),
      last_byte_(begun_) {
  if (request.timeout) deadline_.at = std::min(deadline.at, Deadline::after(*request.timeout).at);
}

Result<void> Transfer::prepare() {
  if (!request_.url.starts_with("http://") && !request_.url.starts_with("https://")) {
    return fail(Failure::internal, shown_url(request_.url) + ": want an http or https URL");
  }
  OptionSetter options(handle_.get());
  options.set(CURLOPT_ERRORBUFFER, error_text_);
  options.set(CURLOPT_NOSIGNAL, 1L);
  // A resolver that hangs must not hold up the end of a transfer.
  options.set(CURLOPT_QUICK_EXIT, 1L);
  options.set(CURLOPT_PROTOCOLS_STR, "http,https");
  // One connection for each request in flight: what hangs delays nothing else.
  options.set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  options.set(CURLOPT_FOLLOWLOCATION, 0L);
  options.set(CURLOPT_PATH_AS_IS, 1L);
  options.set(CURLOPT_ACCEPT_ENCODING, "gzip");
  options.set(CURLOPT_TIMEOUT_MS, curl_ms(deadline_.remaining()));
  options.set(CURLOPT_CONNECTTIMEOUT_MS, curl_ms(deadline_.remaining()));
  // Addresses may change between two polls.
  options.set(CURLOPT_DNS_CACHE_TIMEOUT, 1L);
  options.set(CURLOPT_MAXLIFETIME_CONN, 600L);
  options.set(CURLOPT_PROXY, "");
  options.set(CURLOPT_NOPROXY, "*");
  options.set(CURLOPT_HEADERFUNCTION, &Transfer::on_header);
  options.set(CURLOPT_HEADERDATA, static_cast<void*>(this));
  options.set(CURLOPT_WRITEFUNCTION, &Transfer::on_body);
  options.set(CURLOPT_WRITEDATA, static_cast<void*>(this));
  options.set(CURLOPT_PRIVATE, static_cast<void*>(this));

  for (const auto step : {&Transfer::prepare_target, &Transfer::prepare_credentials}) {
    const auto done = (this->*step)(options);
    if (!done) return std::unexpected(done.error().in(place_of(request_, endpoint_)));
  }
  const auto tls = prepare_tls(options);
  if (!tls) return std::unexpected(tls.error().in(place_of(request_, endpoint_)));
  if (request_.probe) prepare_probe(options);
  options.set(CURLOPT_HTTPHEADER, headers_.get());
  if (options.first_failure() != CURLE_OK) {
    return fail(Failure::internal,
                place_of(request_, endpoint_) + ": " + curl_easy_strerror(options.first_failure()));
  }
  return {};
}

std::size_t Transfer::on_header(char* data, std::size_t size, std::size_t count,
                                void* self) noexcept {
  auto& transfer = *static_cast<Transfer*>(self);
  try {
    const std::string_view line(data, size * count);
    transfer.last_byte_ = std::chrono::steady_clock::now();
    transfer.header_bytes_ += line.size();
    if (transfer.header_bytes_ > header_limit) {
      transfer.over_limit_ = true;
      return 0;
    }
    if (line.starts_with("HTTP/")) {
      transfer.response_.headers.clear();  // what came before was interim (1xx)
      transfer.headed_ = false;
    } else if (trim(line).empty()) {
      transfer.headed_ = true;
    } else if (const auto colon = line.find(':'); colon != std::string_view::npos) {
      transfer.response_.headers.emplace_back(to_lower(trim(line.substr(0, colon))),
                                              trim(line.substr(colon + 1)));
    }
    return line.size();
  } catch (...) {
    return 0;  // no memory: libcurl ends the transfer
  }
}

std::size_t Transfer::on_body(char* data, std::size_t size, std::size_t count,
                              void* self) noexcept {
  auto& transfer = *static_cast<Transfer*>(self);
  try {
    const std::string_view piece(data, size * count);
    transfer.last_byte_ = std::chrono::steady_clock::now();
    transfer.body_bytes_ += piece.size();
    transfer.received_bytes_total_ += piece.size();
    if (transfer.sink_ && transfer.headed_status() == 200) {
      if (transfer.sink_(piece)) return piece.size();
      transfer.over_limit_ = true;
      return 0;
    }
    const bool too_much = transfer.held_.now + piece.size() > HeldBytes::limit &&
                          transfer.body_bytes_ > HeldBytes::always_allowed;
    if (transfer.body_bytes_ > transfer.request_.body_limit ||
        (too_much && !transfer.request_.probe)) {
      transfer.over_limit_ = true;
      transfer.held_.now -= transfer.response_.body.size();
      std::string().swap(transfer.response_.body);
      return 0;
    }
    if (!transfer.request_.probe) {
      transfer.response_.body.append(piece);
      transfer.held_.now += piece.size();
    }
    return piece.size();
  } catch (...) { return 0; }
}

int Transfer::headed_status() const {
  if (!headed_) return 0;
  long status = 0;
  curl_easy_getinfo(handle_.get(), CURLINFO_RESPONSE_CODE, &status);
  return status < 200 ? 0 : static_cast<int>(status);  // 1xx is interim
}

std::chrono::steady_clock::time_point Transfer::next_look() const {
  if (request_.probe && headed_ && body_bytes_ > 0) {
    return std::min(deadline_.at, last_byte_ + request_.probe->stall_timeout);
  }
  return deadline_.at;
}

std::optional<Result<HttpResponse>> Transfer::overdue(std::chrono::steady_clock::time_point now) {
  if (now < next_look()) return std::nullopt;
  if (request_.probe) return probe_report(CURLE_OPERATION_TIMEDOUT, now < deadline_.at);
  return fail_with(failure_facts(CURLE_OPERATION_TIMEDOUT));
}

Result<HttpResponse> Transfer::finish(CURLcode code) {
  if (request_.probe) return probe_report(code, false);
  if (code != CURLE_OK) return fail_with(failure_facts(code));
  long status = 0;
  curl_easy_getinfo(handle_.get(), CURLINFO_RESPONSE_CODE, &status);
  response_.status = static_cast<int>(status);
  return std::move(response_);
}

Duration Transfer::retry_after() const {
  curl_off_t wait = 0;
  curl_easy_getinfo(handle_.get(), CURLINFO_RETRY_AFTER, &wait);
  return std::chrono::seconds(std::clamp<curl_off_t>(wait, 0, 86'400));
}

TransferFailure Transfer::failure_facts(CURLcode code) const {
  TransferFailure facts{.code = code};
  long os_errno = 0;
  long new_connections = 0;
  long local_port = 0;
  curl_off_t resolved = 0;
  curl_off_t shaken = 0;
  curl_easy_getinfo(handle_.get(), CURLINFO_OS_ERRNO, &os_errno);
  curl_easy_getinfo(handle_.get(), CURLINFO_NUM_CONNECTS, &new_connections);
  curl_easy_getinfo(handle_.get(), CURLINFO_LOCAL_PORT, &local_port);
  curl_easy_getinfo(handle_.get(), CURLINFO_NAMELOOKUP_TIME_T, &resolved);
  curl_easy_getinfo(handle_.get(), CURLINFO_APPCONNECT_TIME_T, &shaken);
  facts.os_errno = static_cast<int>(os_errno);
  facts.resolved = resolved > 0;
  // Not by the connect time: it includes the handshake with a proxy.
  facts.connected = new_connections > 0 || local_port > 0;
  facts.new_tls_session = new_connections > 0 && shaken > 0;
  facts.answer_begun = header_bytes_ > 0;
  facts.answer_headed = headed_;
  facts.over_limit = over_limit_;
  facts.detail = error_text_;
  return facts;
}

std::unexpected<Error> Transfer::fail_with(const TransferFailure& facts) const {
  return fail(failure_of(facts),
              fmt::format("{}: {}", place_of(request_, endpoint_), sentence_of(facts)));
}

}  // namespace shortcircuit
