// One request under way: its easy handle, what has arrived, and what that means. Private to http/.
//
// Ownership: libcurl keeps pointers into the object while the handle is in a multi handle, so it
// neither moves nor dies before the handle is removed.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/curl_errors.h"
#include "http/curl_raii.h"
#include "http/http.h"

namespace shortcircuit {

// Bytes of the bodies that one call holds together.
struct HeldBytes {
  // Many answers that are each within their limit must not add up to all the memory there is.
  static constexpr std::size_t limit = 64U << 20;
  // A body that is no larger never has to pay for the others.
  static constexpr std::size_t always_allowed = 1U << 20;
  std::size_t now = 0;
};

class Transfer {
 public:
  static constexpr std::size_t header_limit = 64U << 10;

  // `request`, `endpoint`, `received_bytes` (counted up) and `held` outlive the object.
  Transfer(EasyHandle handle, const HttpRequest& request, const Endpoint& endpoint,
           Deadline deadline, std::size_t& received_bytes, HeldBytes& held);
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  // The body of an answer with status 200 is not kept but handed over in pieces, as they come and
  // however many they are; false ends the transfer as too large.
  using Sink = std::function<bool(std::string_view piece)>;
  void follow(Sink sink) { sink_ = std::move(sink); }

  // Sets every option; on an error nothing must be sent. Reads credentials.
  Result<void> prepare();

  [[nodiscard]] CURL* handle() const { return handle_.get(); }
  // For use by another transfer, after this one has ended.
  EasyHandle release() { return std::move(handle_); }

  // The status of the answer once its head is complete; 0 until then.
  [[nodiscard]] int headed_status() const;

  // When the loop has to look at this transfer at the latest.
  [[nodiscard]] std::chrono::steady_clock::time_point next_look() const;
  // The result by time alone: the deadline passed, or a probe stalled. Nothing: go on.
  std::optional<Result<HttpResponse>> overdue(std::chrono::steady_clock::time_point now);
  // The result once libcurl is done.
  Result<HttpResponse> finish(CURLcode code);
  // What the answer's Retry-After says; 0 without one. After finish().
  [[nodiscard]] Duration retry_after() const;

 private:
  Result<void> prepare_credentials(OptionSetter& options);
  Result<void> prepare_tls(OptionSetter& options) const;
  Result<void> prepare_target(OptionSetter& options);
  void prepare_probe(OptionSetter& options);

  [[nodiscard]] TransferFailure failure_facts(CURLcode code) const;
  [[nodiscard]] std::unexpected<Error> fail_with(const TransferFailure& facts) const;
  [[nodiscard]] Result<HttpResponse> probe_report(CURLcode code, bool stalled) const;
  [[nodiscard]] bool proxy_failed(CURLcode code, long connect_status) const;

  static std::size_t on_header(char* data, std::size_t size, std::size_t count,
                               void* self) noexcept;
  static std::size_t on_body(char* data, std::size_t size, std::size_t count, void* self) noexcept;

  EasyHandle handle_;
  const HttpRequest& request_;
  const Endpoint& endpoint_;
  Deadline deadline_;
  std::size_t& received_bytes_total_;
  HeldBytes& held_;
  StringList headers_;
  StringList connect_to_;
  Sink sink_;
  char error_text_[CURL_ERROR_SIZE] = {};

  HttpResponse response_;
  std::size_t header_bytes_ = 0;
  std::size_t body_bytes_ = 0;
  bool headed_ = false;
  bool over_limit_ = false;
  std::chrono::steady_clock::time_point begun_;
  std::chrono::steady_clock::time_point last_byte_;
};

}  // namespace shortcircuit
