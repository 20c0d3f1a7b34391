#include "web/client_connection.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

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

ClientConnection::ClientConnection(int descriptor, PeerName peer, const GateLimits& limits)
    : descriptor_(descriptor), peer_(std::move(peer)), limits_(limits) {
  if (!peer_.network.empty()) {
    const int on = 1;
    setsockopt(descriptor_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    setsockopt(descriptor_, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &kernel_unsent_bytes,
               sizeof(kernel_unsent_bytes));
  }
  enter(State::reading, limits_.head_time);
}

ClientConnection::~ClientConnection() {
  if (descriptor_ >= 0) close(descriptor_);
}

ClientConnection::ClientConnection(ClientConnection&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)),
      peer_(std::move(other.peer_)),
      limits_(other.limits_),
      state_(other.state_),
      since_(other.since_),
      deadline_(other.deadline_),
      answer_deadline_(other.answer_deadline_),
      input_(std::move(other.input_)),
      head_size_(other.head_size_),
      answer_(std::move(other.answer_)),
      sent_(other.sent_),
      thrown_away_(other.thrown_away_) {}

void ClientConnection::enter(State state, Duration time) {
  state_ = state;
  since_ = Clock::now();
  deadline_ = after(since_, time);
}

std::uint32_t ClientConnection::wanted_events() const {
  switch (state_) {
    case State::reading:
    case State::leaving: return EPOLLIN;
    case State::sending: return EPOLLOUT;
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
  return send(refusal("408 Request Timeout", "The request took too long to arrive.\n"));
}

ClientConnection::Outcome ClientConnection::read_head() {
  char bytes[4096];
  const std::size_t room = limits_.head_bytes - input_.size();
  const auto count = recv(descriptor_, bytes, std::min(sizeof(bytes), room), 0);
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return Outcome::pending;
  if (count <= 0) return Outcome::gone;
  if (input_.empty()) enter(State::reading, limits_.head_time);
  const std::size_t from = input_.size() < 3 ? 0 : input_.size() - 3;
  input_.append(bytes, static_cast<std::size_t>(count));
  return find_head(from);
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
  return send(refusal("431 Request Header Fields Too Large", "The request's head is too long.\n"));
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
    const std::size_t body_sent = sent_ - head_sent;
    // sendmsg() only reads; iovec has no const form.
    iovec parts[2] = {
        {answer_.head.data() + head_sent, answer_.head.size() - head_sent},
        {body_size > 0 ? const_cast<char*>(answer_.body->data()) + body_sent : nullptr,
         body_size - body_sent}};
    msghdr message{};
    message.msg_iov = parts;
    message.msg_iovlen = 2;
    const auto count = sendmsg(descriptor_, &message, MSG_NOSIGNAL);
    if (count < 0) {
      if (errno == EINTR) continue;
      return errno == EAGAIN ? Outcome::pending : Outcome::gone;
    }
    sent_ += static_cast<std::size_t>(count);
    enter(State::sending, limits_.stall_time);
    deadline_ = std::min(deadline_, answer_deadline_);
  }
  const bool last = answer_.close;
  answer_ = {};
  if (last) {
    input_.clear();
    shutdown(descriptor_, SHUT_WR);
    enter(State::leaving, limits_.linger_time);
    return Outcome::pending;
  }
  enter(State::reading, input_.empty() ? limits_.idle_time : limits_.head_time);
  return input_.empty() ? Outcome::pending : find_head(0);
}

ClientConnection::Outcome ClientConnection::throw_away() {
  char bytes[4096];
  const auto count = recv(descriptor_, bytes, sizeof(bytes), 0);
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return Outcome::pending;
  if (count <= 0) return Outcome::gone;
  thrown_away_ += static_cast<std::size_t>(count);
  return thrown_away_ > most_thrown_away ? Outcome::gone : Outcome::pending;
}

}  // namespace shortcircuit
