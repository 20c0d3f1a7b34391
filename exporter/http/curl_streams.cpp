#include "http/curl_streams.h"

#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <condition_variable>
#include <iterator>
#include <mutex>
#include <thread>

#include "base/text.h"
#include "http/curl_raii.h"
#include "http/curl_transfer.h"

namespace shortcircuit {

namespace {

using Clock = std::chrono::steady_clock;

// A peer that vanished sends nothing, as a quiet one does: the kernel asks it.
int notice_dead_peers(void* /*unused*/, curl_socket_t socket, curlsocktype /*purpose*/) noexcept {
  constexpr int quiet_seconds = 10;
  constexpr int between_seconds = 5;
  constexpr int questions = 3;
  const auto set = [socket](int level, int option, int value) {
    // A unix socket has none of these options, and needs none.
    (void)setsockopt(socket, level, option, &value, sizeof value);
  };
  set(SOL_SOCKET, SO_KEEPALIVE, 1);
  set(IPPROTO_TCP, TCP_KEEPIDLE, quiet_seconds);
  set(IPPROTO_TCP, TCP_KEEPINTVL, between_seconds);
  set(IPPROTO_TCP, TCP_KEEPCNT, questions);
  return CURL_SOCKOPT_OK;
}

}  // namespace

// What the thread of the loop and the owner of the streams share. `mutex_` guards every member
// that is not said to belong to the loop.
class StreamLoop {
 public:
  struct Entry {
    // Set before the loop sees it.
    HttpRequest request;
    Deadline open_by;
    Deadline end_by;
    // The loop's.
    HeldBytes held_body;  // of an answer that is no stream
    std::size_t received_bytes = 0;
    std::unique_ptr<Transfer> transfer;
    std::string begun_line;
    // Guarded.
    Stream::Phase phase = Stream::Phase::opening;
    std::vector<std::string> lines;
    std::size_t held_bytes = 0;  // of `lines`
    std::optional<Error> error;
    bool let_go = false;
  };

  explicit StreamLoop(Endpoint endpoint) : endpoint_(std::move(endpoint)) {}

  ~StreamLoop() { shut_down(); }

  void shut_down() {
    if (!thread_.joinable()) return;
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    curl_multi_wakeup(multi_.get());
    thread_.join();
  }

  void add(std::shared_ptr<Entry> entry) {
    try {
      begin_thread();
    } catch (const std::exception& error) {
      const std::lock_guard lock(mutex_);
      entry->phase = Stream::Phase::ended;
      entry->error = Error{Failure::internal, std::string("streams: ") + error.what()};
      return;
    }
    {
      const std::lock_guard lock(mutex_);
      ++opening_;
      added_.push_back(std::move(entry));
    }
    curl_multi_wakeup(multi_.get());
  }

  Stream::Arrived take(Entry& entry) {
    const std::lock_guard lock(mutex_);
    held_bytes_ -= std::exchange(entry.held_bytes, 0);
    return {.phase = entry.phase, .lines = std::exchange(entry.lines, {}), .error = entry.error};
  }

  void let_go(Entry& entry) {
    {
      const std::lock_guard lock(mutex_);
      entry.let_go = true;
      drop_lines(entry);
    }
    curl_multi_wakeup(multi_.get());
  }

  void settle(Deadline deadline, const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    settled_.wait_until(lock, stop, deadline.at, [this] { return opening_ == 0; });
  }

  std::size_t take_received_bytes() {
    const std::lock_guard lock(mutex_);
    return std::exchange(received_bytes_, 0);
  }

 private:
  // The first time, and after it died. Throws when there can be none.
  void begin_thread() {
    {
      const std::lock_guard lock(mutex_);
      if (thread_.joinable() && !dead_) return;
    }
    if (thread_.joinable()) thread_.join();
    multi_.reset(curl_multi_init());
    if (!multi_) throw std::bad_alloc();
    curl_multi_setopt(multi_.get(), CURLMOPT_PIPELINING, static_cast<long>(CURLPIPE_NOTHING));
    dead_ = false;
    thread_ = std::thread([this] { run(); });
  }

  void run() {
    Error reason{Failure::cancelled, "stopped"};
    try {
      turn();
    } catch (const std::exception& error) {
      reason = {Failure::internal, std::string("streams: ") + error.what()};
    }
    {
      const std::lock_guard lock(mutex_);
      std::ranges::move(added_, std::back_inserter(entries_));
      added_.clear();
      dead_ = true;
    }
    while (!entries_.empty()) end(entries_.size() - 1, reason);
  }

