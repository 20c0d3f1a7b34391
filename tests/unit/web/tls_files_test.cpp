// What the port's TLS makes of its files: the web configuration, certificates, keys, client CAs.
#include "unit/web/tls_world.h"

using namespace shortcircuit;
using namespace shortcircuit::testing;

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
