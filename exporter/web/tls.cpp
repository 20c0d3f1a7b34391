#include "web/tls.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <string_view>
#include <utility>

namespace shortcircuit {

struct TlsContext {
  std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> ssl{SSL_CTX_new(TLS_server_method()),
                                                        &SSL_CTX_free};
  std::vector<std::string> allowed_sans;
};

namespace {

using Certificate = std::unique_ptr<X509, decltype(&X509_free)>;
using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using Memory = std::unique_ptr<BIO, decltype(&BIO_free)>;

// Of the first thing that went wrong; forgets all of it.
std::string openssl_reason() {
  const auto code = ERR_peek_error();
  const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  ERR_clear_error();
  return reason != nullptr ? reason : "no reason given";
}

std::unexpected<Error> refuse(const std::string& file, std::string_view what) {
  return fail(Failure::tls, fmt::format("{}: {} (OpenSSL: {})", file, what, openssl_reason()));
}

Memory memory_of(const std::string& text) {
  return {BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), &BIO_free};
}

// Never asks anybody for a passphrase.
int no_passphrase(char*, int, int, void*) { return -1; }

// Every certificate of a PEM text; at least one, and nothing that cannot be read.
Result<std::vector<Certificate>> certificates_of(const std::string& file, const std::string& text) {
  std::vector<Certificate> certificates;
  const Memory memory = memory_of(text);
  while (X509* one = PEM_read_bio_X509(memory.get(), nullptr, &no_passphrase, nullptr)) {
    certificates.emplace_back(one, &X509_free);
  }
  const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  if (certificates.empty() || !at_end) { return refuse(file, "expected certificates in PEM form"); }
  ERR_clear_error();
  return certificates;
}

Result<void> use_pair(SSL_CTX* context, const TlsServerSettings& settings,
                      const std::string& certificate_text, const std::string& key_text) {
  auto certificates = certificates_of(settings.cert_file, certificate_text);
  if (!certificates) return std::unexpected(certificates.error());
  if (SSL_CTX_use_certificate(context, certificates->front().get()) != 1) {
    return refuse(settings.cert_file, "this certificate cannot be used");
  }
  for (std::size_t i = 1; i < certificates->size(); ++i) {
    if (SSL_CTX_add1_chain_cert(context, (*certificates)[i].get()) != 1) {
      return refuse(settings.cert_file, "a certificate of the chain cannot be used");
    }
  }
  const Key key(
      PEM_read_bio_PrivateKey(memory_of(key_text).get(), nullptr, &no_passphrase, nullptr),
      &EVP_PKEY_free);
  if (!key) return refuse(settings.key_file, "expected a private key in PEM form, not encrypted");
  if (SSL_CTX_use_PrivateKey(context, key.get()) != 1) {
    return refuse(settings.key_file,
                  fmt::format("expected the key of the certificate in {}", settings.cert_file));
  }
  // A key of another algorithm than the certificate's is taken without a word.
  if (SSL_CTX_check_private_key(context) != 1) {
    return refuse(settings.key_file,
                  fmt::format("expected the key of the certificate in {}", settings.cert_file));
  }
  return {};
}

// Does one of the suites of TLS 1.2 sign with a key of that kind?
bool suits(const std::string& ciphers, const SSL_CTX* context) {
  const bool rsa = EVP_PKEY_is_a(X509_get0_pubkey(SSL_CTX_get0_certificate(context)), "RSA") == 1;
  return ciphers.find(rsa ? "-RSA-" : "-ECDSA-") != std::string::npos;
}

bool has_allowed_san(X509* certificate, const std::vector<std::string>& allowed) {
  const std::unique_ptr<GENERAL_NAMES, decltype(&GENERAL_NAMES_free)> names(
      static_cast<GENERAL_NAMES*>(
          X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)),
      &GENERAL_NAMES_free);
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    int type = 0;
    const auto* value = static_cast<const ASN1_STRING*>(
        GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names.get(), i), &type));
    std::string name;
    if (type == GEN_DNS || type == GEN_EMAIL || type == GEN_URI || type == GEN_IPADD) {
      name.assign(reinterpret_cast<const char*>(ASN1_STRING_get0_data(value)),
                  static_cast<std::size_t>(ASN1_STRING_length(value)));
    }
    if (type == GEN_IPADD) {
      char text[INET6_ADDRSTRLEN] = "";
      if (name.size() == 4) inet_ntop(AF_INET, name.data(), text, sizeof(text));
      if (name.size() == 16) inet_ntop(AF_INET6, name.data(), text, sizeof(text));
      name = text;
    }
    if (!name.empty() && std::ranges::find(allowed, name) != allowed.end()) return true;
  }
  return false;
}

