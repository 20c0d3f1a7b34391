// A server on loopback whose behaviour a test scripts byte by byte: half answers, resets, slow
// drips, silence, TLS with or without client certificates, unix sockets.
//
// Every connection runs the script in a thread of its own; the destructor ends them all. Tests
// assert on the test thread only; what a script saw is read through requests().
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "support/test_certificates.h"

namespace shortcircuit::testing {

class LoopbackServer;

// One accepted connection, as a script sees it.
class Connection {
 public:
  // Head and body of the next request; "" when the client is gone.
  std::string read_request();
  // False when the client is gone.
  bool send(std::string_view bytes);
  // Waits; false when the server is being stopped.
  bool pause(std::chrono::milliseconds duration);
  // Until the client closes or the server is stopped.
  void hang();
  // Ends the connection with a TCP reset.
  void reset();
  // Everything between client and this port of loopback, both ways, until one side closes.
  void relay_to(int port);

 private:
  friend class LoopbackServer;
  Connection(LoopbackServer& server, int socket, void* tls)
      : server_(server), socket_(socket), tls_(tls) {}
  long receive(char* bytes, std::size_t size);
  LoopbackServer& server_;
  int socket_;
  void* tls_;  // SSL*, null without TLS
  std::string unread_;
};

using Script = std::function<void(Connection&)>;

struct ServerOptions {
  std::string unix_socket;  // "" = a free TCP port of 127.0.0.1
  bool ipv6 = false;        // … of ::1
  const TestCertificates* tls = nullptr;
  bool want_client_certificate = false;
};

class LoopbackServer {
 public:
  explicit LoopbackServer(Script script, const ServerOptions& options = {});
  ~LoopbackServer();
  LoopbackServer(const LoopbackServer&) = delete;
  LoopbackServer& operator=(const LoopbackServer&) = delete;

  [[nodiscard]] int port() const { return port_; }
  // `http://127.0.0.1:1234/path`.
  [[nodiscard]] std::string url(std::string_view path = "/") const;
  [[nodiscard]] int connections() const { return connections_; }
  // Requests read so far, in order of arrival.
  [[nodiscard]] std::vector<std::string> requests() const;

 private:
  friend class Connection;
  void accept_all();
  void serve(int socket);
  void track(int socket, bool live);

  Script script_;
  ServerOptions options_;
  int listener_ = -1;
  int port_ = 0;
  void* tls_context_ = nullptr;
  std::atomic<int> connections_ = 0;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;
  std::vector<int> live_;
  int open_threads_ = 0;
  std::vector<std::string> requests_;
  std::thread acceptor_;
};

// A whole answer with Content-Length.
std::string reply(int status, std::string_view body, std::string_view more_headers = "");
// Answers every request of a connection with what `answer` makes of it.
Script answering(std::function<std::string(const std::string& request)> answer);
Script answering(std::string fixed);
// Sends these bytes after the first request, then closes.
Script sending(std::string bytes);

// A port of loopback where nobody listens.
int unused_port();

}  // namespace shortcircuit::testing
