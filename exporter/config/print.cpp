#include "config/print.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/json.h"
#include "base/text.h"
#include "config/load.h"

namespace shortcircuit {
namespace {

// JSON strings are YAML strings; a literal `${` must not become a variable when it is read again.
std::string quoted(std::string_view text) {
  std::string escaped;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text.substr(i).starts_with("${")) escaped += '$';
    escaped += text[i];
  }
  return json_quote(escaped);
}

std::string duration(Duration value) {
  const auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(value).count();
  return milliseconds % 1000 == 0 ? fmt::format("{}s", milliseconds / 1000)
                                  : fmt::format("{}ms", milliseconds);
}

std::string flow_list(const std::vector<std::string>& items) {
  std::vector<std::string> parts;
  for (const std::string& item : items) parts.push_back(quoted(item));
  return "[" + join(parts, ", ") + "]";
}

// One flow mapping: `{a: 1, b: {c: 2}}`. Empty values are left out.
class FlowMapping {
 public:
  FlowMapping& text(std::string_view key, const std::string& value) {
    if (!value.empty()) parts_.push_back(fmt::format("{}: {}", key, quoted(value)));
    return *this;
  }
  FlowMapping& raw(std::string_view key, const std::string& value) {
    if (!value.empty()) parts_.push_back(fmt::format("{}: {}", key, value));
    return *this;
  }
  FlowMapping& nested(std::string_view key, const FlowMapping& mapping) {
    if (!mapping.parts_.empty()) raw(key, mapping.take());
    return *this;
  }
  [[nodiscard]] const std::vector<std::string>& parts() const { return parts_; }
  [[nodiscard]] std::string take() const { return "{" + join(parts_, ", ") + "}"; }

 private:
  std::vector<std::string> parts_;
};

FlowMapping tls(const TlsSettings& settings) {
  FlowMapping mapping;
  mapping.text("ca_file", settings.ca_file)
      .text("cert_file", settings.cert_file)
      .text("key_file", settings.key_file)
      .text("server_name", settings.server_name);
  if (settings.insecure_skip_verify) mapping.raw("insecure_skip_verify", "true");
  return mapping;
}

// A secret given by value is not printed; the variable in its place need not be set in a replay.
constexpr const char* in_place_of_a_secret = "\"${REDACTED}\"";

void add_secret(FlowMapping& mapping, const std::string& key, const Secret& secret) {
  if (!secret.path().empty()) {
    mapping.text(key + "_file", secret.path());
  } else if (!secret.empty()) {
    mapping.raw(key, in_place_of_a_secret);
  }
}

void add_credentials(FlowMapping& mapping, const Endpoint& endpoint,
                     const std::string& token_key = "bearer_token") {
  FlowMapping basic;
  basic.text("username", endpoint.username);
  add_secret(basic, "password", endpoint.password);
  mapping.nested("basic_auth", basic);
  add_secret(mapping, token_key, endpoint.bearer_token);
}

FlowMapping common(const CommonConfig& config, const std::string& token_key = "bearer_token") {
  FlowMapping mapping;
  mapping.text("url", without_userinfo(config.endpoint.url))
      .text("unix_socket", config.endpoint.unix_socket);
  add_credentials(mapping, config.endpoint, token_key);
  mapping.nested("tls", tls(config.endpoint.tls))
      .raw("interval", duration(config.interval))
      .raw("timeout", duration(config.timeout));
  return mapping;
}

std::string etcd_section(const Config& config) {
  if (config.etcd.empty()) return "";
  std::string text = "etcd:\n";
  if (config.etcd_timings.heartbeat_interval) {
    text += fmt::format("  heartbeat_interval: {}\n",
                        duration(*config.etcd_timings.heartbeat_interval));
  }
  if (config.etcd_timings.election_timeout) {
    text +=
        fmt::format("  election_timeout: {}\n", duration(*config.etcd_timings.election_timeout));
  }
  // All members have the same credentials: they are written once, for the section.
  FlowMapping credentials;
  add_credentials(credentials, config.etcd.front().endpoint);
  for (const std::string& part : credentials.parts()) text += fmt::format("  {}\n", part);
  text +=
      fmt::format("  interval: {}\n  timeout: {}\n  members:\n",
                  duration(config.etcd.front().interval), duration(config.etcd.front().timeout));
  for (const etcd::Config& member : config.etcd) {
    FlowMapping mapping;
    mapping.text("name", member.target)
        .text("url", without_userinfo(member.endpoint.url))
        .text("metrics_url", without_userinfo(member.metrics_url))
        .nested("tls", tls(member.endpoint.tls));
    text += "    - " + mapping.take() + "\n";
  }
  return text;
}

std::string tailscale_section(const Config& config) {
  if (config.tailscale.empty()) return "";
  const tailscale::Config& first = config.tailscale.front();
  std::string text = fmt::format(
      "tailscale:\n  path_mtu: {}\n  interface_mtu: {}\n  interval: {}\n  timeout: {}\n  nodes:\n",
      first.path_mtu, first.interface_mtu, duration(first.interval), duration(first.timeout));
  for (const tailscale::Config& node : config.tailscale) {
    FlowMapping mapping;
    mapping.text("name", node.target)
        .text("socket", node.endpoint.unix_socket)
        .text("status_file", node.status_file);
    text += "    - " + mapping.take() + "\n";
  }
  return text;
}

