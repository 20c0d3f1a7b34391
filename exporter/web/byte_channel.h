// The bytes from and to one client, as they are or through TLS. Nothing here waits.
//
// Thread rules: one thread at a time. Ownership: owns the descriptor.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "web/tls.h"

namespace shortcircuit {

class ByteChannel {
 public:
  // `tls` is null for plain bytes, and otherwise outlives the channel. A handshake begins, and
  // memory is taken for it, when the client's first byte is here.
  ByteChannel(int descriptor, TlsServer* tls) : descriptor_(descriptor), tls_server_(tls) {}
  ~ByteChannel();
  ByteChannel(ByteChannel&& other) noexcept;
  ByteChannel& operator=(ByteChannel&&) = delete;

  // After `not_tls` the channel is a plain one, for an answer in plain words.
  Transferred read(char* bytes, std::size_t size);
  // Some of both, the head first. After `not_now` the same has to be given again.
  Transferred write(std::string_view head, std::string_view body);
  // Bytes to read that no event will tell of.
  [[nodiscard]] bool holds_bytes() const { return tls_ && tls_->holds_bytes(); }
  // `usual` is what to wait for when TLS waits for nothing of its own.
  [[nodiscard]] std::uint32_t awaited_events(std::uint32_t usual) const;
  // Nothing will be written any more.
  void end();
  // Takes what the client still sends, and looks at none of it.
  Transferred throw_away();

  [[nodiscard]] int descriptor() const { return descriptor_; }
  // Why TLS broke.
  [[nodiscard]] std::string problem() const { return tls_ ? tls_->problem() : ""; }

 private:
  Transferred begin_tls();

  int descriptor_;
  TlsServer* tls_server_;
  std::unique_ptr<TlsSession> tls_;
};

}  // namespace shortcircuit
