// TLS at the gate, over loopback, with certificates made on the spot. No assertion is about time.
#include "web/tls.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/kdf.h>
#include <openssl/ssl.h>

#include <csignal>
#include <filesystem>

#include "support/temporary_directory.h"
#include "support/test_certificates.h"
#include "unit/web/gate_world.h"

using namespace shortcircuit;
using namespace shortcircuit::testing;

namespace {

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

// What OpenSSL's client never sends: handshake records of TLS 1.2, one after the other, that ask
// for another handshake. For ECDHE-…-AES128-GCM-SHA256 (RFC 5246, 6.3; RFC 5288, 3).
class RenegotiationFlood {
 public:
  explicit RenegotiationFlood(const TlsClient& client) {
    unsigned char secret[48];
    unsigned char random[64];
    SSL_SESSION_get_master_key(SSL_get0_session(client.ssl()), secret, sizeof(secret));
    SSL_get_server_random(client.ssl(), random, 32);
    SSL_get_client_random(client.ssl(), random + 32, 32);
    const std::unique_ptr<EVP_KDF, decltype(&EVP_KDF_free)> kdf(
        EVP_KDF_fetch(nullptr, "TLS1-PRF", nullptr), &EVP_KDF_free);
    const std::unique_ptr<EVP_KDF_CTX, decltype(&EVP_KDF_CTX_free)> prf(EVP_KDF_CTX_new(kdf.get()),
                                                                        &EVP_KDF_CTX_free);
    char digest[] = "SHA256";
    char label[] = "key expansion";
    const OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SECRET, secret, sizeof(secret)),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SEED, label, sizeof(label) - 1),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SEED, random, sizeof(random)),
        OSSL_PARAM_construct_end()};
    REQUIRE(EVP_KDF_derive(prf.get(), keys_, sizeof(keys_), parameters) == 1);
  }
  // Many records at once, so that the gate finds more whenever it looks.
  [[nodiscard]] std::string records(int count) {
    std::string all;
    for (int i = 0; i < count; ++i) all += record();
    return all;
  }

 private:
  std::string record() {
    const std::string hello("\x01\x00\x00\x00", 4);
    std::string sequence(8, '\0');
    ++sequence_;  // the first one was that of the handshake's end
    for (std::size_t i = 0; i < 8; ++i) {
      sequence[7 - i] = static_cast<char>(sequence_ >> (8 * i) & 0xff);
    }
    const std::string nonce(reinterpret_cast<const char*>(keys_) + 32, 4);
    const std::string aad = sequence + std::string("\x16\x03\x03\x00\x04", 5);
    unsigned char sealed[4 + 16];
    int size = 0;
    const auto bytes = [](const std::string& text) {
      return reinterpret_cast<const unsigned char*>(text.data());
    };
    EVP_EncryptInit_ex(cipher_.get(), EVP_aes_128_gcm(), nullptr, keys_, bytes(nonce + sequence));
    EVP_EncryptUpdate(cipher_.get(), nullptr, &size, bytes(aad), static_cast<int>(aad.size()));
    EVP_EncryptUpdate(cipher_.get(), sealed, &size, bytes(hello), 4);
    EVP_EncryptFinal_ex(cipher_.get(), sealed + 4, &size);
    EVP_CIPHER_CTX_ctrl(cipher_.get(), EVP_CTRL_GCM_GET_TAG, 16, sealed + 4);
    return std::string("\x16\x03\x03\x00\x1c", 5) + sequence +
           std::string(reinterpret_cast<const char*>(sealed), sizeof(sealed));
  }

  unsigned char keys_[40];
  std::uint64_t sequence_ = 0;
  std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)> cipher_{EVP_CIPHER_CTX_new(),
                                                                          &EVP_CIPHER_CTX_free};
};

std::string rsa_key(const TemporaryDirectory& directory) {
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

}  // namespace

