#include "http/curl_errors.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstring>

#include "base/text.h"

namespace shortcircuit {

namespace {

struct Row {
  CURLcode code;
  Failure failure;
  std::string_view sentence;
};

constexpr std::string_view check_certificates =
    "check ca_file, the host name in the server's certificate and the client certificate";
constexpr std::string_view not_whole = "the answer ended in the middle";
constexpr std::string_view not_http = "the answer is not valid HTTP: check the port and the scheme";

// Codes that are not listed are mistakes of this program (Failure::internal).
constexpr Row table[] = {
    {CURLE_COULDNT_RESOLVE_HOST, Failure::resolve,
     "the host name has no address: check its spelling and the resolver"},
    {CURLE_COULDNT_RESOLVE_PROXY, Failure::resolve,
     "the proxy's name has no address: check its spelling and the resolver"},
    {CURLE_COULDNT_CONNECT, Failure::connect, "cannot connect"},
    {CURLE_INTERFACE_FAILED, Failure::connect, "cannot connect"},
    {CURLE_SEND_ERROR, Failure::connect, "the connection broke while the request was sent"},
    {CURLE_SEND_FAIL_REWIND, Failure::connect, "the connection broke while the request was sent"},
    {CURLE_GOT_NOTHING, Failure::connect, "the connection was closed without an answer"},
    {CURLE_PROXY, Failure::connect, "the proxy refused"},
    {CURLE_OPERATION_TIMEDOUT, Failure::timeout, "timeout"},
    {CURLE_SSL_CONNECT_ERROR, Failure::tls, check_certificates},
    {CURLE_PEER_FAILED_VERIFICATION, Failure::tls, check_certificates},
    {CURLE_SSL_CIPHER, Failure::tls, check_certificates},
    {CURLE_SSL_CACERT_BADFILE, Failure::tls, "check ca_file"},
    {CURLE_SSL_CRL_BADFILE, Failure::tls, check_certificates},
    {CURLE_SSL_ISSUER_ERROR, Failure::tls, check_certificates},
    {CURLE_SSL_PINNEDPUBKEYNOTMATCH, Failure::tls, check_certificates},
    {CURLE_SSL_INVALIDCERTSTATUS, Failure::tls, check_certificates},
    {CURLE_SSL_CLIENTCERT, Failure::tls, "the server wants a client certificate: set cert_file"},
    {CURLE_SSL_SHUTDOWN_FAILED, Failure::tls, check_certificates},
    {CURLE_SSL_ENGINE_NOTFOUND, Failure::tls, check_certificates},
    {CURLE_SSL_ENGINE_SETFAILED, Failure::tls, check_certificates},
    {CURLE_SSL_ENGINE_INITFAILED, Failure::tls, check_certificates},
    {CURLE_USE_SSL_FAILED, Failure::tls, check_certificates},
    {CURLE_SSL_CERTPROBLEM, Failure::auth,
     "the client certificate cannot be used: check that cert_file and key_file are PEM and belong "
     "together"},
    {CURLE_LOGIN_DENIED, Failure::auth, "the credentials were refused"},
    {CURLE_AUTH_ERROR, Failure::auth, "the credentials were refused"},
    {CURLE_REMOTE_ACCESS_DENIED, Failure::auth, "access was denied"},
    {CURLE_PARTIAL_FILE, Failure::syntax, not_whole},
    {CURLE_UNSUPPORTED_PROTOCOL, Failure::syntax, not_http},
    {CURLE_WEIRD_SERVER_REPLY, Failure::syntax, not_http},
    {CURLE_HTTP2, Failure::syntax, not_http},
    {CURLE_HTTP2_STREAM, Failure::syntax, not_http},
    {CURLE_WRITE_ERROR, Failure::syntax, "the answer's body cannot be decoded"},
    {CURLE_BAD_CONTENT_ENCODING, Failure::syntax, "the answer's body cannot be decoded"},
    {CURLE_FILESIZE_EXCEEDED, Failure::too_large, "the answer is larger than allowed"},
};

bool has(const TransferFailure& failure, std::string_view word) {
  return failure.detail.find(word) != std::string_view::npos;
}

// With TLS 1.3 a server refuses a client only after the handshake, so it looks like a broken read.
bool is_tls_alert(const TransferFailure& failure) {
  return (failure.code == CURLE_RECV_ERROR || failure.code == CURLE_SEND_ERROR) &&
         has(failure, "SSL") && has(failure, "alert");
}

// … or, when its alert is overtaken by the reset, like a broken write of the first request.
bool is_refused_client(const TransferFailure& failure) {
  return failure.code == CURLE_SEND_ERROR && failure.new_tls_session;
}

// The connection broke while TLS was agreed upon: nothing is known of certificates.
bool is_reset_in_handshake(const TransferFailure& failure) {
  return failure.code == CURLE_SSL_CONNECT_ERROR &&
         (has(failure, "SSL_ERROR_SYSCALL") || has(failure, "reset by peer") ||
          has(failure, "unexpected eof"));
}

// libcurl runs into its own limit of one header line and calls that a lack of memory.
bool is_endless_header(const TransferFailure& failure) {
  return failure.code == CURLE_OUT_OF_MEMORY && failure.connected && !failure.answer_headed;
}

std::string printable(std::string_view text) {
  std::string clean(trim(text.substr(0, 300)));
  std::ranges::replace_if(
      clean, [](char c) { return std::iscntrl(static_cast<unsigned char>(c)) != 0; }, ' ');
  return clean;
}

std::string_view timeout_sentence(const TransferFailure& failure) {
  if (failure.answer_headed) return "timeout in the middle of the answer";
  if (failure.connected)
    return "timeout while waiting for the answer: it accepts connections but does not answer";
  if (failure.resolved)
    return "timeout while connecting: check the address, the route to it and firewalls";
  return "timeout while resolving the host name or connecting";
}

}  // namespace

Failure failure_of(const TransferFailure& failure) {
  if (failure.over_limit || is_endless_header(failure)) return Failure::too_large;
  if (is_tls_alert(failure) || is_refused_client(failure)) return Failure::tls;
  if (is_reset_in_handshake(failure)) return Failure::connect;
  // Reset: before an answer it is the connection, inside of one it is half an answer.
  if (failure.code == CURLE_RECV_ERROR) {
    return failure.answer_begun ? Failure::syntax : Failure::connect;
  }
  const auto* const row = std::ranges::find(table, failure.code, &Row::code);
  return row == std::end(table) ? Failure::internal : row->failure;
}

std::string sentence_of(const TransferFailure& failure) {
  if (failure.over_limit || is_endless_header(failure)) {
    return failure.answer_headed
               ? "the body is larger than allowed: is this the right address?"
               : "the headers are larger than allowed: is this the right address?";
  }
  if (is_tls_alert(failure)) {
    return fmt::format("{}: {}", printable(failure.detail), check_certificates);
  }
  if (is_refused_client(failure)) {
    return "the server closed the connection right after the TLS handshake: does it want a client "
           "certificate (cert_file)?";
  }
  if (is_reset_in_handshake(failure)) return "the connection was closed in the TLS handshake";
  if (failure.code == CURLE_RECV_ERROR) {
    return std::string(failure.answer_begun ? not_whole
                                            : "the connection was reset before an answer");
  }
  const auto* const row = std::ranges::find(table, failure.code, &Row::code);
  if (row == std::end(table)) return curl_easy_strerror(static_cast<CURLcode>(failure.code));
  if (row->code == CURLE_COULDNT_CONNECT && failure.os_errno == EACCES) {
    return "cannot connect: Permission denied: check who may write to the socket and pass through "
           "its folders";
  }
  if (row->code == CURLE_COULDNT_CONNECT && failure.os_errno != 0) {
    return fmt::format("cannot connect: {}: check the address and that the server runs",
                       std::strerror(failure.os_errno));
  }
  if (row->failure == Failure::tls && !failure.detail.empty()) {
    return fmt::format("{}: {}", printable(failure.detail), row->sentence);
  }
  if (row->failure == Failure::timeout) return std::string(timeout_sentence(failure));
  return std::string(row->sentence);
}

std::string shown_url(std::string_view url) {
  return without_userinfo(url.substr(0, url.find_first_of("?#")));
}

}  // namespace shortcircuit
