#include "web/connection_gate.h"

#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <deque>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "base/log.h"
#include "web/client_connection.h"

namespace shortcircuit {
namespace {

constexpr std::uint64_t wake_tag = 0;
constexpr ConnectionGate::Ticket first_ticket = 1'000'000;  // smaller tags are listeners
constexpr auto sweep_interval = std::chrono::milliseconds(100);
constexpr auto recently = std::chrono::seconds(1);
constexpr int accepts_at_once = 16;
constexpr std::size_t events_at_once = 1024;

}  // namespace

GateAnswer refusal(std::string_view status, std::string_view text,
                   const HeaderLines& header_lines) {
  auto body = std::make_shared<const std::string>(text);
  return {fmt::format("HTTP/1.1 {}\r\nContent-Type: text/plain; charset=utf-8\r\n"
                      "Content-Length: {}\r\n{}Connection: close\r\n\r\n",
                      status, body->size(), header_lines ? header_lines() : ""),
          std::move(body), true};
}

class ConnectionGate::Loop {
 public:
  Loop(std::vector<Listener> listeners, const GateLimits& limits, Forward forward,
       std::shared_ptr<TlsServer> tls, HeaderLines header_lines)
      : listeners_(std::move(listeners)),
        limits_(limits),
        forward_(std::move(forward)),
        tls_(std::move(tls)),
        header_lines_(std::move(header_lines)),
        epoll_(epoll_create1(EPOLL_CLOEXEC)),
        wake_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
    watch(wake_, EPOLLIN, wake_tag, EPOLL_CTL_ADD);
    for (std::size_t i = 0; i < listeners_.size(); ++i) {
      watch(listeners_[i].descriptor, EPOLLIN, i + 1, EPOLL_CTL_ADD);
    }
  }
  ~Loop() {
    close(epoll_);
    close(wake_);
  }
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  void start() {
    thread_ = std::thread([this] { run(); });
  }

  void answer(Ticket ticket, GateAnswer answer) {
    {
      const std::lock_guard lock(mutex_);
      answers_.emplace_back(ticket, std::move(answer));
    }
    wake();
  }

  void stop() {
    stopping_ = true;
    wake();
    if (thread_.joinable()) {
      thread_.join();
    } else if (!closing_) {
      close_listeners(listeners_);  // never started
    }
  }

 private:
  using Connections = std::unordered_map<Ticket, ClientConnection>;
  using State = ClientConnection::State;
  using Clock = ClientConnection::Clock;

  void watch(int descriptor, std::uint32_t events, std::uint64_t tag, int operation) const {
    epoll_event event{};
    event.events = events;
    event.data.u64 = tag;
    epoll_ctl(epoll_, operation, descriptor, &event);
  }
  void wake() const {
    const std::uint64_t one = 1;
    (void)!write(wake_, &one, sizeof(one));
  }