int take_any_client(X509_STORE_CTX*, void*) noexcept { return 1; }

int verify_client(X509_STORE_CTX* chain, void* context) noexcept {
  if (X509_verify_cert(chain) != 1) return 0;
  const auto& allowed = static_cast<const TlsContext*>(context)->allowed_sans;
  if (allowed.empty() || has_allowed_san(X509_STORE_CTX_get0_cert(chain), allowed)) return 1;
  X509_STORE_CTX_set_error(chain, X509_V_ERR_APPLICATION_VERIFICATION);
  return 0;
}

Result<void> ask_clients(TlsContext& context, const TlsServerSettings& settings,
                         const std::string& client_ca_text) {
  SSL_CTX* const ssl = context.ssl.get();
  if (settings.client_auth == ClientAuth::none) return {};
  const bool required = settings.client_auth == ClientAuth::require_any ||
                        settings.client_auth == ClientAuth::require_and_verify;
  SSL_CTX_set_verify(ssl, SSL_VERIFY_PEER | (required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0),
                     nullptr);
  if (settings.client_ca_file.empty()) {
    SSL_CTX_set_cert_verify_callback(ssl, &take_any_client, nullptr);
    return {};
  }
  context.allowed_sans = settings.client_allowed_sans;
  SSL_CTX_set_cert_verify_callback(ssl, &verify_client, &context);
  auto authorities = certificates_of(settings.client_ca_file, client_ca_text);
  if (!authorities) return std::unexpected(authorities.error());
  X509_STORE* const store = SSL_CTX_get_cert_store(ssl);
  X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);  // what the file names is trusted
  for (const Certificate& authority : *authorities) {
    if (X509_STORE_add_cert(store, authority.get()) != 1 ||
        SSL_CTX_add_client_CA(ssl, authority.get()) != 1) {
      return refuse(settings.client_ca_file, "a certificate cannot be used");
    }
  }
  return {};
}

int descriptor_of(BIO* bio) { return *static_cast<const int*>(BIO_get_data(bio)); }

// How OpenSSL writes to the descriptor. Its own way raises SIGPIPE when the client has left.
int wire_write(BIO* bio, const char* bytes, int size) {
  BIO_clear_retry_flags(bio);
  const auto count = send(descriptor_of(bio), bytes, static_cast<std::size_t>(size), MSG_NOSIGNAL);
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) BIO_set_retry_write(bio);
  return static_cast<int>(count);
}

int wire_read(BIO* bio, char* bytes, int size) {
  BIO_clear_retry_flags(bio);
  const auto count = recv(descriptor_of(bio), bytes, static_cast<std::size_t>(size), 0);
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) BIO_set_retry_read(bio);
  return static_cast<int>(count);
}

long wire_control(BIO*, int what, long, void*) { return what == BIO_CTRL_FLUSH ? 1 : 0; }

const BIO_METHOD* wire_method() {
  static const std::unique_ptr<BIO_METHOD, decltype(&BIO_meth_free)> method = [] {
    std::unique_ptr<BIO_METHOD, decltype(&BIO_meth_free)> made(
        BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "client of the gate"),
        &BIO_meth_free);
    BIO_meth_set_write(made.get(), &wire_write);
    BIO_meth_set_read(made.get(), &wire_read);
    BIO_meth_set_ctrl(made.get(), &wire_control);
    return made;
  }();
  return method.get();
}

}  // namespace

