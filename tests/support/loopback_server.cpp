#include "support/loopback_server.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <csignal>
#include <cstring>
#include <stdexcept>

namespace shortcircuit::testing {

namespace {

[[noreturn]] void give_up(const std::string& what) {
  throw std::runtime_error("loopback server: " + what + ": " + std::strerror(errno));
}

int listen_on(const ServerOptions& options, int& port) {
  const int family = !options.unix_socket.empty() ? AF_UNIX : options.ipv6 ? AF_INET6 : AF_INET;
  const int socket = ::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (socket < 0) give_up("socket");
  sockaddr_storage storage{};
  socklen_t size = 0;
  if (family == AF_UNIX) {
    auto& address = reinterpret_cast<sockaddr_un&>(storage);
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, options.unix_socket.c_str(), sizeof(address.sun_path) - 1);
    size = sizeof(sockaddr_un);
  } else if (family == AF_INET6) {
    auto& address = reinterpret_cast<sockaddr_in6&>(storage);
    address.sin6_family = AF_INET6;
    address.sin6_addr = in6addr_loopback;
    size = sizeof(sockaddr_in6);
  } else {
    auto& address = reinterpret_cast<sockaddr_in&>(storage);
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    size = sizeof(sockaddr_in);
  }
  if (::bind(socket, reinterpret_cast<sockaddr*>(&storage), size) != 0) give_up("bind");
  if (::listen(socket, 128) != 0) give_up("listen");
  if (family != AF_UNIX) {
    size = sizeof(storage);
    ::getsockname(socket, reinterpret_cast<sockaddr*>(&storage), &size);
    port = ntohs(family == AF_INET6 ? reinterpret_cast<sockaddr_in6&>(storage).sin6_port
                                    : reinterpret_cast<sockaddr_in&>(storage).sin_port);
  }
  return socket;
}

int connect_to(int port) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  if (::connect(socket, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) {
    ::close(socket);
    return -1;
  }
  return socket;
}

std::size_t content_length(const std::string& head) {
  const auto at = head.find("Content-Length: ");
  std::size_t length = 0;
  if (at != std::string::npos) {
    std::from_chars(head.data() + at + 16, head.data() + head.size(), length);
  }
  return length;
}

}  // namespace

long Connection::receive(char* bytes, std::size_t size) {
  if (tls_ == nullptr) return ::recv(socket_, bytes, size, 0);
  return SSL_read(static_cast<SSL*>(tls_), bytes, static_cast<int>(size));
}

std::string Connection::read_request() {
  char bytes[4096];
  while (true) {
    const auto end = unread_.find("\r\n\r\n");
    if (end != std::string::npos) {
      const std::size_t whole = end + 4 + content_length(unread_.substr(0, end + 2));
      if (unread_.size() >= whole) {
        std::string request = unread_.substr(0, whole);
        unread_.erase(0, whole);
        const std::lock_guard lock(server_.mutex_);
        server_.requests_.push_back(request);
        return request;
      }
    }
    const long count = receive(bytes, sizeof(bytes));
    if (count <= 0) return "";
    unread_.append(bytes, static_cast<std::size_t>(count));
  }
}