  void run() {
    std::vector<epoll_event> events(events_at_once);
    while (!finished()) {
      const int count =
          epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), patience());
      // Clients before new ones: who has left makes room.
      for (int i = 0; i < count; ++i) {
        const auto& event = events[static_cast<std::size_t>(i)];
        if (event.data.u64 >= first_ticket) on_client(event.data.u64, event.events);
      }
      for (int i = 0; i < count; ++i) {
        const auto tag = events[static_cast<std::size_t>(i)].data.u64;
        if (tag == wake_tag) take_answers();
        if (tag != wake_tag && tag < first_ticket) accept_from(listeners_[tag - 1].descriptor);
      }
      if (stopping_ && !closing_) begin_closing();
      start_waiting();
      sweep();
    }
    connections_.clear();
  }

  // Milliseconds until something is due by itself; -1 when nothing is.
  [[nodiscard]] int patience() const {
    if (accept_paused_ || closing_) return static_cast<int>(sweep_interval.count());
    auto first = Clock::time_point::max();
    for (const auto& [ticket, connection] : connections_) {
      first = std::min(first, connection.deadline());
    }
    if (first == Clock::time_point::max()) return -1;
    const auto wait = std::chrono::ceil<std::chrono::milliseconds>(first - Clock::now());
    return static_cast<int>(std::max(wait, sweep_interval).count());
  }

  // Closing: nobody new, and what only waits goes at once.
  void begin_closing() {
    closing_ = true;
    closing_until_ = Clock::now() + std::chrono::duration_cast<Clock::duration>(limits_.stop_time);
    close_listeners(listeners_);
    std::erase_if(connections_, [](const auto& entry) {
      return entry.second.state() == State::reading || entry.second.state() == State::leaving;
    });
  }
  [[nodiscard]] bool finished() const {
    return closing_ && (connections_.empty() || Clock::now() >= closing_until_);
  }

  void accept_from(int listener) {
    for (int i = 0; i < accepts_at_once && !closing_; ++i) {
      sockaddr_storage address{};
      socklen_t size = sizeof(address);
      const int descriptor = accept4(listener, reinterpret_cast<sockaddr*>(&address), &size,
                                     SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (descriptor < 0) {
        if (errno == EINTR || errno == ECONNABORTED) continue;
        const bool lacks =
            errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM;
        if (!lacks) return;  // nobody is waiting, or what the network did to him
        // Out of descriptors or memory: somebody goes, or it is tried again at the next sweep.
        if (!drop_oldest("")) pause_accepting(true);
        return;
      }
      lack_said_ = false;
      admit(ClientConnection(ByteChannel(descriptor, tls_.get()), PeerName::of(address, size),
                             limits_, header_lines_));
    }
  }

  void admit(ClientConnection connection) {
    const std::string& network = connection.peer().network;
    const auto from_there = static_cast<std::size_t>(
        std::count_if(connections_.begin(), connections_.end(),
                      [&](const auto& entry) { return entry.second.peer().network == network; }));
    if (!network.empty() && from_there >= limits_.connections_of_one_address &&
        !drop_oldest(network)) {
      return;
    }
    if (connections_.size() >= limits_.connections && !drop_oldest("")) return;
    const Ticket ticket = next_ticket_++;
    watch(connection.descriptor(), EPOLLIN, ticket, EPOLL_CTL_ADD);
    connections_.emplace(ticket, std::move(connection));
  }

  // Who is closed first when there are too many: whoever waits for its client, then whoever waits
  // for its turn, then whoever takes its answer. Among equals the one that has stood longest.
  static std::pair<int, Clock::time_point> rank(const ClientConnection& connection,
                                                Clock::time_point now) {
    int kind = 0;
    if (connection.state() == State::waiting) kind = 1;
    if (connection.state() == State::sending && now - connection.since() < recently) kind = 2;
    return {kind, connection.since()};
  }

  // Of one network, when it is named. False when each has a request that is being answered.
  bool drop_oldest(std::string_view network) {
    const auto now = Clock::now();
    auto oldest = connections_.end();
    for (auto it = connections_.begin(); it != connections_.end(); ++it) {
      if (it->second.state() == State::running) continue;
      if (!network.empty() && it->second.peer().network != network) continue;
      if (oldest == connections_.end() || rank(it->second, now) < rank(oldest->second, now)) {
        oldest = it;
      }
    }
    if (oldest == connections_.end()) return false;
    connections_.erase(oldest);
    return true;
  }

  void pause_accepting(bool pause) {
    if (pause && !std::exchange(lack_said_, true)) {
      log_warn("no descriptors left, new clients wait");
    }
    accept_paused_ = pause;
    for (std::size_t i = 0; i < listeners_.size() && !closing_; ++i) {
      watch(listeners_[i].descriptor, pause ? 0U : EPOLLIN, i + 1, EPOLL_CTL_MOD);
    }
  }

  void on_client(Ticket ticket, std::uint32_t events) {
    const auto found = connections_.find(ticket);
    if (found == connections_.end()) return;
    // Reset while nothing is read or sent: the answer would reach nobody.
    if ((events & (EPOLLERR | EPOLLHUP)) != 0 && found->second.wanted_events() == 0) {
      connections_.erase(found);
      return;
    }
    settle(found, found->second.on_ready());
  }

  // What follows from a connection's step.
  void settle(Connections::iterator at, ClientConnection::Outcome outcome) {
    using Outcome = ClientConnection::Outcome;
    const bool told_to_go = closing_ && at->second.state() == State::leaving;
    if (outcome == Outcome::gone || told_to_go) {
      connections_.erase(at);
      return;
    }
    if (outcome == Outcome::head_complete) waiting_.push_back(at->first);
    watch(at->second.descriptor(), at->second.wanted_events(), at->first, EPOLL_CTL_MOD);
  }

  void start_waiting() {
    while (running_.size() < limits_.running && !waiting_.empty()) {
      const Ticket ticket = waiting_.front();
      waiting_.pop_front();
      const auto found = connections_.find(ticket);
      if (found == connections_.end()) continue;
      running_.insert(ticket);
      const std::string head = found->second.take_head();
      forward_(ticket, head, found->second.peer().text);
    }
  }

  void take_answers() {
    std::uint64_t count = 0;
    (void)!read(wake_, &count, sizeof(count));
    std::vector<std::pair<Ticket, GateAnswer>> answers;
    {
      const std::lock_guard lock(mutex_);
      answers.swap(answers_);
    }
    for (auto& [ticket, answer] : answers) {
      running_.erase(ticket);
      const auto found = connections_.find(ticket);
      if (found == connections_.end()) continue;
      if (closing_) answer.close = true;
      settle(found, found->second.send(std::move(answer)));
      bound_unsent(ticket);
    }
  }

  // Slow clients must not hold pages without end. Bodies that others hold too cost nothing.
  void bound_unsent(Ticket newest) {
    const auto held = [&] {
      std::size_t bytes = 0;
      for (const auto& [ticket, connection] : connections_) bytes += connection.held_bytes();
      return bytes;
    };
    while (held() > limits_.unsent_bytes) {
      auto oldest = connections_.end();
      for (auto it = connections_.begin(); it != connections_.end(); ++it) {
        if (it->first == newest || it->second.held_bytes() == 0) continue;
        if (oldest == connections_.end() || it->second.since() < oldest->second.since()) {
          oldest = it;
        }
      }
      if (oldest == connections_.end()) return;
      connections_.erase(oldest);
    }
  }

  void sweep() {
    const auto now = Clock::now();
    if (now < next_sweep_) return;
    next_sweep_ = now + sweep_interval;
    if (accept_paused_) pause_accepting(false);
    for (auto it = connections_.begin(); it != connections_.end();) {
      const auto current = it++;
      if (now >= current->second.deadline()) settle(current, current->second.on_deadline());
    }
  }

  std::vector<Listener> listeners_;
  const GateLimits limits_;
  const Forward forward_;
  const std::shared_ptr<TlsServer> tls_;
  const HeaderLines header_lines_;
  const int epoll_;
  const int wake_;
  std::atomic<bool> stopping_{false};
  std::mutex mutex_;
  std::vector<std::pair<Ticket, GateAnswer>> answers_;  // under mutex_

  // Of the gate's thread alone.
  Connections connections_;
  std::deque<Ticket> waiting_;  // complete heads, in the order in which they came
  std::unordered_set<Ticket> running_;
  Ticket next_ticket_ = first_ticket;
  bool accept_paused_ = false;
  bool lack_said_ = false;  // since somebody was let in
  bool closing_ = false;
  Clock::time_point closing_until_;
  Clock::time_point next_sweep_;
  std::thread thread_;
};

ConnectionGate::ConnectionGate(std::vector<Listener> listeners, const GateLimits& limits,
                               Forward forward, std::shared_ptr<TlsServer> tls,
                               HeaderLines header_lines)
    : loop_(std::make_unique<Loop>(std::move(listeners), limits, std::move(forward), std::move(tls),
                                   std::move(header_lines))) {}

ConnectionGate::~ConnectionGate() { stop(); }

void ConnectionGate::start() { loop_->start(); }

void ConnectionGate::answer(Ticket ticket, GateAnswer answer) {
  loop_->answer(ticket, std::move(answer));
}

void ConnectionGate::stop() { loop_->stop(); }

}  // namespace shortcircuit