Result<std::shared_ptr<const TlsContext>> make_tls_context(
    const TlsServerSettings& settings, const std::vector<Result<std::string>>& files) {
  for (const auto& file : files) {
    if (!file) return fail(Failure::tls, file.error().message);
  }
  ERR_clear_error();
  auto context = std::make_shared<TlsContext>();
  SSL_CTX* const ssl = context->ssl.get();
  if (ssl == nullptr) return refuse("tls_server_config", "TLS cannot be set up");
  SSL_CTX_set_min_proto_version(ssl, settings.tls12 ? TLS1_2_VERSION : TLS1_3_VERSION);
  SSL_CTX_set_max_proto_version(ssl, settings.tls13 ? TLS1_3_VERSION : TLS1_2_VERSION);
  // Every connection is agreed upon anew: what the files say now counts for all of them.
  SSL_CTX_set_options(ssl, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_num_tickets(ssl, 0);
  SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_OFF);
  if (settings.prefer_server_cipher_suites) {
    SSL_CTX_set_options(ssl, SSL_OP_CIPHER_SERVER_PREFERENCE);
  }
  SSL_CTX_set_mode(ssl, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                            SSL_MODE_RELEASE_BUFFERS);
  // One read takes no more than one record, or a client that asks for another handshake again and
  // again would hold the gate.
  SSL_CTX_clear_mode(ssl, SSL_MODE_AUTO_RETRY);
  if (!settings.ciphers.empty() && SSL_CTX_set_cipher_list(ssl, settings.ciphers.c_str()) != 1) {
    return refuse("cipher_suites", "OpenSSL takes none of them");
  }
  if (!settings.groups.empty() && SSL_CTX_set1_groups_list(ssl, settings.groups.c_str()) != 1) {
    return refuse("curve_preferences", "OpenSSL does not take them");
  }
  if (auto used = use_pair(ssl, settings, *files[0], *files[1]); !used) {
    return std::unexpected(used.error());
  }
  if (!settings.tls13 && !settings.ciphers.empty() && !suits(settings.ciphers, ssl)) {
    return fail(Failure::tls, fmt::format("cipher_suites: none of them signs with the key of {}, "
                                          "and TLS 1.3, which has its own, is switched off",
                                          settings.cert_file));
  }
  if (auto asked = ask_clients(*context, settings, *files[2]); !asked) {
    return std::unexpected(asked.error());
  }
  return context;
}

void TlsSession::Free::operator()(ssl_st* ssl) const { SSL_free(ssl); }

TlsSession::TlsSession(std::shared_ptr<const TlsContext> context, int descriptor)
    : context_(std::move(context)), descriptor_(descriptor), ssl_(SSL_new(context_->ssl.get())) {
  ERR_clear_error();
  BIO* const wire = ssl_ ? BIO_new(wire_method()) : nullptr;
  usable_ = wire != nullptr;
  if (!usable_) return;
  BIO_set_data(wire, &descriptor_);
  BIO_set_init(wire, 1);
  SSL_set_bio(ssl_.get(), wire, wire);  // owns it
  SSL_set_accept_state(ssl_.get());
}

TlsSession::~TlsSession() { end(); }

Transferred TlsSession::read(char* bytes, std::size_t size) {
  if (!usable_) return std::unexpected(NoBytes::gone);
  ERR_clear_error();
  std::size_t count = 0;
  const int returned = SSL_read_ex(ssl_.get(), bytes, size, &count);
  return after_step(returned, count);
}

Transferred TlsSession::write(const char* bytes, std::size_t size) {
  if (!usable_) return std::unexpected(NoBytes::gone);
  ERR_clear_error();
  std::size_t count = 0;
  const int returned = SSL_write_ex(ssl_.get(), bytes, size, &count);
  return after_step(returned, count);
}

Transferred TlsSession::after_step(int returned, std::size_t count) {
  awaited_events_ = 0;
  if (returned == 1) return count;
  switch (SSL_get_error(ssl_.get(), returned)) {
    case SSL_ERROR_WANT_READ: awaited_events_ = EPOLLIN; return std::unexpected(NoBytes::not_now);
    case SSL_ERROR_WANT_WRITE: awaited_events_ = EPOLLOUT; return std::unexpected(NoBytes::not_now);
    case SSL_ERROR_SSL: {
      usable_ = false;
      const long verdict = SSL_get_verify_result(ssl_.get());
      problem_ = openssl_reason();
      if (verdict != X509_V_OK) {
        problem_ += std::string(": ") + X509_verify_cert_error_string(verdict);
      }
      return std::unexpected(NoBytes::broken);
    }
    case SSL_ERROR_ZERO_RETURN: return std::unexpected(NoBytes::gone);
    default: usable_ = false; return std::unexpected(NoBytes::gone);
  }
}

bool TlsSession::holds_bytes() const { return usable_ && SSL_pending(ssl_.get()) > 0; }

void TlsSession::end() {
  if (!usable_ || SSL_is_init_finished(ssl_.get()) == 0) return;
  usable_ = false;
  ERR_clear_error();
  SSL_shutdown(ssl_.get());
  ERR_clear_error();
}

}  // namespace shortcircuit
