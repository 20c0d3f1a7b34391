// Certificates for one test, made on the spot: an authority, a server for 127.0.0.1, ::1 and
// `localhost`, a client, and the same from another authority that nobody trusts.
#pragma once

#include <string>

#include "support/temporary_directory.h"

namespace shortcircuit::testing {

class TestCertificates {
 public:
  TestCertificates();

  [[nodiscard]] std::string ca() const { return directory_.path() + "/ca.pem"; }
  [[nodiscard]] std::string server_cert() const { return directory_.path() + "/server.pem"; }
  [[nodiscard]] std::string server_key() const { return directory_.path() + "/server.key"; }
  [[nodiscard]] std::string client_cert() const { return directory_.path() + "/client.pem"; }
  [[nodiscard]] std::string client_key() const { return directory_.path() + "/client.key"; }
  [[nodiscard]] std::string other_ca() const { return directory_.path() + "/other-ca.pem"; }
  [[nodiscard]] std::string other_client_cert() const {
    return directory_.path() + "/other-client.pem";
  }
  [[nodiscard]] std::string other_client_key() const {
    return directory_.path() + "/other-client.key";
  }

 private:
  TemporaryDirectory directory_;
};

}  // namespace shortcircuit::testing
