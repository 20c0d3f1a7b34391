// Kubeconfigs as kubectl and K3s write them, and what is refused, each with its place.
#include "config/kubeconfig.h"

#include <fmt/format.h>

#include "config/load.h"
#include "support/catch.h"
#include "support/temporary_directory.h"

using namespace shortcircuit;
using testing::TemporaryDirectory;

namespace {

// base64 of "-----BEGIN CERTIFICATE-----\n" and of "-----BEGIN KEY-----\n".
constexpr const char* certificate = "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCg==";
constexpr const char* key = "LS0tLS1CRUdJTiBLRVktLS0tLQo=";

std::string kubeconfig(const std::string& cluster, const std::string& user) {
  return fmt::format(
      "apiVersion: v1\nkind: Config\npreferences: {{}}\ncurrent-context: home\n"
      "contexts:\n"
      "- name: away\n  context: {{cluster: nowhere, user: nobody}}\n"
      "- name: home\n  context: {{cluster: house, user: admin, namespace: apps}}\n"
      "clusters:\n- name: house\n  cluster: {}\n"
      "users:\n- name: admin\n  user: {}\n",
      cluster, user);
}

// The problems, without the folder; "" = none.
std::string problems_of(const std::string& text, const std::string& context = "") {
  const TemporaryDirectory folder;
  const auto read = read_kubeconfig(folder.write("config", text), context);
  if (read) return "";
  std::string all;
  for (const ConfigProblem& problem : read.error()) {
    all += problem.text().substr(folder.path().size() + 1) + "\n";
  }
  return all;
}

}  // namespace

TEST_CASE("kubeconfig: inline certificates of the current context") {
  const TemporaryDirectory folder;
  const auto path = folder.write(
      "config", kubeconfig(fmt::format("{{server: 'https://192.0.2.1:6443', tls-server-name: api, "
                                       "certificate-authority-data: {}}}",
                                       certificate),
                           fmt::format("{{client-certificate-data: {}, client-key-data: {}}}",
                                       certificate, key)));
  const auto endpoint = read_kubeconfig(path, "");
  REQUIRE(endpoint);
  CHECK(endpoint->url == "https://192.0.2.1:6443");
  CHECK(endpoint->tls.ca_pem == "-----BEGIN CERTIFICATE-----\n");
  CHECK(endpoint->tls.cert_pem == "-----BEGIN CERTIFICATE-----\n");
  CHECK(endpoint->tls.key_pem.reveal() == "-----BEGIN KEY-----\n");
  CHECK(endpoint->tls.server_name == "api");
  CHECK_FALSE(endpoint->tls.insecure_skip_verify);
  CHECK(endpoint->bearer_token.empty());
}

TEST_CASE("kubeconfig: files count from its folder, a token file wins over a token") {
  const TemporaryDirectory folder;
  const auto path =
      folder.write("config", kubeconfig("{server: 'https://[2001:db8::1]:6443', "
                                        "certificate-authority: ca.pem}",
                                        "{token: 12345, tokenFile: token, client-certificate: "
                                        "/etc/c.pem, client-key: k.pem}"));
  const std::string token = folder.write("token", "rotated\n");
  const auto endpoint = read_kubeconfig(path, "home");
  REQUIRE(endpoint);
  CHECK(endpoint->tls.ca_file == folder.path() + "/ca.pem");
  CHECK(endpoint->tls.cert_file == "/etc/c.pem");
  CHECK(endpoint->tls.key_file == folder.path() + "/k.pem");
  CHECK(endpoint->bearer_token.path() == token);
  CHECK(endpoint->bearer_token.reveal() == "rotated");
}

TEST_CASE("kubeconfig: inline data wins over a file, a dollar has no meaning, numbers are text") {
  const TemporaryDirectory folder;
  const auto path = folder.write(
      "config", kubeconfig(fmt::format("{{server: 'https://a', certificate-authority: x.pem, "
                                       "certificate-authority-data: {}}}",
                                       certificate),
                           "{username: 007, password: 'a${HOME}b'}"));
  const auto endpoint = read_kubeconfig(path, "");
  REQUIRE(endpoint);
  CHECK(endpoint->tls.ca_file.empty());
  CHECK(endpoint->username == "007");
  CHECK(endpoint->password.reveal() == "a${HOME}b");
}

TEST_CASE("kubeconfig: what is missing or cannot be used is said with its place") {
  CHECK(problems_of("current-context: ''\ncontexts: [{name: a, context: {cluster: c}}]\n") ==
        "config:1:18: current-context: no context is chosen; expected current-context here, or "
        "context beside kubeconfig in the exporter's configuration\n");
  CHECK(problems_of(kubeconfig("{server: 'https://a'}", "{}"), "gone") ==
        "config:5:1: contexts: there is no context gone; expected an entry with that name\n");
  CHECK(problems_of(kubeconfig("{server: 'https://a'}", "{}"), "away") ==
        "config:10:1: clusters: there is no cluster nowhere, which context away names\n"
        "config:13:1: users: there is no user nobody, which context away names\n");
  CHECK(problems_of(kubeconfig("{server: 'https://a', proxy-url: 'http://p'}", "{}")) ==
        "config:12:45: clusters[0].cluster.proxy-url: a proxy is not supported; expected a cluster "
        "that is reached directly\n");
  CHECK(problems_of(kubeconfig("{server: 'https://a'}", "{exec: {command: aws}}")) ==
        "config:15:10: users[0].user.exec: credentials made by a program are not supported; "
        "expected a client certificate or a token, for example of a service account\n");
  CHECK(
      problems_of(kubeconfig("{server: 'https://a', certificate-authority-data: s3cret}", "{}")) ==
      "config:12:62: clusters[0].cluster.certificate-authority-data: expected base64 of a PEM "
      "file, got other text\n");
  CHECK(problems_of(kubeconfig("{}", "{}")) ==
        "config:12:3: clusters[0].cluster.server: missing; expected a URL\n");
}

TEST_CASE("kubeconfig: a problem in it is a problem of the configuration") {
  const TemporaryDirectory folder;
  const auto config = folder.write("exporter.yaml", "kubernetes: {kubeconfig: absent}\n");
  const auto loaded = load_config(config, {});
  REQUIRE_FALSE(loaded);
  REQUIRE(loaded.error().size() == 1);
  CHECK(loaded.error().front().text() ==
        fmt::format("{0}:1:26: kubernetes.kubeconfig: {1}/absent: cannot be read: No such file or "
                    "directory; expected a kubeconfig",
                    config, folder.path()));
}