TEST_CASE("tls: heads and answers go through, however they are cut into records") {
  const TlsWorld world;
  TlsClient client(world.gate->address);
  REQUIRE(client.connected());
  CHECK(client.version() == "TLSv1.3");
  CHECK_THAT(client.subject(), Catch::Contains("test server"));
  client.send("a\r");
  // One record with more than one read takes, and with three requests: no event tells of the rest.
  client.send("\n\r\nb" + std::string(10'000, 'x') + "\n\nc\n\n");
  const Asked first = world.gate->next();
  CHECK(first.head == "a\r\n\r\n");
  CHECK(first.remote == "127.0.0.1");
  world.gate->answer(first);
  CHECK(client.read(4) == "ok:a");
  const Asked second = world.gate->next();
  CHECK(second.head.size() == 10'003);
  world.gate->answer(second);
  CHECK(client.read(4) == "ok:b");
  world.gate->answer(world.gate->next(), true);
  CHECK(client.rest() == "ok:c");
  CHECK(client.told_goodbye());
}

TEST_CASE("tls: a body is sent whole, however large, and however slowly it is taken") {
  const TlsWorld world;
  std::string text;
  while (text.size() < 20'000'000) text += std::to_string(text.size()) + "\n";
  const auto body = std::make_shared<const std::string>(text);
  for (const std::size_t at_once : {100'000'000, 777'777}) {
    TlsClient client(world.gate->address);
    client.send("a\n\n");
    world.gate->gate->answer(world.gate->next().ticket, {std::string(20'000, 'h'), body, false});
    std::string all;
    while (all.size() < 20'000 + body->size()) {
      const std::string some = client.read(std::min(at_once, 20'000 + body->size() - all.size()));
      REQUIRE_FALSE(some.empty());
      all += some;
      usleep(1000);
    }
    CHECK((all == std::string(20'000, 'h') + *body));
    client.send("b\n\n");
    world.gate->answer(world.gate->next(), true);
    CHECK(client.rest() == "ok:b");
  }
}

TEST_CASE("tls: key updates in between do no harm") {
  const TlsWorld world;
  TlsClient client(world.gate->address);
  for (int i = 0; i < 20; ++i) {
    REQUIRE(SSL_key_update(client.ssl(), SSL_KEY_UPDATE_REQUESTED) == 1);
    client.send("a\n\n");
    world.gate->answer(world.gate->next());
    REQUIRE(client.read(4) == "ok:a");
  }
}

TEST_CASE("tls: who asks for another handshake again and again holds nobody up") {
  // Nobody is cut for taking long: how much is sent says when it ends, not how fast this machine
  // is.
  const TlsWorld world("", false,
                       {.head_time = std::chrono::hours(1), .idle_time = std::chrono::hours(1)});
  const TlsClient client(world.gate->address,
                         {.most = TLS1_2_VERSION, .ciphers = "ECDHE-ECDSA-AES128-GCM-SHA256"});
  REQUIRE(client.connected());
  const std::string records = RenegotiationFlood(client).records(400'000);
  std::atomic<bool> sent{false};
  std::thread flood([&] {
    client.socket().send(records);
    sent = true;
    shutdown(client.socket().descriptor(), SHUT_WR);
  });
  std::thread taking_alerts([&] { (void)client.socket().rest(); });
  // Everybody else is served before all of it has been looked at; a gate that is held is not.
  int served = 0;
  do { served += world.serves() ? 1 : 0; } while (!sent);
  flood.join();
  taking_alerts.join();
  CHECK(served > 1);
}

TEST_CASE("tls: whose clients get in") {
  struct Case {
    std::string how;
    bool nobody;  // a client without a certificate
    bool stranger;
  };
  for (const auto& [how, nobody, stranger] :
       std::vector<Case>{{"NoClientCert", true, true},
                         {"RequestClientCert", true, true},
                         {"RequireAnyClientCert", false, true},
                         {"VerifyClientCertIfGiven", true, false},
                         {"RequireAndVerifyClientCert", false, false}}) {
    INFO(how);
    const TlsWorld world("client_auth_type: " + how, how.contains("Verify"));
    CHECK(world.serves() == nobody);
    CHECK(world.serves(world.stranger()) == stranger);
    CHECK(world.serves(world.known()));
  }
}

TEST_CASE("tls: an allowed name is in the client's certificate") {
  const std::string verified =
      "client_auth_type: RequireAndVerifyClientCert, client_allowed_sans: ";
  for (const std::string allowed : {"[localhost]", "[x, 127.0.0.1]", "['::1']"}) {
    INFO(allowed);
    const TlsWorld world(verified + allowed, true);
    CHECK(world.serves(world.known()));
    CHECK_FALSE(world.serves(world.stranger()));
    CHECK_FALSE(world.serves());
  }
  for (const std::string other : {"[local]", "[localhost.]", "[127.0.0.2]", "[test client]"}) {
    INFO(other);
    const TlsWorld world(verified + other, true);
    CHECK_FALSE(world.serves(world.known()));
  }
}

TEST_CASE("tls: versions, suites and curves are those of the file") {
  const ClientSettings old{.most = TLS1_2_VERSION};
  const TlsWorld newest("min_version: TLS13");
  TlsClient refused(newest.gate->address, old);
  CHECK_FALSE(refused.connected());
  CHECK(refused.error() == "tlsv1 alert protocol version");
  CHECK(newest.serves());
  const TlsWorld twelve(
      "max_version: TLS12, cipher_suites: [TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA]");
  const TlsClient client(twelve.gate->address);
  CHECK(client.version() == "TLSv1.2");
  CHECK(client.cipher() == "ECDHE-ECDSA-AES128-SHA");
  CHECK_FALSE(twelve.serves({.ciphers = "ECDHE-ECDSA-AES256-GCM-SHA384"}));
  const TlsWorld curve("curve_preferences: [CurveP384]");
  CHECK(curve.serves());
  CHECK(curve.serves({.groups = "P-384"}));
  CHECK_FALSE(curve.serves({.groups = "X25519"}));
  const TlsWorld standard;
  CHECK(standard.serves(old));
  CHECK_FALSE(standard.serves({.most = TLS1_1_VERSION, .ciphers = "ALL:@SECLEVEL=0"}));
}

TEST_CASE("tls: a new certificate counts for the next client, half of one does not") {
  const TlsWorld world;
  const auto subject = [&] { return TlsClient(world.gate->address).subject(); };
  TlsClient before(world.gate->address);
  CHECK_THAT(subject(), Catch::Contains("test server"));
  world.copy(world.certificates.client_cert(), "tls.crt");  // the key is still the old one's
  CHECK_THAT(subject(), Catch::Contains("test server"));
  world.copy(world.certificates.client_key(), "tls.key");
  CHECK_THAT(subject(), Catch::Contains("test client"));
  for (const std::string broken : {"", "-----BEGIN CERTIFICATE-----\nx"}) {
    world.directory.write("tls.crt", broken);
    CHECK_THAT(subject(), Catch::Contains("test client"));
  }
  REQUIRE(std::filesystem::remove(world.directory.path() + "/tls.crt"));
  CHECK_THAT(subject(), Catch::Contains("test client"));
  // Of another algorithm it is half of a pair as well.
  world.copy(world.certificates.client_cert(), "tls.crt");
  world.copy(rsa_key(world.directory), "tls.key");
  CHECK_THAT(subject(), Catch::Contains("test client"));
  // Who was there before goes on.
  before.send("a\n\n");
  world.gate->answer(world.gate->next(), true);
  CHECK(before.rest() == "ok:a");
}

TEST_CASE("tls: a changed web configuration counts for the next client, a broken one does not") {
  const TlsWorld world;
  const ClientSettings old{.most = TLS1_2_VERSION};
  CHECK(world.serves(old));
  world.configure("min_version: TLS13");
  CHECK_FALSE(world.serves(old));
  for (const std::string broken : {"tls_server_config: {cert_file: tls.crt}\n", "[", "", "{}\n"}) {
    world.directory.write("web.yml", broken);
    CHECK_FALSE(world.serves(old));
    CHECK(world.serves());
  }
  world.configure("client_auth_type: RequireAndVerifyClientCert, client_ca_file: " +
                  world.certificates.other_ca());
  CHECK_FALSE(world.serves(world.known()));
  CHECK(world.serves(world.stranger()));
}

TEST_CASE(
    "tls: who is to be kept out from now on is not let in because the new rule does not work") {
  const TlsWorld world;
  CHECK(world.serves());
  world.configure("client_auth_type: RequireAndVerifyClientCert, client_ca_file: absent.pem");
  CHECK_FALSE(world.serves());
  CHECK_FALSE(world.serves(world.known()));
  world.copy(world.certificates.ca(), "absent.pem");
  CHECK_FALSE(world.serves());
  CHECK(world.serves(world.known()));
  // The same rule with a file that breaks: what was read before stays.
  world.directory.write("absent.pem", "");
  CHECK_FALSE(world.serves());
  CHECK(world.serves(world.known()));
}

TEST_CASE("tls: files that do not work at the start are named") {
  const TestCertificates certificates;
  const TemporaryDirectory directory;
  const auto error = [&](const std::string& cert, const std::string& key,
                         const std::string& more = "") {
    const std::string path = directory.write(
        "web.yml", "tls_server_config: {cert_file: " + cert + ", key_file: " + key + more + "}\n");
    const auto server = TlsServer::open(path);
    REQUIRE_FALSE(server);
    CHECK(server.error().failure == Failure::tls);
    const std::string place = path + ": tls_server_config: ";
    CHECK_THAT(server.error().message, Catch::StartsWith(place));
    return server.error().message.substr(place.size());
  };
  const std::string cert = certificates.server_cert();
  const std::string key = certificates.server_key();
  CHECK(error("/nonexistent/a", key) == "cannot read /nonexistent/a: No such file or directory");
  CHECK(error(cert, "/nonexistent/a") == "cannot read /nonexistent/a: No such file or directory");
  CHECK(error(key, key) == key + ": expected certificates in PEM form (OpenSSL: no start line)");
  CHECK_THAT(error(cert, cert),
             Catch::StartsWith(cert + ": expected a private key in PEM form, not encrypted"));
  CHECK(error(cert, certificates.client_key()) == certificates.client_key() +
                                                      ": expected the key of the certificate in " +
                                                      cert + " (OpenSSL: key values mismatch)");
  // Of another algorithm, which OpenSSL takes for half of a second pair.
  const std::string rsa = rsa_key(directory);
  CHECK_THAT(error(cert, rsa),
             Catch::StartsWith(rsa + ": expected the key of the certificate in " + cert));
  CHECK(error(cert, key,
              ", max_version: TLS12, cipher_suites: [TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256]") ==
        "cipher_suites: none of them signs with the key of " + cert +
            ", and TLS 1.3, which has its own, is switched off");
  const std::string half = directory.write("half.crt", read_file(cert)->substr(0, 300));
  CHECK_THAT(error(half, key), Catch::StartsWith(half + ": expected certificates in PEM form"));
  const std::string more_than_half =
      directory.write("more.crt", *read_file(cert) + read_file(certificates.ca())->substr(0, 300));
  CHECK_THAT(error(more_than_half, key), Catch::StartsWith(more_than_half + ": expected"));
  CHECK_THAT(
      error(cert, key, ", client_auth_type: RequireAndVerifyClientCert, client_ca_file: " + key),
      Catch::StartsWith(key + ": expected certificates in PEM form"));
  CHECK(*TlsServer::open("") == nullptr);
  CHECK(*TlsServer::open(directory.write("web.yml", "rate_limit: {}\n")) == nullptr);
}

TEST_CASE("tls: plain HTTP on the TLS port is told so") {
  const TlsWorld world;
  const Client client(world.gate->address);
  client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  const std::string answer = client.rest();
  CHECK_THAT(answer, Catch::StartsWith("HTTP/1.1 400 Bad Request\r\n"));
  CHECK_THAT(answer, Catch::EndsWith("\r\n\r\nClient sent an HTTP request to an HTTPS server.\n"));
  CHECK(world.gate->waiting() == 0);
  CHECK(world.serves());
}

TEST_CASE("tls: a client without the certificate that is asked for hears why") {
  const TlsWorld world("client_auth_type: RequireAndVerifyClientCert", true);
  TlsClient without(world.gate->address);
  without.send("a\n\n");
  CHECK(without.rest().empty());
  CHECK(without.error() == "tlsv13 alert certificate required");
  TlsClient stranger(world.gate->address, world.stranger());
  stranger.send("a\n\n");
  CHECK(stranger.rest().empty());
  CHECK(stranger.error() == "tlsv1 alert unknown ca");
  CHECK(world.gate->waiting() == 0);
}

TEST_CASE("tls: handshakes that do not come, come slowly or are none hold nothing") {
  const TlsWorld world("", false, {.head_time = std::chrono::seconds(2)});
  const Client silent(world.gate->address);
  const Client begun(world.gate->address);
  begun.send(std::string_view("\x16\x03\x01\x02\x00\x01\x00", 7));
  const Client noise(world.gate->address);
  noise.send("\x16" + std::string(5000, 'x'));
  CHECK(world.serves());
  CHECK(noise.rest().size() < 100);
  CHECK(begun.rest().empty());
  CHECK(silent.rest().empty());
  // After its handshake a client has the same time for its head.
  world.gate->answers_at_once = false;
  TlsClient idle(world.gate->address);
  CHECK(idle.rest().empty());
  CHECK(idle.told_goodbye());
  TlsClient slow(world.gate->address);
  slow.send("GET");
  CHECK_THAT(slow.rest(), Catch::StartsWith("HTTP/1.1 408 "));
}

TEST_CASE("tls: a head that is too long is refused inside of TLS") {
  const TlsWorld world("", false, {.head_bytes = 100});
  TlsClient client(world.gate->address);
  client.send(std::string(10'000, 'x'));
  CHECK_THAT(client.rest(), Catch::StartsWith("HTTP/1.1 431 "));
}

TEST_CASE("tls: a client that takes nothing is cut") {
  const TlsWorld world("", false, {.stall_time = std::chrono::milliseconds(50)});
  TlsClient client(world.gate->address);
  client.send("a\n\n");
  const auto body = std::make_shared<const std::string>(20'000'000, 'x');
  world.gate->gate->answer(world.gate->next().ticket, {"", body, true});
  std::weak_ptr<const std::string> watched = body;
  while (watched.use_count() > 1) usleep(1000);  // the gate lets go of it
  CHECK(client.rest().size() < body->size());
}

TEST_CASE("tls: idle connections make room, and clients that leave are forgotten") {
  const TlsWorld world("", false, {.connections = 3, .head_time = std::chrono::hours(1)});
  TlsClient oldest(world.gate->address);
  for (int i = 0; i < 20; ++i) CHECK(world.serves());
  const TlsClient second(world.gate->address);
  const TlsClient third(world.gate->address);
  const TlsClient fourth(world.gate->address);
  CHECK(oldest.rest().empty());
  world.gate->answers_at_once = false;
  Asked asked;
  {
    const TlsClient leaving(world.gate->address);
    leaving.send("a\n\n");
    asked = world.gate->next();
  }
  world.gate->gate->answer(asked.ticket,
                           {"", std::make_shared<const std::string>(1'000'000, 'x'), false});
  CHECK(world.serves());
}