  void turn() {
    while (true) {
      {
        const std::lock_guard lock(mutex_);
        if (stopping_) return;
      }
      take_in_added();
      for (std::size_t i = entries_.size(); i-- > 0;) {
        if (was_let_go(*entries_[i])) end(i, Error{Failure::cancelled, "let go"});
      }
      int running = 0;
      const CURLMcode performed = curl_multi_perform(multi_.get(), &running);
      if (performed != CURLM_OK) throw std::runtime_error(curl_multi_strerror(performed));
      collect();
      const auto now = Clock::now();
      const auto rest = std::chrono::ceil<std::chrono::milliseconds>(look_after(now) - now);
      const auto longest = std::clamp<std::chrono::milliseconds>(rest, 1ms, 10s);
      curl_multi_poll(multi_.get(), nullptr, 0, static_cast<int>(longest.count()), nullptr);
    }
  }

  void take_in_added() {
    std::vector<std::shared_ptr<Entry>> added;
    {
      const std::lock_guard lock(mutex_);
      added.swap(added_);
    }
    for (auto& entry : added) {
      entries_.push_back(std::move(entry));
      const auto begun = begin(*entries_.back());
      if (!begun) end(entries_.size() - 1, begun.error());
    }
  }

  Result<void> begin(Entry& entry) {
    EasyHandle handle(curl_easy_init());
    if (!handle) throw std::bad_alloc();
    entry.transfer =
        std::make_unique<Transfer>(std::move(handle), entry.request, endpoint_, entry.end_by,
                                   entry.received_bytes, entry.held_body);
    entry.transfer->follow([this, &entry](std::string_view piece) { return gather(entry, piece); });
    auto prepared = entry.transfer->prepare();
    if (!prepared) return prepared;
    OptionSetter options(entry.transfer->handle());
    options.set(CURLOPT_SOCKOPTFUNCTION, &notice_dead_peers);
    // Packed, a line could wait in the packer for the one after it.
    options.set(CURLOPT_ACCEPT_ENCODING, static_cast<char*>(nullptr));
    // A ca_file that was replaced counts for the next connection.
    options.set(CURLOPT_CA_CACHE_TIMEOUT, 0L);
    options.set(CURLOPT_SSL_SESSIONID_CACHE, 0L);
    if (options.first_failure() != CURLE_OK) {
      return fail(Failure::internal, curl_easy_strerror(options.first_failure()));
    }
    const CURLMcode code = curl_multi_add_handle(multi_.get(), entry.transfer->handle());
    if (code != CURLM_OK) return fail(Failure::internal, curl_multi_strerror(code));
    return {};
  }

  // False when there is more than may wait.
  bool gather(Entry& entry, std::string_view piece) {
    const std::lock_guard lock(mutex_);
    if (entry.let_go) return false;
    open(entry);
    while (!piece.empty()) {
      const auto end_of_line = piece.find('\n');
      entry.begun_line.append(piece.substr(0, end_of_line));
      if (entry.begun_line.size() > Streams::line_limit) return false;
      if (end_of_line == std::string_view::npos) return true;
      piece.remove_prefix(end_of_line + 1);
      if (!keep_line(entry)) return false;
    }
    return true;
  }

  bool keep_line(Entry& entry) {
    std::string line = std::exchange(entry.begun_line, {});
    if (trim(line).empty()) return true;
    if (held_bytes_ + line.size() > Streams::held_limit) return false;
    held_bytes_ += line.size();
    entry.held_bytes += line.size();
    entry.lines.push_back(std::move(line));
    return true;
  }

  void open(Entry& entry) {
    if (entry.phase != Stream::Phase::opening) return;
    entry.phase = Stream::Phase::open;
    if (--opening_ == 0) settled_.notify_all();
  }

  void drop_lines(Entry& entry) {
    held_bytes_ -= std::exchange(entry.held_bytes, 0);
    entry.lines.clear();
  }

  bool was_let_go(const Entry& entry) {
    const std::lock_guard lock(mutex_);
    return entry.let_go;
  }

