#include "web/tls_server_settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <span>
#include <string_view>

#include "base/text.h"
#include "config/scalars.h"

namespace shortcircuit {
namespace {

template <class T>
struct Named {
  std::string_view name;
  T meaning;
};

enum class TlsVersion { too_old, v12, v13 };

constexpr std::array<Named<TlsVersion>, 4> versions{{{"TLS12", TlsVersion::v12},
                                                     {"TLS13", TlsVersion::v13},
                                                     {"TLS11", TlsVersion::too_old},
                                                     {"TLS10", TlsVersion::too_old}}};
constexpr std::array<Named<ClientAuth>, 6> client_auths{
    {{"NoClientCert", ClientAuth::none},
     {"RequestClientCert", ClientAuth::request},
     {"RequireAnyClientCert", ClientAuth::require_any},
     {"RequireClientCert", ClientAuth::require_any},  // an old name of it
     {"VerifyClientCertIfGiven", ClientAuth::verify_if_given},
     {"RequireAndVerifyClientCert", ClientAuth::require_and_verify}}};
// Go's names and OpenSSL's. Those of TLS 1.3 are always on, in Go too, and so have none here.
constexpr std::array<Named<std::string_view>, 13> cipher_suites{{
    {"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "ECDHE-ECDSA-AES128-GCM-SHA256"},
    {"TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", "ECDHE-ECDSA-AES256-GCM-SHA384"},
    {"TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", "ECDHE-ECDSA-CHACHA20-POLY1305"},
    {"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "ECDHE-RSA-AES128-GCM-SHA256"},
    {"TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", "ECDHE-RSA-AES256-GCM-SHA384"},
    {"TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", "ECDHE-RSA-CHACHA20-POLY1305"},
    {"TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA", "ECDHE-ECDSA-AES128-SHA"},
    {"TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA", "ECDHE-ECDSA-AES256-SHA"},
    {"TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", "ECDHE-RSA-AES128-SHA"},
    {"TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA", "ECDHE-RSA-AES256-SHA"},
    {"TLS_AES_128_GCM_SHA256", ""},
    {"TLS_AES_256_GCM_SHA384", ""},
    {"TLS_CHACHA20_POLY1305_SHA256", ""},
}};
constexpr std::array<Named<std::string_view>, 4> curves{
    {{"CurveP256", "P-256"}, {"CurveP384", "P-384"}, {"CurveP521", "P-521"}, {"X25519", "X25519"}}};

template <class T>
Parsed<T> parse_named(const Scalar& scalar, std::span<const Named<T>> known) {
  std::vector<std::string> names;
  for (const Named<T>& one : known) {
    if (one.name == scalar.text) return one.meaning;
    names.emplace_back(one.name);
  }
  const auto meant = nearest(scalar.text, names);
  return std::unexpected(fmt::format("expected one of {}, got {}{}", join(names, ", "),
                                     shown(scalar), meant ? "; did you mean " + *meant + "?" : ""));
}

template <class T, std::size_t size>
std::optional<T> named(YamlMapping& tls, std::string_view key,
                       const std::array<Named<T>, size>& known) {
  return tls.value<T>({.name = key, .description = ""}, "a name",
                      [&](const Scalar& scalar) { return parse_named<T>(scalar, known); });
}

// As OpenSSL writes a list, without those that have no meaning; nothing when one is wrong.
template <std::size_t size>
std::optional<std::string> named_list(YamlMapping& tls, std::string_view key,
                                      const std::array<Named<std::string_view>, size>& known) {
  std::vector<std::string> meanings;
  bool wrong = false;
  tls.values<std::string_view>(
      {.name = key, .description = ""}, "a name", [&](const Scalar& scalar) {
        const auto meaning = parse_named<std::string_view>(scalar, known);
        wrong = wrong || !meaning;
        const std::string text(meaning.value_or(""));
        const bool again = std::ranges::find(meanings, text) != meanings.end();
        if (!text.empty() && !again) meanings.push_back(text);
        return meaning;
      });
  if (wrong) return std::nullopt;
  return join(meanings, ":");
}

// Relative ones count from the folder of the web configuration.
std::string read_file_name(YamlMapping& tls, std::string_view key, bool required) {
  const auto name = tls.value<std::string>({.name = key, .description = "", .required = required},
                                           "a path", parse_text);
  if (!name) return "";
  return (std::filesystem::path(tls.file()).parent_path() / *name).lexically_normal().string();
}

// Certificates and keys in the file itself, which the format allows.
void refuse_inline(YamlMapping& tls, std::string_view key, std::string_view file_key) {
  tls.value<std::string>(
      {.name = key, .description = "", .secret = true}, "text",
      [&](const Scalar&) -> Parsed<std::string> {
        return std::unexpected(
            fmt::format("not taken from here; expected a file of its own, named by {}", file_key));
      });
}

void read_versions(YamlMapping& tls, TlsServerSettings& settings) {
  const auto version = [&](std::string_view key) {
    const auto found = named(tls, key, versions);
    if (found != TlsVersion::too_old) return found;
    tls.problem(key, "OpenSSL 3 speaks TLS 1.2 and 1.3 only; expected TLS12 or TLS13");
    return std::optional<TlsVersion>();
  };
  const auto least = version("min_version");
  const auto most = version("max_version");
  settings.tls12 = least != TlsVersion::v13;
  settings.tls13 = most != TlsVersion::v12;
  if (!settings.tls12 && !settings.tls13) {
    tls.problem("max_version", "less than min_version; expected TLS13");
  }
}

void read_clients(YamlMapping& tls, TlsServerSettings& settings) {
  refuse_inline(tls, "client_ca", "client_ca_file");
  settings.client_ca_file = read_file_name(tls, "client_ca_file", false);
  const auto asked = named(tls, "client_auth_type", client_auths);
  settings.client_auth = asked.value_or(ClientAuth::none);
  for (auto& name : tls.values<std::string>({.name = "client_allowed_sans", .description = ""},
                                            "a name", parse_text)) {
    settings.client_allowed_sans.push_back(std::move(name.value));
  }
  const bool wrong = tls.written("client_auth_type") && !asked;
  const bool verifies = settings.client_auth == ClientAuth::verify_if_given ||
                        settings.client_auth == ClientAuth::require_and_verify;
  if (wrong) return;
  if (tls.written("client_ca_file") && !verifies) {
    tls.problem("client_ca_file",
                "client CAs without a client_auth_type that verifies clients; expected "
                "client_auth_type: RequireAndVerifyClientCert (or VerifyClientCertIfGiven)");
  }
  if (verifies && !tls.written("client_ca_file")) {
    tls.problem("client_auth_type",
                "clients are verified against client_ca_file, which is not written; expected "
                "the file with the certificates that may sign theirs");
  }
  if (tls.written("client_allowed_sans") &&
      settings.client_auth != ClientAuth::require_and_verify) {
    tls.problem("client_allowed_sans",
                "a name proves nothing in a certificate that need not be shown or that anybody "
                "may sign; expected client_auth_type: RequireAndVerifyClientCert");
  } else if (tls.written("client_allowed_sans") && settings.client_allowed_sans.empty()) {
    tls.problem("client_allowed_sans",  // perhaps half written
                "expected at least one name; remove the key to let every verified client in");
  }
}

TlsServerSettings read_section(YamlMapping& tls) {
  TlsServerSettings settings;
  refuse_inline(tls, "cert", "cert_file");
  refuse_inline(tls, "key", "key_file");
  settings.cert_file = read_file_name(tls, "cert_file", true);
  settings.key_file = read_file_name(tls, "key_file", true);
  read_clients(tls, settings);
  read_versions(tls, settings);
  const auto ciphers = named_list(tls, "cipher_suites", cipher_suites);
  settings.ciphers = ciphers.value_or("");
  if (ciphers == "" && tls.written("cipher_suites") && !tls.empty_list("cipher_suites") &&
      settings.tls12) {
    tls.problem("cipher_suites",
                "none of TLS 1.2, and those of TLS 1.3 are always on; expected one of TLS 1.2, "
                "or min_version: TLS13");
  }
  settings.prefer_server_cipher_suites =
      tls.boolean({.name = "prefer_server_cipher_suites", .description = ""}).value_or(true);
  settings.groups = named_list(tls, "curve_preferences", curves).value_or("");
  return settings;
}

}  // namespace

std::optional<TlsServerSettings> read_tls_server_settings(YamlMapping& root) {
  std::optional<TlsServerSettings> settings;
  root.mapping({.name = "tls_server_config", .description = ""},
               [&](YamlMapping& tls) { settings = read_section(tls); });
  return settings;
}

}  // namespace shortcircuit
