// tls_server_config: what is taken, and the words for what is not.
#include "web/tls_server_settings.h"

#include "base/text.h"
#include "support/catch.h"
#include "web/web_config.h"

using namespace shortcircuit;

namespace {

const std::string certificate = "cert_file: a.crt, key_file: a.key";
const std::string known_versions = "expected one of TLS12, TLS13, TLS11, TLS10, got ";
const std::string known_clients =
    "expected one of NoClientCert, RequestClientCert, RequireAnyClientCert, RequireClientCert, "
    "VerifyClientCertIfGiven, RequireAndVerifyClientCert, got ";

// "" when it is taken.
std::string tls_mistakes(const std::string& section) {
  const auto config = parse_web_config("tls_server_config: {" + section + "}\n", "/etc/web.yml");
  std::vector<std::string> lines;
  if (!config) {
    for (const auto& problem : config.error()) {
      // The place is the reader's; here it is only about whose key it is.
      lines.push_back(problem.path.substr(std::string_view("tls_server_config").size()) + ": " +
                      problem.message);
    }
  }
  return join(lines, "\n");
}

TlsServerSettings taken(const std::string& section) {
  const auto config = parse_web_config("tls_server_config: {" + section + "}\n", "/etc/web.yml");
  INFO(tls_mistakes(section));
  REQUIRE(config);
  REQUIRE(config->tls);
  return *config->tls;
}

}  // namespace

TEST_CASE("tls_server_config: what is left out has exporter-toolkit's meaning") {
  const TlsServerSettings settings = taken(certificate);
  TlsServerSettings expected;
  expected.cert_file = "/etc/a.crt";
  expected.key_file = "/etc/a.key";
  CHECK(settings == expected);
  CHECK(settings.tls12);
  CHECK(settings.tls13);
  CHECK(settings.client_auth == ClientAuth::none);
  CHECK_FALSE(parse_web_config("rate_limit: {}\n", "web.yml")->tls);
}

TEST_CASE("tls_server_config: every key is taken, and Go's names become OpenSSL's") {
  const TlsServerSettings settings = taken(
      "cert_file: ../x/a.crt, key_file: /y/a.key, client_auth_type: RequireAndVerifyClientCert, "
      "client_ca_file: ca.pem, client_allowed_sans: [prometheus.example, 192.0.2.7], "
      "min_version: TLS12, max_version: TLS12, prefer_server_cipher_suites: false, "
      "cipher_suites: [TLS_AES_128_GCM_SHA256, TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, "
      "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256], "
      "curve_preferences: [X25519, CurveP256]");
  CHECK(settings.cert_file == "/x/a.crt");
  CHECK(settings.key_file == "/y/a.key");
  CHECK(settings.client_auth == ClientAuth::require_and_verify);
  CHECK(settings.client_ca_file == "/etc/ca.pem");
  CHECK(settings.client_allowed_sans ==
        std::vector<std::string>{"prometheus.example", "192.0.2.7"});
  CHECK(settings.tls12);
  CHECK_FALSE(settings.tls13);
  CHECK(settings.ciphers == "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-CHACHA20-POLY1305");
  CHECK(settings.groups == "X25519:P-256");
  CHECK_FALSE(settings.prefer_server_cipher_suites);
  CHECK(taken(certificate + ", client_auth_type: RequireClientCert").client_auth ==
        ClientAuth::require_any);
  CHECK(taken(certificate + ", min_version: TLS13, cipher_suites: [TLS_AES_128_GCM_SHA256]")
            .ciphers.empty());
  CHECK(taken(certificate + ", cipher_suites: [], curve_preferences: []").groups.empty());
}

TEST_CASE("tls_server_config: each mistake is named, and no key is quoted") {
  struct Case {
    std::string section;
    std::string mistakes;
  };
  const std::string verifies = ", client_auth_type: RequireAndVerifyClientCert";
  for (const auto& [section, mistakes] : std::vector<Case>{
           {"", ".cert_file: missing; expected a path\n.key_file: missing; expected a path"},
           {"cert_file: a", ".key_file: missing; expected a path"},
           {"cert_fil: a, key_file: b",
            ".cert_file: missing; expected a path\n"
            ".cert_fil: unknown key; expected one of cert, cert_file, cipher_suites, "
            "client_allowed_sans, client_auth_type, client_ca, client_ca_file, curve_preferences, "
            "key, key_file, max_version, min_version, prefer_server_cipher_suites; did you mean "
            "cert_file?"},
           {certificate + ", key: secret, cert: x, client_ca: y",
            ".key: not taken from here; expected a file of its own, named by key_file\n"
            ".cert: not taken from here; expected a file of its own, named by cert_file\n"
            ".client_ca: not taken from here; expected a file of its own, named by "
            "client_ca_file"},
           {certificate + ", client_auth_type: RequireAndVerifyClientCerts, client_ca_file: c",
            ".client_auth_type: " + known_clients +
                "\"RequireAndVerifyClientCerts\"; did you mean RequireAndVerifyClientCert?"},
           {certificate + ", client_ca_file: c",
            ".client_ca_file: client CAs without a client_auth_type that verifies clients; "
            "expected client_auth_type: RequireAndVerifyClientCert (or VerifyClientCertIfGiven)"},
           {certificate + verifies,
            ".client_auth_type: clients are verified against client_ca_file, which is not "
            "written; expected the file with the certificates that may sign theirs"},
           {certificate + ", client_auth_type: RequireAnyClientCert, client_allowed_sans: [a]",
            ".client_allowed_sans: a name proves nothing in a certificate that need not be shown "
            "or that anybody may sign; expected client_auth_type: RequireAndVerifyClientCert"},
           {certificate + verifies + ", client_ca_file: c, client_allowed_sans: []",
            ".client_allowed_sans: expected at least one name; remove the key to let every "
            "verified client in"},
           {certificate + ", min_version: TLS10, max_version: TLS11",
            ".min_version: OpenSSL 3 speaks TLS 1.2 and 1.3 only; expected TLS12 or TLS13\n"
            ".max_version: OpenSSL 3 speaks TLS 1.2 and 1.3 only; expected TLS12 or TLS13"},
           {certificate + ", min_version: TLS_13",
            ".min_version: " + known_versions + "\"TLS_13\"; did you mean TLS13?"},
           {certificate + ", min_version: TLS13, max_version: TLS12",
            ".max_version: less than min_version; expected TLS13"},
           {certificate + ", cipher_suites: [TLS_AES_128_GCM_SHA256]",
            ".cipher_suites: none of TLS 1.2, and those of TLS 1.3 are always on; expected one of "
            "TLS 1.2, or min_version: TLS13"},
           {certificate + ", curve_preferences: [P256, X25519]",
            ".curve_preferences[0]: expected one of CurveP256, CurveP384, CurveP521, X25519, got "
            "\"P256\""},
           {certificate + ", prefer_server_cipher_suites: maybe",
            ".prefer_server_cipher_suites: expected true or false without quotes, got other text"},
       }) {
    INFO(section);
    CHECK(tls_mistakes(section) == mistakes);
  }
  const std::string unknown =
      tls_mistakes(certificate + ", cipher_suites: [TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA25]");
  CHECK_THAT(unknown, Catch::StartsWith(".cipher_suites[0]: expected one of TLS_ECDHE_ECDSA"));
  CHECK_THAT(unknown, Catch::EndsWith("did you mean TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256?"));
  CHECK_THAT(tls_mistakes("key: BEGIN-SECRET"), !Catch::Contains("SECRET"));
}