  void collect() {
    int left = 0;
    while (const CURLMsg* const message = curl_multi_info_read(multi_.get(), &left)) {
      if (message->msg != CURLMSG_DONE) continue;
      const CURLcode code = message->data.result;  // the message dies with remove_handle
      const auto found = std::ranges::find_if(entries_, [&](const auto& entry) {
        return entry->transfer && entry->transfer->handle() == message->easy_handle;
      });
      if (found == entries_.end()) continue;
      const auto response = (*found)->transfer->finish(code);
      std::optional<Error> error;
      if (!response) {
        error = response.error();
      } else if (response->status != 200) {
        const auto refused = expect_success(*response, (*found)->request);
        error = refused ? Error{Failure::status, fmt::format("HTTP {}", response->status),
                                response->status}
                        : refused.error();
      }
      end(static_cast<std::size_t>(found - entries_.begin()), error);
    }
    const std::lock_guard lock(mutex_);
    for (const auto& entry : entries_) {
      received_bytes_ += std::exchange(entry->received_bytes, 0);
      if (entry->transfer->headed_status() == 200) open(*entry);
    }
  }

  // Ends what is overdue; says when to look again.
  Clock::time_point look_after(Clock::time_point now) {
    auto next = now + 10s;
    for (std::size_t i = entries_.size(); i-- > 0;) {
      Transfer& transfer = *entries_[i]->transfer;
      const bool opening = transfer.headed_status() == 0;
      if (const auto late = transfer.overdue(now)) {
        end(i, late->error());
      } else if (opening && now >= entries_[i]->open_by.at) {
        end(i,
            Error{Failure::timeout, shown_url(entries_[i]->request.url) + ": no answer in time"});
      } else {
        next = std::min(next, opening ? entries_[i]->open_by.at : transfer.next_look());
      }
    }
    return next;
  }

  void end(std::size_t index, std::optional<Error> error) {
    const std::shared_ptr<Entry> entry = entries_[index];
    entries_.erase(entries_.begin() + static_cast<std::ptrdiff_t>(index));
    if (entry->transfer) {
      curl_multi_remove_handle(multi_.get(), entry->transfer->handle());
      entry->transfer.reset();
    }
    const std::lock_guard lock(mutex_);
    received_bytes_ += std::exchange(entry->received_bytes, 0);
    if (entry->phase == Stream::Phase::opening && --opening_ == 0) settled_.notify_all();
    entry->phase = Stream::Phase::ended;
    if (entry->let_go) return;
    // The last line of an answer that ended in order may lack its line break.
    if (!error && !keep_line(*entry)) error = Error{Failure::too_large, "too much waits"};
    // What was too much is not kept until somebody asks for it.
    if (error && error->failure == Failure::too_large) drop_lines(*entry);
    entry->error = std::move(error);
  }

  const Endpoint endpoint_;
  MultiHandle multi_;                            // the loop's, but for wakeups
  std::vector<std::shared_ptr<Entry>> entries_;  // the loop's

  std::mutex mutex_;
  std::condition_variable_any settled_;
  bool stopping_ = false;
  bool dead_ = false;  // the thread takes nothing in any more
  std::vector<std::shared_ptr<Entry>> added_;
  std::size_t opening_ = 0;
  std::size_t held_bytes_ = 0;
  std::size_t received_bytes_ = 0;
  std::thread thread_;  // the owner's
};

namespace {

class CurlStream : public Stream {
 public:
  CurlStream(std::shared_ptr<StreamLoop> loop, std::shared_ptr<StreamLoop::Entry> entry)
      : loop_(std::move(loop)), entry_(std::move(entry)) {}
  ~CurlStream() override { loop_->let_go(*entry_); }
  CurlStream(const CurlStream&) = delete;
  CurlStream& operator=(const CurlStream&) = delete;
  Arrived take() override { return loop_->take(*entry_); }

 private:
  std::shared_ptr<StreamLoop> loop_;
  std::shared_ptr<StreamLoop::Entry> entry_;
};

}  // namespace

CurlStreams::CurlStreams(Endpoint endpoint)
    : loop_(std::make_shared<StreamLoop>(std::move(endpoint))) {}

CurlStreams::~CurlStreams() { loop_->shut_down(); }

std::unique_ptr<Stream> CurlStreams::start(HttpRequest request, Deadline open_by, Deadline end_by) {
  auto entry = std::make_shared<StreamLoop::Entry>();
  entry->request = std::move(request);
  entry->open_by = open_by;
  entry->end_by = end_by;
  loop_->add(entry);
  return std::make_unique<CurlStream>(loop_, std::move(entry));
}

void CurlStreams::settle(Deadline deadline, std::stop_token stop) { loop_->settle(deadline, stop); }

std::size_t CurlStreams::take_received_bytes() { return loop_->take_received_bytes(); }

}  // namespace shortcircuit
