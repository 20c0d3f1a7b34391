// TLS for the clients of the gate, without ever waiting. tls.cpp alone sees OpenSSL.
//
// A TlsServer has what new connections get: certificate, key, whose clients. For each of them it
// reads the web configuration and the files named there again, so a renewed certificate counts at
// once. A file that is broken then does not count: the last that worked stays, and the log says so
// once.
// (A mistake in the web configuration closes access besides: web/access.h.)
// Thread rules: one thread at a time. Messages name files, never what a key file holds.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "web/tls_server_settings.h"

struct ssl_st;  // OpenSSL's SSL

namespace shortcircuit {

// What connections have in common. Not changed once it is made.
struct TlsContext;
// `files`: cert_file, key_file and client_ca_file, as they were read. Failure::tls names the file
// and what is wrong with it.
Result<std::shared_ptr<const TlsContext>> make_tls_context(
    const TlsServerSettings& settings, const std::vector<Result<std::string>>& files);

// Why no byte went through.
enum class NoBytes {
  not_now,  // the descriptor has to become ready first
  gone,     // the client has left
  broken,   // no TLS, or not the client that is asked for; it has been told, as far as it listens
  not_tls,  // the first byte of a connection begins no handshake; nothing has been read
};
using Transferred = std::expected<std::size_t, NoBytes>;

// One connection; the first read() begins the handshake. Borrows the descriptor, which must not
// block.
class TlsSession {
 public:
  TlsSession(std::shared_ptr<const TlsContext> context, int descriptor);
  ~TlsSession();
  TlsSession(const TlsSession&) = delete;
  TlsSession& operator=(const TlsSession&) = delete;

  Transferred read(char* bytes, std::size_t size);
  // Some of the bytes, from the first on. After `not_now` the same ones have to be given again.
  Transferred write(const char* bytes, std::size_t size);
  // Bytes that have left the descriptor, but have not been read: no event will tell of them.
  [[nodiscard]] bool holds_bytes() const;
  // What the last step waits for: EPOLLIN, EPOLLOUT; 0 when it waits for nothing.
  [[nodiscard]] std::uint32_t awaited_events() const { return awaited_events_; }
  // Why it broke.
  [[nodiscard]] const std::string& problem() const { return problem_; }
  // Tells the client that nothing more comes, if that can be said now.
  void end();

 private:
  Transferred after_step(int returned, std::size_t count);

  struct Free {
    void operator()(ssl_st* ssl) const;
  };
  const std::shared_ptr<const TlsContext> context_;
  int descriptor_;  // ssl_ points there
  const std::unique_ptr<ssl_st, Free> ssl_;
  std::uint32_t awaited_events_ = 0;
  std::string problem_;
  bool usable_ = true;
};

class TlsServer {
 public:
  // Null when the path is "" or the file is without tls_server_config. Failure::tls names the file
  // and what is wrong with it; Failure::schema: what is wrong in the web configuration is
  // guard_pages()'s to tell.
  static Result<std::shared_ptr<TlsServer>> open(const std::string& web_config_path);

  // With what the files say now. Null when the settings were changed to something that does not
  // work: who was to be kept out is not let in by the old ones.
  std::unique_ptr<TlsSession> session(int descriptor);

 private:
  explicit TlsServer(std::string web_config_path) : web_config_path_(std::move(web_config_path)) {}
  bool read_configuration();  // false when it has a mistake
  Result<void> renew();

  const std::string web_config_path_;
  std::string seen_configuration_;
  std::optional<TlsServerSettings> settings_;
  // Of which context_ was made, or was to be made.
  TlsServerSettings seen_settings_;
  std::vector<Result<std::string>> seen_files_;
  std::shared_ptr<const TlsContext> context_;
  TlsServerSettings context_settings_;
};

}  // namespace shortcircuit
