// A gate with TLS on loopback, with certificates made on the spot, and a client of it.
#pragma once

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include <csignal>
#include <filesystem>

#include "support/temporary_directory.h"
#include "support/test_certificates.h"
#include "unit/web/gate_world.h"
#include "web/tls.h"

namespace shortcircuit::testing {

struct ClientSettings {
  std::string cert;  // "" = comes without
  std::string key;
  int most = TLS1_3_VERSION;
  std::string ciphers;
  std::string groups;
};

// Trusts everybody; what it is told and what it sees is all that counts here.
class TlsClient {
 public:
  explicit TlsClient(const std::string& address, const ClientSettings& settings = {})
      : client_(address), context_(SSL_CTX_new(TLS_client_method()), &SSL_CTX_free) {
    SSL_CTX_set_max_proto_version(context_.get(), settings.most);
    if (!settings.ciphers.empty()) {
      SSL_CTX_set_cipher_list(context_.get(), settings.ciphers.c_str());
    }
    if (!settings.groups.empty()) {
      SSL_CTX_set1_groups_list(context_.get(), settings.groups.c_str());
    }
    if (!settings.cert.empty()) {
      REQUIRE(SSL_CTX_use_certificate_chain_file(context_.get(), settings.cert.c_str()) == 1);
      REQUIRE(SSL_CTX_use_PrivateKey_file(context_.get(), settings.key.c_str(), SSL_FILETYPE_PEM) ==
              1);
    }
    ssl_.reset(SSL_new(context_.get()));
    SSL_set_fd(ssl_.get(), client_.descriptor());
    ERR_clear_error();
    connected_ = SSL_connect(ssl_.get()) == 1;
    note_error();
  }

  [[nodiscard]] bool connected() const { return connected_; }
  [[nodiscard]] const std::string& error() const { return error_; }
  [[nodiscard]] const Client& socket() const { return client_; }
  [[nodiscard]] std::string version() const { return SSL_get_version(ssl_.get()); }
  [[nodiscard]] std::string cipher() const { return SSL_get_cipher_name(ssl_.get()); }
  [[nodiscard]] std::string subject() const {
    const std::unique_ptr<X509, decltype(&X509_free)> certificate(
        SSL_get1_peer_certificate(ssl_.get()), &X509_free);
    char text[200] = "";
    if (certificate) {
      X509_NAME_oneline(X509_get_subject_name(certificate.get()), text, sizeof(text));
    }
    return text;
  }
  void send(std::string_view bytes) const {
    (void)SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size()));
  }
  [[nodiscard]] std::string read(std::size_t size) {
    std::string all;
    while (all.size() < size) {
      char bytes[16384];
      const int count =
          SSL_read(ssl_.get(), bytes, static_cast<int>(std::min(sizeof(bytes), size - all.size())));
      if (count <= 0) break;
      all.append(bytes, static_cast<std::size_t>(count));
    }
    note_error();
    return all;
  }
  [[nodiscard]] std::string rest() { return read(std::string::npos); }
  // Did the gate say that it ends?
  [[nodiscard]] bool told_goodbye() const {
    return (SSL_get_shutdown(ssl_.get()) & SSL_RECEIVED_SHUTDOWN) != 0;
  }
  [[nodiscard]] SSL* ssl() const { return ssl_.get(); }

 private:
  void note_error() {
    const char* reason = ERR_reason_error_string(ERR_peek_error());
    if (reason != nullptr) error_ = reason;
    ERR_clear_error();
  }

  Client client_;
  std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context_;
  std::unique_ptr<SSL, decltype(&SSL_free)> ssl_{nullptr, &SSL_free};
  bool connected_ = false;
  std::string error_;
};

inline std::string rsa_key(const TemporaryDirectory& directory) {
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(EVP_RSA_gen(2048), &EVP_PKEY_free);
  const std::unique_ptr<BIO, decltype(&BIO_free)> memory(BIO_new(BIO_s_mem()), &BIO_free);
  REQUIRE(PEM_write_bio_PrivateKey(memory.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr));
  char* text = nullptr;
  const long size = BIO_get_mem_data(memory.get(), &text);
  return directory.write("rsa.key", std::string(text, static_cast<std::size_t>(size)));
}

struct TlsWorld {
  TestCertificates certificates;
  TemporaryDirectory directory;
  std::string path = directory.path() + "/web.yml";
  std::unique_ptr<GateWorld> gate;

  explicit TlsWorld(const std::string& more = "", bool verifies = false,
                    const GateLimits& limits = {}) {
    std::signal(SIGPIPE, SIG_IGN);  // OpenSSL's client writes to whoever has closed
    copy(certificates.server_cert(), "tls.crt");
    copy(certificates.server_key(), "tls.key");
    configure(more + (verifies ? ", client_ca_file: " + certificates.ca() : ""));
    auto server = TlsServer::open(path);
    if (!server) FAIL(server.error().message);
    REQUIRE(*server);
    gate = std::make_unique<GateWorld>(limits, *server);
  }
  void configure(const std::string& more) const {
    directory.write("web.yml", "tls_server_config: {cert_file: tls.crt, key_file: tls.key" +
                                   std::string(more.empty() ? "" : ", ") + more + "}\n");
  }
  void copy(const std::string& from, const std::string& name) const {
    std::filesystem::copy_file(from, directory.path() + "/" + name,
                               std::filesystem::copy_options::overwrite_existing);
  }
  [[nodiscard]] ClientSettings known() const {
    return {.cert = certificates.client_cert(), .key = certificates.client_key()};
  }
  [[nodiscard]] ClientSettings stranger() const {
    return {.cert = certificates.other_client_cert(), .key = certificates.other_client_key()};
  }
  // Does such a client get an answer? With TLS 1.3 it learns only after its handshake that it
  // gets none.
  [[nodiscard]] bool serves(const ClientSettings& settings = {}) const {
    gate->answers_at_once = true;
    TlsClient client(gate->address, settings);
    client.send("a\n\n");
    return client.rest() == "ok:a";
  }
};

}  // namespace shortcircuit::testing
