#include <fmt/format.h>

#include "config/kubeconfig.h"
#include "config/sections.h"
#include "config/values.h"

namespace shortcircuit {

namespace {

constexpr const char* service_account = "/var/run/secrets/kubernetes.io/serviceaccount/";

// What every source that speaks HTTP has beside its URL.
void read_connection(YamlMapping& section, CommonConfig& config) {
  read_tls(section, config.endpoint.tls);
  read_credentials(section, config.endpoint);
  config.endpoint.unix_socket =
      read_path(
          section,
          {.name = "unix_socket",
           .description = "Connect to this socket; `url` then gives scheme, Host and path only"})
          .value_or("");
  read_timing(section, config);
}

// The kubelet tells it every pod. The name would need the cluster's DNS, whose end is to be seen.
std::string api_server_of_pod(const YamlMapping& section) {
  const auto host = section.variable("KUBERNETES_SERVICE_HOST").value_or("");
  const auto port = section.variable("KUBERNETES_SERVICE_PORT").value_or("");
  if (host.empty() || port.empty()) return "https://kubernetes.default.svc";
  const bool six = host.find(':') != std::string::npos;
  return fmt::format("https://{0}{1}{2}:{3}", six ? "[" : "", host, six ? "]" : "", port);
}

// The API server: in the cluster, by a kubeconfig, or by explicit keys.
void choose_api_server(YamlMapping& section, kubernetes::Config& config, bool for_replay) {
  if (!config.kubeconfig.empty()) {
    for (const std::string_view key :
         {"url", "tls", "basic_auth", "bearer_token", "bearer_token_file"}) {
      if (section.written(key)) {
        section.problem(
            key,
            fmt::format(
                "written beside kubeconfig, which says the same; expected one of kubeconfig and {}",
                key));
      }
    }
    if (for_replay) return;
    auto endpoint = read_kubeconfig(config.kubeconfig, config.context);
    if (endpoint) {
      config.endpoint = std::move(*endpoint);
    } else {
      for (ConfigProblem& problem : endpoint.error()) {
        // A file that cannot be read has no place of its own: who names it has.
        if (problem.line == 0) {
          section.problem("kubeconfig", problem.text());
        } else {
          section.problem(std::move(problem));
        }
      }
    }
    return;
  }
  if (section.written("context")) {
    section.problem("context", "written without kubeconfig, whose context it names; expected both");
  }
  if (section.written("url")) return;
  Endpoint& endpoint = config.endpoint;
  endpoint.url = api_server_of_pod(section);
  if (endpoint.bearer_token.empty() && endpoint.username.empty() &&
      endpoint.tls.cert_file.empty()) {
    endpoint.bearer_token = Secret::of_file(std::string(service_account) + "token");
  }
  if (endpoint.tls.ca_file.empty() && !endpoint.tls.insecure_skip_verify) {
    endpoint.tls.ca_file = std::string(service_account) + "ca.crt";
  }
}

}  // namespace

void read_kubernetes(YamlMapping& root, Config& config, bool for_replay) {
  const Key key{.name = "kubernetes",
                .description =
                    "The Kubernetes API. `{}` in a pod: the service account of the pod. Outside: "
                    "`kubeconfig`, or `url` with what it needs"};
  kubernetes::Config own;
  const bool written = root.mapping(key, [&](YamlMapping& section) {
    own.kubeconfig =
        read_path(section, {.name = "kubeconfig",
                            .description = "File that says where the API server is and who asks; "
                                           "client certificate or token, inline or by file"})
            .value_or("");
    own.context = read_text(section, {.name = "context",
                                      .description = "Context of the kubeconfig",
                                      .fallback = "its current-context"})
                      .value_or("");
    own.endpoint.url =
        read_url(section, {.name = "url",
                           .description = "API server",
                           .fallback = "what a pod is told (KUBERNETES_SERVICE_HOST and "
                                       "_PORT), else https://kubernetes.default.svc"})
            .value_or("");
    read_tls(section, own.endpoint.tls);
    read_credentials(section, own.endpoint);
    read_timing(section, own);
    own.pods = section
                   .boolean({.name = "pods",
                             .description = "Read pods: the load balancer's, the storage "
                                            "operator's, those behind webhooks and claims. "
                                            "Without, what is judged from them is unknown",
                             .fallback = "true"})
                   .value_or(true);
    own.config_maps = section
                          .boolean({.name = "config_maps",
                                    .description = "Look for proxy URLs in ConfigMaps. Without, "
                                                   "whether a proxy is stale is not fully known",
                                    .fallback = "true"})
                          .value_or(true);
    own.watch = section
                    .boolean({.name = "watch",
                              .description = "Follow what changes instead of listing everything in "
                                             "each poll; where that is refused, lists",
                              .fallback = "true"})
                    .value_or(true);
    const std::string default_full_list = written_duration(own.full_list_interval);
    own.full_list_interval =
        read_duration(section,
                      {.name = "full_list_interval",
                       .description = "So often everything is listed although changes are "
                                      "followed: for so long a watch that says nothing is believed",
                       .fallback = default_full_list})
            .value_or(own.full_list_interval);
    if (!section.describing()) choose_api_server(section, own, for_replay);
  });
  if (written) config.kubernetes.push_back(std::move(own));
}

void read_traefik(YamlMapping& root, Config& config) {
  const Key key{.name = "traefik", .description = "Traefik's API"};
  traefik::Config own;
  const bool written = root.mapping(key, [&](YamlMapping& section) {
    own.endpoint.url =
        read_url(section,
                 {.name = "url",
                  .description = "Where `/api` is, for example `http://traefik.kube-system:8080`",
                  .required = true})
            .value_or("");
    read_connection(section, own);
  });
  if (written) config.traefik.push_back(std::move(own));
}

void read_headscale(YamlMapping& root, Config& config, bool for_replay) {
  const Key key{.name = "headscale", .description = "Headscale's API"};
  headscale::Config own;
  const bool written = root.mapping(key, [&](YamlMapping& section) {
    own.endpoint.url =
        read_url(section,
                 {.name = "url",
                  .description = "Where `/api/v1` is, for example `https://headscale.example.org`",
                  .required = true},
                 {.basic_auth = false})
            .value_or("");
    own.endpoint.bearer_token =
        read_secret(section, "api_key", "Key made by `headscale apikeys create`");
    if (!section.describing() && !for_replay && !section.written("api_key") &&
        !section.written("api_key_file")) {
      section.problem(section.place(), "no API key; expected api_key_file or api_key");
    }
    read_tls(section, own.endpoint.tls);
    own.endpoint.unix_socket =
        read_path(
            section,
            {.name = "unix_socket",
             .description = "Connect to this socket; `url` then gives scheme, Host and path only"})
            .value_or("");
    read_timing(section, own);
  });
  if (written) config.headscale.push_back(std::move(own));
}

void read_linstor(YamlMapping& root, Config& config) {
  const Key key{.name = "linstor", .description = "The LINSTOR controller's REST API"};
  linstor::Config own;
  const bool written = root.mapping(key, [&](YamlMapping& section) {
    own.endpoint.url =
        read_url(section,
                 {.name = "url",
                  .description =
                      "Controller, for example `http://linstor-controller.piraeus-datastore:3370`",
                  .required = true})
            .value_or("");
    read_connection(section, own);
  });
  if (written) config.linstor.push_back(std::move(own));
}

void read_etcd(YamlMapping& root, Config& config) {
  const Key key{.name = "etcd", .description = "The members of etcd"};
  root.mapping(key, [&](YamlMapping& section) {
    const Key heartbeat{.name = "heartbeat_interval",
                        .description =
                            "As etcd was started with; its API does not tell. Without it round "
                            "trips have no budget"};
    const Key election{.name = "election_timeout",
                       .description = "As etcd was started with; its API does not tell"};
    EtcdTimings& timings = config.etcd_timings;
    timings.heartbeat_interval = read_duration(section, heartbeat);
    timings.election_timeout = read_duration(section, election);
    if (timings.heartbeat_interval && timings.election_timeout &&
        *timings.election_timeout < 5 * *timings.heartbeat_interval) {
      section.problem("election_timeout",
                      fmt::format("expected at least five times the heartbeat_interval, without "
                                  "which etcd does not start; did you mean {}?",
                                  written_duration(10 * *timings.heartbeat_interval)));
    }
    CommonConfig common;
    read_tls(section, common.endpoint.tls);
    read_credentials(section, common.endpoint);
    read_timing(section, common);
    UniqueNames names;
    section.each(
        {.name = "members",
         .description = "Every member; quorum is counted over them",
         .required = true},
        [&](YamlMapping& member) {
          etcd::Config own;
          static_cast<CommonConfig&>(own) = common;
          own.target = read_name(member, {.name = "name",
                                          .description =
                                              "Name of the member, as the label `member` shows it",
                                          .required = true})
                           .value_or("");
          own.endpoint.url =
              read_url(member,
                       {.name = "url",
                        .description =
                            "Client URL with the full API, for example `https://192.0.2.1:2379`"})
                  .value_or("");
          own.metrics_url =
              read_url(member, {.name = "metrics_url",
                                .description = "Metrics alone (K3s, `--listen-metrics-urls`), for "
                                               "example `http://192.0.2.1:2381/metrics`",
                                .fallback = "url + /metrics"})
                  .value_or("");
          read_tls(member, own.endpoint.tls);
          if (member.describing()) return;
          if (!member.written("url") && !member.written("metrics_url")) {
            member.problem(member.place(),
                           "neither url nor metrics_url is written; expected one of them, or both");
          }
          const std::optional<Url> metrics = parse_url(own.metrics_url);
          if (metrics && metrics->path.empty()) own.metrics_url += "/metrics";
          if (!own.target.empty()) names.add(member, "name", own.target);
          config.etcd.push_back(std::move(own));
        });
  });
}

void read_tailscale(YamlMapping& root, Config& config) {
  const Key key{.name = "tailscale",
                .description = "The tailscaled of one or more nodes, by their sockets"};
  root.mapping(key, [&](YamlMapping& section) {
    tailscale::Config common;
    common.path_mtu =
        section
            .boolean({.name = "path_mtu",
                      .description = "Measure path MTUs: tailscaled is asked to ping "
                                     "its peers with a size, at most one a second. `check` and "
                                     "`capture` wait for all of them, some seconds for each whose "
                                     "path is narrow",
                      .fallback = "false"})
            .value_or(false);
    // Below, a small ping would be none; above, a ping would not fit into an Ethernet frame.
    common.interface_mtu = static_cast<int>(
        read_integer(
            section,
            {.name = "interface_mtu",
             .description = "MTU of the tunnel's interface, when `TS_DEBUG_MTU` changes it: "
                            "what a path must let pass follows from it",
             .fallback = "1280"},
            1000, 1440)
            .value_or(common.interface_mtu));
    read_timing(section, common);
    UniqueNames names;
    section.each(
        {.name = "nodes",
         .description = "Each tailscaled that can be reached from here",
         .required = true},
        [&](YamlMapping& node) {
          tailscale::Config own = common;
          own.target =
              read_name(node, {.name = "name",
                               .description =
                                   "Name of the node in the mesh, as the label `from` shows it",
                               .required = true})
                  .value_or("");
          own.endpoint.unix_socket =
              read_path(node,
                        {.name = "socket",
                         .description =
                             "Socket of tailscaled, for example "
                             "`/var/run/tailscale/tailscaled.sock`; either this or `status_file`"})
                  .value_or("");
          own.status_file =
              read_path(node, {.name = "status_file",
                               .description = "File with the output of `tailscale status --json`, "
                                              "kept fresh by somebody else: one older than 10 "
                                              "minutes tells `serve` nothing"})
                  .value_or("");
          if (node.describing()) return;
          const bool socket = node.written("socket");
          const bool status_file = node.written("status_file");
          if (socket && status_file) {
            node.problem("status_file",
                         "written beside socket; expected one of socket and status_file");
          } else if (!socket && !status_file) {
            node.problem(node.place(),
                         "neither socket nor status_file is written; expected one of them");
          }
          if (!own.target.empty()) names.add(node, "name", own.target);
          config.tailscale.push_back(std::move(own));
        });
  });
}

}  // namespace shortcircuit
