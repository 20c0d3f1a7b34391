// Stands between the clients and the HTTP server, so that no client can keep a thread of it.
//
// civetweb gives every connection a thread until it ends, so a few idle clients stop every scrape.
// The gate keeps all connections in one thread instead: it accepts, reads until a request's head is
// complete, hands that on, and sends the answer as the client takes it. A client that is idle,
// slow or silent costs a descriptor and a few hundred bytes. When there are too many, the one that
// has stood longest is closed, so a new client always gets in. It knows nothing of HTTP but where
// a head ends: requests with bodies must be answered with `close`. TLS, when it is asked for,
// begins and ends here: a handshake counts as part of a head.
//
// Thread rules: answer() from any thread; the rest from the thread that owns the gate.
// `forward` is called on the gate's own thread and must not block.
// Ownership: the gate closes the listeners and every connection.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "web/listen_address.h"
#include "web/tls.h"

namespace shortcircuit {

struct GateLimits {
  std::size_t connections = 512;
  std::size_t connections_of_one_address = 256;  // of one /64 with IPv6; unix sockets: no limit
  std::size_t running = 8;                       // requests that are being answered
  std::size_t head_bytes = 16 * 1024;
  std::size_t unsent_bytes = 8 * 1024 * 1024;  // of bodies that only the gate still holds
  Duration head_time = 5s;     // from a request's first byte, or from the accept, to its last
  Duration idle_time = 120s;   // between two requests
  Duration stall_time = 10s;   // without taking a byte of an answer
  Duration answer_time = 60s;  // to take a whole answer
  Duration linger_time = 1s;   // for a client that is told to go
  Duration stop_time = 1s;     // for answers under way when the gate stops
};

struct GateAnswer {
  std::string head;                         // status line and headers, with the empty line
  std::shared_ptr<const std::string> body;  // may be null
  bool close = false;                       // the connection ends after it
};

// Headers that every answer has, each with its line end. Called from several threads at once.
using HeaderLines = std::function<std::string()>;

// A whole answer without a page, that ends the connection.
GateAnswer refusal(std::string_view status, std::string_view text, const HeaderLines& header_lines);

class ConnectionGate {
 public:
  using Ticket = std::uint64_t;
  // A complete head of a request. Each ticket is answered once.
  using Forward =
      std::function<void(Ticket ticket, std::string_view head, const std::string& remote_address)>;

  // `tls` may be null. `header_lines` are for what the gate answers itself; may be empty.
  ConnectionGate(std::vector<Listener> listeners, const GateLimits& limits, Forward forward,
                 std::shared_ptr<TlsServer> tls = nullptr, HeaderLines header_lines = nullptr);
  ~ConnectionGate();
  ConnectionGate(const ConnectionGate&) = delete;
  ConnectionGate& operator=(const ConnectionGate&) = delete;

  // The first client may come before this returns.
  void start();
  // What the client of this ticket gets; nothing happens when it has gone.
  void answer(Ticket ticket, GateAnswer answer);
  // Listens no more, sends what is under way, closes everything.
  void stop();

 private:
  class Loop;
  std::unique_ptr<Loop> loop_;
};

}  // namespace shortcircuit
