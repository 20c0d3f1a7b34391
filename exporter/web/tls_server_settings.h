// `tls_server_config` of the web configuration: which certificate the port has, and whose clients
// it asks for. Read strictly; knows nothing of OpenSSL but how it spells what the file names.
//
// Stricter than exporter-toolkit where that would take a setting without effect: certificates and
// keys stand in files, TLS is 1.2 or newer, allowed names need clients that are verified.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "config/yaml_reader.h"

namespace shortcircuit {

enum class ClientAuth {
  none,
  request,          // asked for, and anything is taken
  require_any,      // any certificate, whoever signed it
  verify_if_given,  // none, or one of client_ca_file
  require_and_verify,
};

struct TlsServerSettings {
  std::string cert_file;  // PEM, the certificate first, then its chain
  std::string key_file;
  std::string client_ca_file;  // "" unless clients are verified
  ClientAuth client_auth = ClientAuth::none;
  std::vector<std::string> client_allowed_sans;  // empty = any
  bool tls12 = true;
  bool tls13 = true;
  std::string ciphers;  // of TLS 1.2, as OpenSSL writes a list; "" = its own
  std::string groups;   // the same of curves
  bool prefer_server_cipher_suites = true;

  bool operator==(const TlsServerSettings&) const = default;
};

// Nothing when the key is not written, or nothing that can be used is written below it.
std::optional<TlsServerSettings> read_tls_server_settings(YamlMapping& root);

}  // namespace shortcircuit
