#include "web/byte_channel.h"

#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace shortcircuit {
namespace {

constexpr std::size_t tls_record_bytes = 16 * 1024;
constexpr char handshake_record = 0x16;  // RFC 8446, 5.1

Transferred received(ssize_t count) {
  if (count > 0) return static_cast<std::size_t>(count);
  const bool later = count < 0 && (errno == EAGAIN || errno == EINTR);
  return std::unexpected(later ? NoBytes::not_now : NoBytes::gone);
}

Transferred send_plain(int descriptor, std::string_view head, std::string_view body) {
  // sendmsg() only reads; iovec has no const form.
  iovec parts[2] = {{const_cast<char*>(head.data()), head.size()},
                    {const_cast<char*>(body.data()), body.size()}};
  msghdr message{};
  message.msg_iov = parts;
  message.msg_iovlen = 2;
  while (true) {
    const auto count = sendmsg(descriptor, &message, MSG_NOSIGNAL);
    if (count >= 0) return static_cast<std::size_t>(count);
    if (errno == EINTR) continue;
    return std::unexpected(errno == EAGAIN ? NoBytes::not_now : NoBytes::gone);
  }
}

}  // namespace

ByteChannel::~ByteChannel() {
  tls_.reset();  // it says goodbye
  if (descriptor_ >= 0) close(descriptor_);
}

ByteChannel::ByteChannel(ByteChannel&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)),
      tls_server_(other.tls_server_),
      tls_(std::move(other.tls_)) {}

std::uint32_t ByteChannel::awaited_events(std::uint32_t usual) const {
  const std::uint32_t own = tls_ ? tls_->awaited_events() : 0;
  return own != 0 ? own : usual;
}

Transferred ByteChannel::begin_tls() {
  char first = 0;
  const auto peeked = received(recv(descriptor_, &first, 1, MSG_PEEK));
  if (!peeked) return peeked;
  if (first != handshake_record) {
    tls_server_ = nullptr;
    return std::unexpected(NoBytes::not_tls);
  }
  tls_ = tls_server_->session(descriptor_);
  if (!tls_) return std::unexpected(NoBytes::gone);
  return peeked;
}

Transferred ByteChannel::read(char* bytes, std::size_t size) {
  if (tls_server_ == nullptr) return received(recv(descriptor_, bytes, size, 0));
  if (!tls_) {
    if (auto begun = begin_tls(); !begun) return begun;
  }
  return tls_->read(bytes, size);
}

Transferred ByteChannel::write(std::string_view head, std::string_view body) {
  if (!tls_) return send_plain(descriptor_, head, body);
  if (head.empty()) return tls_->write(body.data(), body.size());
  // One record for both, when they fit: a scrape's head is short.
  char record[tls_record_bytes];
  const std::size_t of_head = std::min(head.size(), sizeof(record));
  const std::size_t of_body = std::min(body.size(), sizeof(record) - of_head);
  std::memcpy(record, head.data(), of_head);
  if (of_body > 0) std::memcpy(record + of_head, body.data(), of_body);
  return tls_->write(record, of_head + of_body);
}

void ByteChannel::end() {
  if (tls_) tls_->end();
  shutdown(descriptor_, SHUT_WR);
}

Transferred ByteChannel::throw_away() {
  char bytes[4096];
  return received(recv(descriptor_, bytes, sizeof(bytes), 0));
}

}  // namespace shortcircuit
