// TLS: whom the client trusts, and as whom it comes.
#include <filesystem>

#include "unit/http/curl_http_support.h"

using namespace shortcircuit;
using namespace shortcircuit::testing;

namespace {

std::string content(const std::string& path) {
  auto text = read_file(path);
  REQUIRE(text);
  return *text;
}

}  // namespace

TEST_CASE("only the given authority is trusted") {
  const TestCertificates certificates;
  const LoopbackServer server(answering(reply(200, "x")), {.tls = &certificates});
  Endpoint endpoint;
  CHECK(outcome(fetch(get(server.url()))) == "tls");
  endpoint.tls.ca_file = certificates.ca();
  CHECK(outcome(fetch(get(server.url()), endpoint)) == "HTTP 200");
  endpoint.tls.ca_file = certificates.other_ca();
  const auto wrong = fetch(get(server.url()), endpoint);
  CHECK(outcome(wrong) == "tls");
  CHECK(wrong.error().message.find("SSL certificate problem") != std::string::npos);
  endpoint.tls.insecure_skip_verify = true;
  CHECK(outcome(fetch(get(server.url()), endpoint)) == "HTTP 200");

  Endpoint inline_pem;
  inline_pem.tls.ca_pem = content(certificates.ca());
  CHECK(outcome(fetch(get(server.url()), inline_pem)) == "HTTP 200");
  inline_pem.tls.ca_pem = content(certificates.other_ca());
  CHECK(outcome(fetch(get(server.url()), inline_pem)) == "tls");
}

TEST_CASE("the host name must fit, or another one is configured") {
  const TestCertificates certificates;
  const LoopbackServer server(answering(reply(200, "x")), {.tls = &certificates});
  Endpoint endpoint;
  endpoint.tls.ca_file = certificates.ca();
  endpoint.tls.server_name = "wrong.example";
  CHECK(outcome(fetch(get(server.url()), endpoint)) == "tls");
  endpoint.tls.server_name = "localhost";
  CHECK(outcome(fetch(get(server.url("/p?q")), endpoint)) == "HTTP 200");
  const std::string sent = server.requests().at(0);
  CHECK(sent.starts_with("GET /p?q HTTP/1.1\r\n"));
  CHECK(sent.find("Host: 127.0.0.1:" + std::to_string(server.port()) + "\r\n") !=
        std::string::npos);
}

TEST_CASE("a client certificate, by file and inline") {
  const TestCertificates certificates;
  const LoopbackServer server(answering(reply(200, "x")),
                              {.tls = &certificates, .want_client_certificate = true});
  Endpoint endpoint;
  endpoint.tls.ca_file = certificates.ca();
  const auto missing = fetch(get(server.url()), endpoint);
  CHECK(outcome(missing) == "tls");

  endpoint.tls.cert_file = certificates.other_client_cert();
  endpoint.tls.key_file = certificates.other_client_key();
  CHECK(outcome(fetch(get(server.url()), endpoint)) == "tls");

  endpoint.tls.cert_file = certificates.client_cert();
  endpoint.tls.key_file = certificates.client_key();
  CHECK(outcome(fetch(get(server.url()), endpoint)) == "HTTP 200");

  Endpoint inline_pem;
  inline_pem.tls.ca_file = certificates.ca();
  inline_pem.tls.cert_pem = content(certificates.client_cert());
  inline_pem.tls.key_pem = Secret::of_value(content(certificates.client_key()));
  CHECK(outcome(fetch(get(server.url()), inline_pem)) == "HTTP 200");
}

TEST_CASE("files that cannot be used are named") {
  const TestCertificates certificates;
  const TemporaryDirectory directory;
  const LoopbackServer server(answering(reply(200, "x")), {.tls = &certificates});
  Endpoint endpoint;
  endpoint.tls.ca_file = "/nowhere/ca.pem";
  const auto no_ca = fetch(get(server.url()), endpoint);
  CHECK(outcome(no_ca) == "tls");
  CHECK(no_ca.error().message.find("cannot read ca_file /nowhere/ca.pem: No such file") !=
        std::string::npos);

  endpoint.tls.ca_file = directory.write("junk.pem", "junk");
  CHECK(outcome(fetch(get(server.url()), endpoint)) == "tls");

  endpoint.tls.ca_file = certificates.ca();
  endpoint.tls.cert_file = "/nowhere/client.pem";
  const auto no_cert = fetch(get(server.url()), endpoint);
  CHECK(outcome(no_cert) == "auth");
  CHECK(no_cert.error().message.find("/nowhere/client.pem") != std::string::npos);

  endpoint.tls.cert_file = certificates.client_cert();
  endpoint.tls.key_file = certificates.other_client_key();
  CHECK(outcome(fetch(get(server.url()), endpoint)) == "auth");
}

TEST_CASE("a renewed client certificate is used at once") {
  const TestCertificates certificates;
  const TemporaryDirectory directory;
  const LoopbackServer server(answering(reply(200, "x")),
                              {.tls = &certificates, .want_client_certificate = true});
  Endpoint endpoint;
  endpoint.tls.ca_file = certificates.ca();
  endpoint.tls.cert_file = directory.write("tls.crt", content(certificates.client_cert()));
  endpoint.tls.key_file = directory.write("tls.key", content(certificates.client_key()));
  const auto http = make_curl_http(endpoint);
  const auto ask = [&] {
    return outcome(fetch_one(*http, get(server.url()), Deadline::after(patience), {}));
  };
  CHECK(ask() == "HTTP 200");
  CHECK(ask() == "HTTP 200");
  CHECK(server.connections() == 1);
  // The other one is refused: the pooled connection of the first one was not used again.
  directory.write("tls.crt", content(certificates.other_client_cert()));
  directory.write("tls.key", content(certificates.other_client_key()));
  std::filesystem::last_write_time(endpoint.tls.cert_file,
                                   std::filesystem::file_time_type::clock::now() + 1s);
  CHECK(ask() == "tls");
}

TEST_CASE("TLS where none is spoken, and none where it is") {
  const TestCertificates certificates;
  const LoopbackServer plain([](Connection& c) {
    c.send(reply(400, "x"));
    c.hang();
  });
  const LoopbackServer secret(answering(reply(200, "x")), {.tls = &certificates});
  CHECK(outcome(fetch(get("https://127.0.0.1:" + std::to_string(plain.port())))) == "tls");
  const auto wrong = outcome(fetch(get("http://127.0.0.1:" + std::to_string(secret.port()))));
  CHECK((wrong == "connect" || wrong == "syntax"));
  const LoopbackServer rude([](Connection& c) { c.reset(); });
  CHECK(outcome(fetch(get("https://127.0.0.1:" + std::to_string(rude.port())))) == "connect");
  const LoopbackServer closing([](Connection&) {});
  CHECK(outcome(fetch(get("https://127.0.0.1:" + std::to_string(closing.port())))) == "connect");
}