std::string networks_section(const Config& config) {
  if (config.networks.empty()) return "";
  std::string text = "networks:\n";
  for (const NetworkSettings& network : config.networks) {
    std::vector<std::string> cidrs;
    for (const Prefix& prefix : network.cidrs) cidrs.push_back(prefix.text());
    FlowMapping mapping;
    mapping.text("name", network.name)
        .raw("cidrs", flow_list(cidrs))
        .raw("kind", std::string(network_kind_names[static_cast<std::size_t>(network.kind)]))
        .text("site", network.site);
    if (network.retired) mapping.raw("retired", "true");
    text += "  - " + mapping.take() + "\n";
  }
  return text;
}

std::string expect_section(const Config& config) {
  FlowMapping mapping;
  const Expectations& expect = config.expect;
  if (!expect.webhooks.empty()) mapping.raw("webhooks", flow_list(expect.webhooks));
  if (!expect.peers.empty()) mapping.raw("peers", flow_list(expect.peers));
  mapping.text("control_server", without_userinfo(expect.control_server));
  if (!expect.entry_addresses.empty()) {
    std::vector<std::string> addresses;
    for (const IpAddress& address : expect.entry_addresses) addresses.push_back(address.text());
    mapping.raw("entry_addresses", flow_list(addresses));
  }
  if (expect.resolve) mapping.raw("resolve", "true");
  if (expect.probe_routes) mapping.raw("probe_routes", "true");
  return mapping.take() == "{}" ? "" : "expect: " + mapping.take() + "\n";
}

std::string probes_section(const Config& config) {
  std::string text;
  for (const probes::Config& probe : config.probes) {
    if (probe.probes_routes()) continue;
    FlowMapping mapping;
    mapping
        .text("name", probe.target)
        // A query may hold a token.
        .text("url", without_userinfo(probe.endpoint.url.substr(0, probe.endpoint.url.find('?'))))
        .text("proxy", without_userinfo(probe.proxy))
        .raw("stall_timeout", duration(probe.stall_timeout))
        .nested("tls", tls(probe.endpoint.tls))
        .raw("interval", duration(probe.interval))
        .raw("timeout", duration(probe.timeout));
    text += "  - " + mapping.take() + "\n";
  }
  if (!text.empty()) return "probes:\n" + text;
  // A configuration that looks at nothing says so, or it is refused.
  return config.has_source() ? "" : "probes: []\n";
}

}  // namespace

std::string redacted_yaml(const Config& config) {
  std::string text =
      "# The configuration in force; a secret given by value shows as ${REDACTED}.\n";
  for (const auto& target : config.kubernetes) {
    // A kubeconfig's certificates and tokens are not repeated here: its path is enough.
    FlowMapping mapping = common(target);
    if (!target.kubeconfig.empty()) {
      mapping = FlowMapping()
                    .text("kubeconfig", target.kubeconfig)
                    .text("context", target.context)
                    .raw("interval", duration(target.interval))
                    .raw("timeout", duration(target.timeout));
    }
    if (!target.pods) mapping.raw("pods", "false");
    if (!target.config_maps) mapping.raw("config_maps", "false");
    if (!target.watch) mapping.raw("watch", "false");
    mapping.raw("full_list_interval", duration(target.full_list_interval));
    text += fmt::format("kubernetes: {}\n", mapping.take());
  }
  for (const auto& target : config.traefik)
    text += fmt::format("traefik: {}\n", common(target).take());
  for (const auto& target : config.headscale) {
    text += fmt::format("headscale: {}\n", common(target, "api_key").take());
  }
  for (const auto& target : config.linstor)
    text += fmt::format("linstor: {}\n", common(target).take());
  text += etcd_section(config) + tailscale_section(config) + networks_section(config) +
          expect_section(config) + probes_section(config);
  text += fmt::format("limits: {{series_per_family: {}}}\n", config.series_limit);
  return text;
}

std::string configuration_reference() {
  std::string text =
      "# Configuration\n\n"
      "Generated by `shortcircuit-exporter --print.configuration`; a test compares this file with "
      "the program.\n\n"
      "YAML, strict: an unknown or duplicate key, a wrong type or an impossible value is a "
      "problem, and all problems are\n"
      "reported in one run. `${NAME}` in a value is replaced by the environment variable (`$${` "
      "stands for `${`).\n"
      "A section that is absent switches its source off.\n";
  // The same section may be described in several places (tls): its keys are listed once.
  std::vector<std::string> sections;
  std::map<std::string, std::vector<KeyDescription>> keys;
  for (const KeyDescription& key : describe_config()) {
    auto& list = keys[key.section];
    if (list.empty()) sections.push_back(key.section);
    const bool known = std::any_of(list.begin(), list.end(),
                                   [&](const auto& other) { return other.key == key.key; });
    if (!known) list.push_back(key);
  }
  const auto cell = [](const std::string& plain) { return join(split(plain, '|'), "\\|"); };
  for (const std::string& section : sections) {
    text += fmt::format("\n## {}\n\n| key | type | default | meaning |\n|---|---|---|---|\n",
                        section.empty() ? "The document" : "`" + section + "`");
    for (const KeyDescription& key : keys[section]) {
      text += fmt::format("| `{}` | {} | {} | {} |\n", key.key, cell(key.type),
                          key.required           ? "required"
                          : key.fallback.empty() ? ""
                                                 : "`" + cell(key.fallback) + "`",
                          cell(key.description));
    }
  }
  return text;
}

}  // namespace shortcircuit
