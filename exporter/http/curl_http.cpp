#include "http/curl_http.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <filesystem>
#include <optional>

#include "base/text.h"
#include "http/curl_raii.h"
#include "http/curl_streams.h"
#include "http/curl_transfer.h"
#include "http/dns_lookup.h"
#include "http/pauses.h"

namespace shortcircuit {

namespace {

using Clock = std::chrono::steady_clock;

// What tells two contents of a file apart without reading it; an absent file has its own.
struct FileMark {
  time_t seconds = 0;
  long nanoseconds = 0;
  ino_t inode = 0;
  off_t size = -1;
  bool operator==(const FileMark&) const = default;
};

FileMark mark_of(const std::string& path) {
  struct stat facts{};
  if (path.empty() || stat(path.c_str(), &facts) != 0) return {};
  return {facts.st_mtim.tv_sec, facts.st_mtim.tv_nsec, facts.st_ino, facts.st_size};
}

class CurlHttp : public Http {
 public:
  explicit CurlHttp(Endpoint endpoint) : endpoint_(std::move(endpoint)) {
    constexpr std::string_view scheme = "dns://";
    if (endpoint_.url.starts_with(scheme)) dns_servers_ = endpoint_.url.substr(scheme.size());
  }

  std::vector<Result<HttpResponse>> fetch(std::span<const HttpRequest> requests, Deadline deadline,
                                          std::stop_token stop) override;

  std::size_t take_received_bytes() override {
    return std::exchange(received_bytes_, 0) + (streams_ ? streams_->take_received_bytes() : 0);
  }

  Streams* streams() override {
    if (!streams_) streams_ = std::make_unique<CurlStreams>(endpoint_);
    return streams_.get();
  }

 private:
  class Round;

  // Pooled connections were made with the certificates of then.
  void renew_connections() {
    const std::array marks{mark_of(endpoint_.tls.ca_file), mark_of(endpoint_.tls.cert_file),
                           mark_of(endpoint_.tls.key_file)};
    if (multi_ && marks == marks_) return;
    marks_ = marks;
    idle_.clear();
    multi_.reset(curl_multi_init());
    if (!multi_) throw std::bad_alloc();
    curl_multi_setopt(multi_.get(), CURLMOPT_PIPELINING, static_cast<long>(CURLPIPE_NOTHING));
    curl_multi_setopt(multi_.get(), CURLMOPT_MAX_TOTAL_CONNECTIONS, 256L);
    curl_multi_setopt(multi_.get(), CURLMOPT_MAXCONNECTS, 32L);
  }

  EasyHandle take_handle() {
    if (!idle_.empty()) {
      EasyHandle handle = std::move(idle_.back());
      idle_.pop_back();
      return handle;
    }
    EasyHandle handle(curl_easy_init());
    if (!handle) throw std::bad_alloc();
    return handle;
  }

  void give_back(EasyHandle handle) {
    constexpr std::size_t most_idle = 32;
    if (!handle || idle_.size() >= most_idle) return;
    curl_easy_reset(handle.get());
    idle_.push_back(std::move(handle));
  }

  Endpoint endpoint_;
  std::string dns_servers_;
  std::size_t received_bytes_ = 0;
  std::array<FileMark, 3> marks_;
  Pauses pauses_;
  MultiHandle multi_;             // holds the pooled connections
  std::vector<EasyHandle> idle_;  // freed before multi_
  std::unique_ptr<CurlStreams> streams_;
};

// One call of fetch().
class CurlHttp::Round {
 public:
  Round(CurlHttp& http, std::span<const HttpRequest> requests, Deadline deadline,
        std::stop_token stop)
      : http_(http),
        requests_(requests),
        deadline_(deadline),
        stop_(std::move(stop)),
        dns_(http.dns_servers_),
        transfers_(requests.size()),
        results_(requests.size()) {}

  ~Round() {
    for (auto& transfer : transfers_) {
      if (transfer) curl_multi_remove_handle(http_.multi_.get(), transfer->handle());
    }
  }

