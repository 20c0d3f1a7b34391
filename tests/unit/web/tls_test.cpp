// TLS at the gate, over loopback: what goes through, and what clients can do to it. No assertion is
// about time.
#include <openssl/core_names.h>
#include <openssl/kdf.h>

#include "unit/web/tls_world.h"

using namespace shortcircuit;
using namespace shortcircuit::testing;

namespace {

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
