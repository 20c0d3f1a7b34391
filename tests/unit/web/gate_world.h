// A gate on loopback before a handler that the test holds back, and a client of it.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <mutex>

#include "support/catch.h"
#include "web/connection_gate.h"

namespace shortcircuit::testing {

class Client {
 public:
  explicit Client(const std::string& address) : socket_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in target{};
    target.sin_family = AF_INET;
    target.sin_port =
        htons(static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1))));
    target.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const timeval patience{60, 0};
    setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    if (connect(socket_, reinterpret_cast<sockaddr*>(&target), sizeof(target)) != 0)
      FAIL("connect");
  }
  ~Client() { close(socket_); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  void send(std::string_view bytes) const {
    (void)::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  }
  // Until the gate closes.
  [[nodiscard]] std::string rest() const {
    std::string all;
    char bytes[65536];
    ssize_t count = 0;
    while ((count = recv(socket_, bytes, sizeof(bytes), 0)) > 0) {
      all.append(bytes, static_cast<std::size_t>(count));
    }
    if (count < 0 && errno == EAGAIN) FAIL("the gate does not close");
    return all;
  }
  [[nodiscard]] int descriptor() const { return socket_; }
  [[nodiscard]] std::string read(std::size_t size) const {
    std::string bytes(size, '\0');
    const auto count = recv(socket_, bytes.data(), size, MSG_WAITALL);
    bytes.resize(count < 0 ? 0 : static_cast<std::size_t>(count));
    return bytes;
  }

 private:
  int socket_;
};

struct Asked {
  ConnectionGate::Ticket ticket;
  std::string head;
  std::string remote;
};

// A gate on a free port of loopback; heads are kept until the test answers them.
class GateWorld {
 public:
  explicit GateWorld(const GateLimits& limits = {}, std::shared_ptr<TlsServer> tls = nullptr) {
    auto listeners = open_listeners({"127.0.0.1:0"});
    address = listeners->front().address;
    gate = std::make_unique<ConnectionGate>(
        std::move(*listeners), limits,
        [this](auto ticket, std::string_view head, const std::string& remote) {
          if (answers_at_once) {
            answer({ticket, std::string(head), remote}, true);
            return;
          }
          const std::lock_guard lock(mutex_);
          asked_.push_back({ticket, std::string(head), remote});
          changed_.notify_all();
        },
        std::move(tls));
    gate->start();
  }
  Asked next() {
    std::unique_lock lock(mutex_);
    if (!changed_.wait_for(lock, std::chrono::seconds(60), [&] { return !asked_.empty(); }))
      FAIL("no request");
    Asked first = asked_.front();
    asked_.erase(asked_.begin());
    return first;
  }
  std::size_t waiting() {
    const std::lock_guard lock(mutex_);
    return asked_.size();
  }
  void answer(const Asked& asked, bool close = false) const {
    gate->answer(asked.ticket, {"ok:" + asked.head.substr(0, 1), nullptr, close});
  }

  std::string address;
  std::atomic<bool> answers_at_once{false};  // and closes
  std::unique_ptr<ConnectionGate> gate;

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Asked> asked_;
};

}  // namespace shortcircuit::testing