  std::vector<Result<HttpResponse>> run() {
    http_.renew_connections();
    for (std::size_t i = 0; i < requests_.size(); ++i) start(i);
    wait();
    std::vector<Result<HttpResponse>> results;
    results.reserve(results_.size());
    for (std::size_t i = 0; i < results_.size(); ++i) {
      results.push_back(results_[i] ? std::move(*results_[i]) : unfinished(i));
    }
    return results;
  }

 private:
  Result<HttpResponse> read_local(const HttpRequest& request) {
    const std::string path = request.url.substr(std::string_view("file:").size());
    std::error_code unknown;
    if (std::filesystem::exists(path, unknown) &&
        !std::filesystem::is_regular_file(path, unknown)) {
      return fail(Failure::connect, path + ": want a file that can be read at once");
    }
    auto body = read_file(path);
    if (!body) return fail(Failure::connect, body.error().message);
    if (body->size() > request.body_limit) {
      return fail(Failure::too_large,
                  fmt::format("{}: more than {} bytes", path, request.body_limit));
    }
    http_.received_bytes_ += body->size();
    return HttpResponse{.status = 200, .body = std::move(*body), .headers = {}};
  }

  void start(std::size_t index) {
    const HttpRequest& request = requests_[index];
    if (stop_.stop_requested()) return;
    if (deadline_.remaining() <= Duration::zero()) {
      results_[index] = fail(Failure::timeout,
                             shown_url(request.url) + ": the deadline passed before the request");
      return;
    }
    if (request.url.starts_with("dns:")) {
      dns_.add(index, request);
      return;
    }
    if (request.url.starts_with("file:")) {
      results_[index] = read_local(request);
      return;
    }
    if (const auto status = http_.pauses_.status_of(shown_url(request.url), Clock::now())) {
      results_[index] = fail(Failure::status,
                             fmt::format("{}: HTTP {}, and the server asked to wait (Retry-After)",
                                         shown_url(request.url), *status),
                             *status);
      return;
    }
    auto transfer = std::make_unique<Transfer>(http_.take_handle(), request, http_.endpoint_,
                                               deadline_, http_.received_bytes_, held_);
    const auto prepared = transfer->prepare();
    if (!prepared) {
      results_[index] = std::unexpected(prepared.error());
      http_.give_back(transfer->release());
      return;
    }
    const CURLMcode code = curl_multi_add_handle(http_.multi_.get(), transfer->handle());
    if (code != CURLM_OK) {
      results_[index] = fail(Failure::internal, curl_multi_strerror(code));
      return;
    }
    transfers_[index] = std::move(transfer);
    ++open_transfers_;
  }

  void wait() {
    CURLM* const multi = http_.multi_.get();
    const std::stop_callback wake(stop_, [multi] { curl_multi_wakeup(multi); });
    while (!stop_.stop_requested()) {
      int running = 0;
      if (curl_multi_perform(multi, &running) != CURLM_OK) return;
      collect();
      const auto now = Clock::now();
      const auto next = expire(now);
      if (open_transfers_ == 0 && (dns_.idle() || now >= deadline_.at)) return;
      const auto rest = std::chrono::ceil<std::chrono::milliseconds>(next - now);
      const auto longest = dns_.longest_wait(std::clamp(rest, 1ms, 1000ms));
      auto sockets = dns_.sockets();
      if (poll(sockets, longest) != CURLM_OK) return;
      dns_.process(sockets);
    }
  }

  // Waits for the transfers' sockets, for `others`, or for curl_multi_wakeup().
  CURLMcode poll(std::vector<pollfd>& others, std::chrono::milliseconds longest) const {
    constexpr std::array pairs{std::pair(POLLIN, CURL_WAIT_POLLIN),
                               std::pair(POLLOUT, CURL_WAIT_POLLOUT)};
    std::vector<curl_waitfd> watched;
    for (const pollfd& other : others) {
      curl_waitfd& added = watched.emplace_back(curl_waitfd{other.fd, 0, 0});
      for (const auto& [event, curl_event] : pairs) {
        if ((other.events & event) != 0) added.events |= static_cast<short>(curl_event);
      }
    }
    const CURLMcode code =
        curl_multi_poll(http_.multi_.get(), watched.data(), static_cast<unsigned>(watched.size()),
                        static_cast<int>(longest.count()), nullptr);
    for (std::size_t i = 0; i < watched.size(); ++i) {
      for (const auto& [event, curl_event] : pairs) {
        if ((watched[i].revents & curl_event) != 0) others[i].revents |= static_cast<short>(event);
      }
    }
    return code;
  }