bool Connection::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const long count = tls_ == nullptr ? ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL)
                                       : SSL_write(static_cast<SSL*>(tls_), bytes.data(),
                                                   static_cast<int>(bytes.size()));
    if (count <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

bool Connection::pause(std::chrono::milliseconds duration) {
  std::unique_lock lock(server_.mutex_);
  return !server_.changed_.wait_for(lock, duration, [&] { return server_.stopping_; });
}

void Connection::hang() {
  char bytes[4096];
  while (receive(bytes, sizeof(bytes)) > 0) {}
}

void Connection::reset() {
  const linger now{1, 0};
  ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
}

void Connection::relay_to(int port) {
  const int other = connect_to(port);
  if (other < 0) return;
  server_.track(other, true);
  pollfd sides[2] = {{socket_, POLLIN, 0}, {other, POLLIN, 0}};
  char bytes[4096];
  bool open = true;
  while (open && ::poll(sides, 2, -1) > 0) {
    for (int i = 0; i < 2 && open; ++i) {
      if (sides[i].revents == 0) continue;
      const long count = ::recv(sides[i].fd, bytes, sizeof(bytes), 0);
      open = count > 0 &&
             ::send(sides[1 - i].fd, bytes, static_cast<std::size_t>(count), MSG_NOSIGNAL) == count;
    }
  }
  server_.track(other, false);
  ::close(other);
}

LoopbackServer::LoopbackServer(Script script, const ServerOptions& options)
    : script_(std::move(script)), options_(options) {
  std::signal(SIGPIPE, SIG_IGN);
  if (options_.tls != nullptr) {
    SSL_CTX* const context = SSL_CTX_new(TLS_server_method());
    tls_context_ = context;
    const TestCertificates& files = *options_.tls;
    if (SSL_CTX_use_certificate_file(context, files.server_cert().c_str(), SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_use_PrivateKey_file(context, files.server_key().c_str(), SSL_FILETYPE_PEM) != 1) {
      give_up("certificate");
    }
    if (options_.want_client_certificate) {
      SSL_CTX_load_verify_locations(context, files.ca().c_str(), nullptr);
      SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    }
  }
  listener_ = listen_on(options_, port_);
  acceptor_ = std::thread([this] { accept_all(); });
}

LoopbackServer::~LoopbackServer() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    ::shutdown(listener_, SHUT_RDWR);
    for (const int socket : live_) ::shutdown(socket, SHUT_RDWR);
  }
  changed_.notify_all();
  acceptor_.join();
  ::close(listener_);
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return open_threads_ == 0; });
  lock.unlock();
  SSL_CTX_free(static_cast<SSL_CTX*>(tls_context_));
}

void LoopbackServer::accept_all() {
  while (true) {
    const int socket = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    const std::lock_guard lock(mutex_);
    if (stopping_ || socket < 0) {
      if (socket >= 0) ::close(socket);
      if (stopping_ || (errno != ECONNABORTED && errno != EINTR)) return;
      continue;
    }
    ++connections_;
    live_.push_back(socket);
    ++open_threads_;
    // Joined by counting: the destructor waits for the last one.
    std::thread([this, socket] { serve(socket); }).detach();
  }
}

void LoopbackServer::serve(int socket) {
  SSL* tls = nullptr;
  bool ready = true;
  if (tls_context_ != nullptr) {
    tls = SSL_new(static_cast<SSL_CTX*>(tls_context_));
    SSL_set_fd(tls, socket);
    ready = SSL_accept(tls) == 1;
  }
  if (ready) {
    Connection connection(*this, socket, tls);
    script_(connection);
    if (tls != nullptr) SSL_shutdown(tls);
  }
  SSL_free(tls);
  track(socket, false);
  ::close(socket);
  const std::lock_guard lock(mutex_);
  --open_threads_;
  changed_.notify_all();
}

void LoopbackServer::track(int socket, bool live) {
  const std::lock_guard lock(mutex_);
  if (live) {
    live_.push_back(socket);
    if (stopping_) ::shutdown(socket, SHUT_RDWR);
  } else {
    std::erase(live_, socket);
  }
}

std::string LoopbackServer::url(std::string_view path) const {
  const std::string_view scheme = options_.tls != nullptr ? "https" : "http";
  if (!options_.unix_socket.empty()) return fmt::format("{}://daemon.internal{}", scheme, path);
  return fmt::format("{}://{}:{}{}", scheme, options_.ipv6 ? "[::1]" : "127.0.0.1", port_, path);
}

std::vector<std::string> LoopbackServer::requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

std::string reply(int status, std::string_view body, std::string_view more_headers) {
  return fmt::format("HTTP/1.1 {} X\r\nContent-Length: {}\r\n{}\r\n{}", status, body.size(),
                     more_headers, body);
}

Script answering(std::function<std::string(const std::string& request)> answer) {
  return [answer = std::move(answer)](Connection& connection) {
    while (true) {
      const std::string request = connection.read_request();
      if (request.empty() || !connection.send(answer(request))) return;
    }
  };
}

Script answering(std::string fixed) {
  return answering([fixed = std::move(fixed)](const std::string&) { return fixed; });
}

Script sending(std::string bytes) {
  return [bytes = std::move(bytes)](Connection& connection) {
    connection.read_request();
    connection.send(bytes);
  };
}

int unused_port() {
  int port = 0;
  ::close(listen_on({}, port));
  return port;
}

}  // namespace shortcircuit::testing
