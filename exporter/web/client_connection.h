// One client of the connection gate: its channel, what has been read, what is still to be sent.
//
// Every step is non-blocking and says what follows from it; the gate knows the other clients.
// Thread rules: used by the gate's thread alone. Ownership: owns the channel.
#pragma once

#include <sys/socket.h>

#include <chrono>
#include <cstdint>
#include <string>

#include "web/byte_channel.h"
#include "web/connection_gate.h"

namespace shortcircuit {

struct PeerName {
  std::string text;     // `192.0.2.7`, `2001:db8::7`, `unix`
  std::string network;  // what counts as one client: the address, the /64, "" for a unix socket

  static PeerName of(const sockaddr_storage& address, socklen_t size);
};

class ClientConnection {
 public:
  using Clock = std::chrono::steady_clock;
  enum class State {
    reading,  // between requests, or in the middle of a head
    waiting,  // its head is complete, and others come first
    running,  // take_head() has been called, an answer will come
    sending,
    leaving,  // told to go; what it still sends is thrown away, so that it can read the last answer
  };
  enum class Outcome {
    pending,
    head_complete,  // take_head() has a request
    gone,           // to be dropped
  };

  ClientConnection(ByteChannel channel, PeerName peer, const GateLimits& limits,
                   const HeaderLines& header_lines);

  // The descriptor can be read or written.
  Outcome on_ready();
  // Its deadline has passed.
  Outcome on_deadline();
  Outcome send(GateAnswer answer);
  std::string take_head();  // waiting → running

  [[nodiscard]] int descriptor() const { return channel_.descriptor(); }
  [[nodiscard]] const PeerName& peer() const { return peer_; }
  [[nodiscard]] State state() const { return state_; }
  [[nodiscard]] Clock::time_point since() const { return since_; }
  [[nodiscard]] Clock::time_point deadline() const { return deadline_; }
  [[nodiscard]] std::uint32_t wanted_events() const;
  // Bytes of memory that only this client's unsent answer keeps alive.
  [[nodiscard]] std::size_t held_bytes() const;

 private:
  Outcome read_head();
  Outcome find_head(std::size_t from);
  Outcome send_more();
  Outcome leave();
  Outcome after_nothing(NoBytes why);
  Outcome throw_away();
  void enter(State state, Duration time);

  ByteChannel channel_;
  PeerName peer_;
  const GateLimits& limits_;
  const HeaderLines& header_lines_;
  State state_ = State::reading;
  Clock::time_point since_;     // of the state, the head's first byte, the last byte that was taken
  Clock::time_point deadline_;  // max() = none
  Clock::time_point answer_deadline_;
  std::string input_;
  std::size_t head_size_ = 0;
  GateAnswer answer_;
  std::size_t sent_ = 0;
  std::size_t thrown_away_ = 0;
};

}  // namespace shortcircuit