  void collect() {
    int left = 0;
    while (const CURLMsg* const message = curl_multi_info_read(http_.multi_.get(), &left)) {
      if (message->msg != CURLMSG_DONE) continue;
      void* owner = nullptr;
      curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &owner);
      const CURLcode code = message->data.result;  // the message dies with remove_handle
      const auto found = std::ranges::find_if(
          transfers_, [&](const auto& transfer) { return transfer.get() == owner; });
      if (found != transfers_.end() && *found) {
        const auto index = static_cast<std::size_t>(found - transfers_.begin());
        auto result = (*found)->finish(code);
        if (result) {
          http_.pauses_.take(shown_url(requests_[index].url), result->status,
                             (*found)->retry_after(), Clock::now());
        }
        end(index, std::move(result));
      }
    }
    for (auto& [index, result] : dns_.take_finished()) {
      if (result) http_.received_bytes_ += result->body.size();
      results_[index] = std::move(result);
    }
  }

  // Ends what is overdue; says when to look again.
  Clock::time_point expire(Clock::time_point now) {
    auto next = deadline_.at;
    for (std::size_t i = 0; i < transfers_.size(); ++i) {
      if (!transfers_[i]) continue;
      if (auto result = transfers_[i]->overdue(now)) {
        end(i, std::move(*result));
      } else {
        next = std::min(next, transfers_[i]->next_look());
      }
    }
    return next;
  }

  void end(std::size_t index, Result<HttpResponse> result) {
    results_[index] = std::move(result);
    curl_multi_remove_handle(http_.multi_.get(), transfers_[index]->handle());
    http_.give_back(transfers_[index]->release());
    transfers_[index].reset();
    --open_transfers_;
  }

  [[nodiscard]] Result<HttpResponse> unfinished(std::size_t index) const {
    const std::string place = shown_url(requests_[index].url);
    if (stop_.stop_requested()) return fail(Failure::cancelled, place + ": stopped");
    if (deadline_.remaining() <= Duration::zero()) {
      return fail(Failure::timeout, place + ": no answer before the deadline");
    }
    return fail(Failure::internal, place + ": the transfer was given up");
  }

  CurlHttp& http_;
  std::span<const HttpRequest> requests_;
  Deadline deadline_;
  std::stop_token stop_;
  DnsLookup dns_;
  HeldBytes held_;
  std::vector<std::unique_ptr<Transfer>> transfers_;
  std::vector<std::optional<Result<HttpResponse>>> results_;
  std::size_t open_transfers_ = 0;
};

std::vector<Result<HttpResponse>> CurlHttp::fetch(std::span<const HttpRequest> requests,
                                                  Deadline deadline, std::stop_token stop) {
  try {
    return Round(*this, requests, deadline, std::move(stop)).run();
  } catch (const std::exception& error) {
    const Result<HttpResponse> failed =
        fail(Failure::internal, std::string("http: ") + error.what());
    return std::vector<Result<HttpResponse>>(requests.size(), failed);
  }
}

}  // namespace

std::unique_ptr<Http> make_curl_http(Endpoint endpoint) {
  return std::make_unique<CurlHttp>(std::move(endpoint));
}

void set_up_network() {
  // A peer that closes while TLS writes must not end the process.
  std::signal(SIGPIPE, SIG_IGN);
  curl_global_init(CURL_GLOBAL_DEFAULT);
  DnsLookup::set_up();
}

void tear_down_network() {
  DnsLookup::tear_down();
  curl_global_cleanup();
}

}  // namespace shortcircuit
