#include "web/client_connection.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "web/request_head.h"

namespace shortcircuit {
namespace {

constexpr std::size_t most_thrown_away = 64 * 1024;
// How much of an answer the kernel may keep for one client before it is taken.
constexpr int kernel_unsent_bytes = 256 * 1024;

ClientConnection::Clock::time_point after(ClientConnection::Clock::time_point start,
                                          Duration time) {
  return start + std::chrono::duration_cast<ClientConnection::Clock::duration>(time);
}

}  // namespace

PeerName PeerName::of(const sockaddr_storage& address, socklen_t size) {
  char text[INET6_ADDRSTRLEN] = "";
  if (size >= sizeof(sockaddr_in) && address.ss_family == AF_INET) {
    const auto* v4 = reinterpret_cast<const sockaddr_in*>(&address);
    inet_ntop(AF_INET, &v4->sin_addr, text, sizeof(text));
    return {text, text};
  }
  if (size >= sizeof(sockaddr_in6) && address.ss_family == AF_INET6) {
    const auto* v6 = reinterpret_cast<const sockaddr_in6*>(&address);
    if (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr)) {
      inet_ntop(AF_INET, &v6->sin6_addr.s6_addr[12], text, sizeof(text));
      return {text, text};
    }
    inet_ntop(AF_INET6, &v6->sin6_addr, text, sizeof(text));
    constexpr std::size_t prefix_bytes = 8;
    return {text, std::string(reinterpret_cast<const char*>(v6->sin6_addr.s6_addr), prefix_bytes)};
  }
  return {"unix", ""};
}

ClientConnection::ClientConnection(ByteChannel channel, PeerName peer, const GateLimits& limits,
                                   const HeaderLines& header_lines)
    : channel_(std::move(channel)),
      peer_(std::move(peer)),
      limits_(limits),
      header_lines_(header_lines) {
  if (!peer_.network.empty()) {
    const int on = 1;
    setsockopt(descriptor(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    setsockopt(descriptor(), IPPROTO_TCP, TCP_NOTSENT_LOWAT, &kernel_unsent_bytes,
               sizeof(kernel_unsent_bytes));
  }
  enter(State::reading, limits_.head_time);
}

void ClientConnection::enter(State state, Duration time) {
  state_ = state;
  since_ = Clock::now();
  deadline_ = after(since_, time);
}

std::uint32_t ClientConnection::wanted_events() const {
  switch (state_) {
    case State::reading: return channel_.awaited_events(EPOLLIN);
    case State::sending: return channel_.awaited_events(EPOLLOUT);
    case State::leaving: return EPOLLIN;
    case State::waiting:
    case State::running: return 0;
  }
  return 0;
}

std::size_t ClientConnection::held_bytes() const {
  return state_ == State::sending && answer_.body.use_count() == 1 ? answer_.body->size() : 0;
}

ClientConnection::Outcome ClientConnection::on_ready() {
  switch (state_) {
    case State::reading: return read_head();
    case State::sending: return send_more();
    case State::leaving: return throw_away();
    case State::waiting:
    case State::running: return Outcome::pending;
  }
  return Outcome::gone;
}

ClientConnection::Outcome ClientConnection::on_deadline() {
  if (state_ != State::reading || input_.empty()) return Outcome::gone;
  return send(
      refusal("408 Request Timeout", "The request took too long to arrive.\n", header_lines_));
}

ClientConnection::Outcome ClientConnection::read_head() {
  Outcome outcome = Outcome::pending;
  do {
    char bytes[4096];
    const std::size_t room = limits_.head_bytes - input_.size();
    const Transferred count = channel_.read(bytes, std::min(sizeof(bytes), room));
    if (!count) return after_nothing(count.error());
    if (input_.empty()) enter(State::reading, limits_.head_time);
    const std::size_t from = input_.size() < 3 ? 0 : input_.size() - 3;
    input_.append(bytes, *count);
    outcome = find_head(from);
  } while (outcome == Outcome::pending && state_ == State::reading && channel_.holds_bytes());
  return outcome;
}

ClientConnection::Outcome ClientConnection::find_head(std::size_t from) {
  const auto end = end_of_head(input_, from);
  if (end != std::string::npos) {
    head_size_ = end;
    enter(State::waiting, {});
    deadline_ = Clock::time_point::max();
    return Outcome::head_complete;
  }
  if (input_.size() < limits_.head_bytes) return Outcome::pending;
  return send(refusal("431 Request Header Fields Too Large", "The request's head is too long.\n",
                      header_lines_));
}

std::string ClientConnection::take_head() {
  state_ = State::running;
  std::string head = input_.substr(0, head_size_);
  input_.erase(0, head_size_);
  return head;
}

ClientConnection::Outcome ClientConnection::send(GateAnswer answer) {
  answer_ = std::move(answer);
  sent_ = 0;
  enter(State::sending, limits_.stall_time);
  answer_deadline_ = after(since_, limits_.answer_time);
  return send_more();
}

ClientConnection::Outcome ClientConnection::send_more() {
  const std::size_t body_size = answer_.body ? answer_.body->size() : 0;
  const std::size_t total = answer_.head.size() + body_size;
  while (sent_ < total) {
    const std::size_t head_sent = std::min(sent_, answer_.head.size());
    const std::string_view body = answer_.body ? std::string_view(*answer_.body) : "";
    const Transferred count = channel_.write(std::string_view(answer_.head).substr(head_sent),
                                             body.substr(sent_ - head_sent));
    if (!count) return after_nothing(count.error());
    sent_ += *count;
    enter(State::sending, limits_.stall_time);
    deadline_ = std::min(deadline_, answer_deadline_);
  }
  const bool last = answer_.close;
  answer_ = {};
  if (last) return leave();
  enter(State::reading, input_.empty() ? limits_.idle_time : limits_.head_time);
  const Outcome outcome = input_.empty() ? Outcome::pending : find_head(0);
  const bool more = outcome == Outcome::pending && state_ == State::reading;
  return more && channel_.holds_bytes() ? read_head() : outcome;
}

ClientConnection::Outcome ClientConnection::leave() {
  input_.clear();
  channel_.end();
  enter(State::leaving, limits_.linger_time);
  return Outcome::pending;
}

ClientConnection::Outcome ClientConnection::after_nothing(NoBytes why) {
  switch (why) {
    case NoBytes::not_now: return Outcome::pending;
    case NoBytes::gone: return Outcome::gone;
    case NoBytes::not_tls:
      // Without the headers: Strict-Transport-Security has no place in plain text (RFC 6797, 7.2).
      return send(
          refusal("400 Bad Request", "Client sent an HTTP request to an HTTPS server.\n", nullptr));
    case NoBytes::broken:
      log_debug("TLS with a client broke", {{"client", peer_.text}, {"error", channel_.problem()}});
      return leave();  // it reads why
  }
  return Outcome::gone;
}

ClientConnection::Outcome ClientConnection::throw_away() {
  const Transferred count = channel_.throw_away();
  if (!count) return after_nothing(count.error());
  thrown_away_ += *count;
  return thrown_away_ > most_thrown_away ? Outcome::gone : Outcome::pending;
}

}  // namespace shortcircuit
