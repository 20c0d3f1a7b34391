#include "config/kubeconfig.h"

#include <fmt/format.h>

#include <functional>

#include "base/text.h"
#include "config/values.h"

namespace shortcircuit {

namespace {

// A kubeconfig knows no variables, so `$` has no meaning; and a value may be a number to YAML.
std::optional<std::string> raw(YamlMapping& mapping, std::string_view name, bool required = false) {
  return mapping.value<std::string>(
      {.name = name, .description = "", .required = required}, "text",
      [](const Scalar& scalar) -> Parsed<std::string> { return scalar.text; });
}

std::optional<std::string> pem(YamlMapping& mapping, std::string_view name) {
  return mapping.value<std::string>(
      {.name = name, .description = ""}, "base64 of a PEM file",
      [](const Scalar& scalar) -> Parsed<std::string> {
        std::optional<std::string> bytes = base64_decode(scalar.text);
        if (!bytes || !bytes->contains("-----BEGIN "))
          return std::unexpected("expected base64 of a PEM file, got other text");
        return std::move(*bytes);
      });
}

std::optional<std::string> path(YamlMapping& mapping, std::string_view name) {
  if (mapping.written(std::string(name) + "-data")) {  // inline data wins, as in kubectl
    raw(mapping, name);
    return std::nullopt;
  }
  return read_path(mapping, {.name = name, .description = ""});
}

void read_cluster(YamlMapping& cluster, Endpoint& endpoint) {
  cluster.ignore_unknown();
  endpoint.url = read_url(cluster, {.name = "server", .description = "", .required = true},
                          {.basic_auth = false})
                     .value_or("");
  endpoint.tls.ca_pem = pem(cluster, "certificate-authority-data").value_or("");
  endpoint.tls.ca_file = path(cluster, "certificate-authority").value_or("");
  endpoint.tls.server_name = raw(cluster, "tls-server-name").value_or("");
  endpoint.tls.insecure_skip_verify =
      cluster.boolean({.name = "insecure-skip-tls-verify", .description = ""}).value_or(false);
  if (cluster.written("proxy-url")) {
    cluster.problem("proxy-url",
                    "a proxy is not supported; expected a cluster that is reached directly");
  }
}

void read_user(YamlMapping& user, Endpoint& endpoint) {
  user.ignore_unknown();
  endpoint.tls.cert_pem = pem(user, "client-certificate-data").value_or("");
  endpoint.tls.cert_file = path(user, "client-certificate").value_or("");
  if (const auto key = pem(user, "client-key-data")) endpoint.tls.key_pem = Secret::of_value(*key);
  endpoint.tls.key_file = path(user, "client-key").value_or("");
  const std::optional<std::string> token_file =
      read_path(user, {.name = "tokenFile", .description = ""});
  const std::optional<std::string> token = raw(user, "token");
  if (token && !token->empty()) endpoint.bearer_token = Secret::of_value(*token);
  if (token_file) endpoint.bearer_token = Secret::of_file(*token_file);  // wins, as in kubectl
  endpoint.username = raw(user, "username").value_or("");
  endpoint.password = Secret::of_value(raw(user, "password").value_or(""));
  for (const std::string_view key : {"exec", "auth-provider"}) {
    if (user.written(key)) {
      user.problem(key,
                   "credentials made by a program are not supported; expected a client "
                   "certificate or a token, for example of a service account");
    }
  }
}

// Runs `body` on the entry of the list `list` that has this name.
bool read_entry(YamlMapping& root, std::string_view list, std::string_view inner,
                const std::string& name, const YamlMapping::Body& body) {
  bool found = false;
  root.each({.name = list, .description = "", .required = true}, [&](YamlMapping& entry) {
    entry.ignore_unknown();
    if (found || raw(entry, "name", true).value_or("") != name) return;
    found = true;
    entry.mapping({.name = inner, .description = "", .required = true}, body);
  });
  return found;
}

}  // namespace

std::expected<Endpoint, std::vector<ConfigProblem>> read_kubeconfig(const std::string& path,
                                                                    const std::string& context) {
  const Result<std::string> content = read_file(path);
  if (!content) { return std::unexpected(unreadable(path, content.error(), "a kubeconfig")); }
  Endpoint endpoint;
  YamlReader reader(path, *content, "clusters: []", nullptr);
  reader.read([&](YamlMapping& root) {
    root.ignore_unknown();
    const std::string current = raw(root, "current-context").value_or("");
    const std::string& wanted = context.empty() ? current : context;
    if (wanted.empty()) {
      root.problem("current-context",
                   "no context is chosen; expected current-context here, or context beside "
                   "kubeconfig in the exporter's configuration");
      return;
    }
    std::string cluster;
    std::string user;
    const bool found = read_entry(root, "contexts", "context", wanted, [&](YamlMapping& entry) {
      entry.ignore_unknown();
      cluster = raw(entry, "cluster", true).value_or("");
      user = raw(entry, "user").value_or("");
    });
    if (!found) {
      root.problem("contexts",
                   fmt::format("there is no context {}; expected an entry with that name", wanted));
      return;
    }
    if (!cluster.empty() &&
        !read_entry(root, "clusters", "cluster", cluster,
                    [&](YamlMapping& entry) { read_cluster(entry, endpoint); })) {
      root.problem("clusters",
                   fmt::format("there is no cluster {}, which context {} names", cluster, wanted));
    }
    if (!user.empty() && !read_entry(root, "users", "user", user,
                                     [&](YamlMapping& entry) { read_user(entry, endpoint); })) {
      root.problem("users",
                   fmt::format("there is no user {}, which context {} names", user, wanted));
    }
  });
  if (std::vector<ConfigProblem> problems = reader.problems(); !problems.empty()) {
    return std::unexpected(std::move(problems));
  }
  return endpoint;
}

}  // namespace shortcircuit
