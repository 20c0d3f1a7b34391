#include "exposition/judgement_metrics.h"

#include <array>
#include <map>
#include <set>

#include "checks/address.h"
#include "checks/entry.h"
#include "checks/route_probes.h"

namespace shortcircuit {
namespace {

enum Index {
  finding,
  finding_since,
  layer_findings,
  route_up,
  route_link_broken,
  route_cause,
  network_dependents,
  webhook_present,
  webhook_expiry,
  flannel_matches,
  entry_covered,
  webhook_backend_ready,
  endpoint_addresses,
  endpoint_stale_since,
  probe_unexplained,
};

const std::array<MetricDefinition, 15> definitions{{
    {"shortcircuit_finding",
     MetricKind::gauge,
     "Always 1: something is wrong, or (severity info) worth knowing.",
     {"check", "layer", "severity", "reason", "kind", "object"}},
    {"shortcircuit_finding_since_timestamp_seconds",
     MetricKind::gauge,
     "Since when the finding stands without interruption, as far as this process saw.",
     {"check", "layer", "severity", "reason", "kind", "object"}},
    {"shortcircuit_layer_findings",
     MetricKind::gauge,
     "Critical and warning findings of the layer; 0 when it is fine, absent when it cannot be "
     "judged.",
     {"layer"}},
    {"shortcircuit_route_up",
     MetricKind::gauge,
     "1 when every link of the public route holds, 0 when one is broken; absent when unknown.",
     {"host", "path", "object"}},
    {"shortcircuit_route_link_broken",
     MetricKind::gauge,
     "Always 1: this link of the route is broken.",
     {"host", "path", "object", "link", "reason"}},
    {"shortcircuit_route_cause",
     MetricKind::gauge,
     "Always 1: the first broken link of the route in walking order, by its layer.",
     {"host", "path", "object", "layer", "reason"}},
    {"shortcircuit_network_dependents",
     MetricKind::gauge,
     "How many things depend on an address in the network; 0 only where that kind could be asked.",
     {"network", "retired", "dependency"}},
    {"shortcircuit_webhook_present",
     MetricKind::gauge,
     "1 when the webhook configuration exists; 0 when it is expected and absent.",
     {"object"}},
    {"shortcircuit_webhook_certificate_expiry_timestamp_seconds",
     MetricKind::gauge,
     "When the CA bundle of the webhook configuration expires (the earliest of its webhooks).",
     {"object"}},
    {"shortcircuit_kubernetes_flannel_address_matches",
     MetricKind::gauge,
     "1 when the node's flannel annotations name an internal address of the node.",
     {"node_name"}},
    {"shortcircuit_kubernetes_entry_covered",
     MetricKind::gauge,
     "1 when a ready load balancer answers on the entry address, 0 when none does.",
     {"address"}},
    {"shortcircuit_webhook_backend_ready",
     MetricKind::gauge,
     "1 when every webhook of the configuration has a Service with a ready endpoint; absent "
     "where that cannot be judged (endpoints that were not read, a URL, an ExternalName).",
     {"object"}},
    {"shortcircuit_endpoint_addresses",
     MetricKind::gauge,
     "Addresses of a Service whose endpoints are kept by hand, by what is known of them.",
     {"object", "state"}},
    {"shortcircuit_endpoint_address_stale_since_timestamp_seconds",
     MetricKind::gauge,
     "Since when the address is known to be stale, as far as this process saw.",
     {"object", "address", "reason"}},
    {"shortcircuit_probe_unexplained",
     MetricKind::gauge,
     "1 when the probe fails, no finding is about it and no link of the route that it asks for is "
     "known to be broken; else 0.",
     {"probe"}},
}};

void describe_findings(const Judgement& judgement, MetricSet& metrics) {
  for (const Finding& item : judgement.findings) {
    const std::vector<std::string> labels{std::string(item.check),
                                          std::string(name_of(item.layer)),
                                          std::string(name_of(item.severity)),
                                          item.reason,
                                          item.kind,
                                          item.object};
    metrics.add(definitions[finding], labels, 1);
    metrics.add(definitions[finding_since], labels, unix_seconds(item.since));
  }
  for (const LayerState& state : judgement.layers) {
    if (state.status == LayerStatus::ok || state.status == LayerStatus::broken) {
      metrics.add(definitions[layer_findings], {std::string(name_of(state.layer))},
                  static_cast<double>(state.findings));
    }
  }
}

// The rules of one object, or an Ingress and an IngressRoute of one name, may lead to the same host
// and path: one series speaks for all of them, and the worst of them is heard.
struct RouteSeries {
  LinkStatus status = LinkStatus::ok;
  std::set<std::pair<std::string, std::string>> broken;  // link and reason
  const RouteLink* cause = nullptr;                      // the first walk's that has one
};

void describe_routes(const Judgement& judgement, MetricSet& metrics) {
  std::map<std::vector<std::string>, RouteSeries> all;  // by labels
  for (const RouteWalk& walk : judgement.routes) {
    RouteSeries& series = all[{walk.route.host, walk.route.path, walk.route.object.text()}];
    const LinkStatus status = walk.status();
    const bool worse = status == LinkStatus::broken || series.status == LinkStatus::ok;
    if (worse) series.status = status;
    for (const RouteLink& link : walk.links) {
      if (link.status == LinkStatus::broken) series.broken.emplace(link.link, link.reason);
    }
    if (walk.cause && series.cause == nullptr) series.cause = &walk.links[*walk.cause];
  }
  for (const auto& [labels, series] : all) {
    if (series.status != LinkStatus::unknown) {
      metrics.add(definitions[route_up], labels, series.status == LinkStatus::ok ? 1 : 0);
    }
    const auto with = [&of = labels](std::string_view one, std::string_view other) {
      std::vector<std::string> more = of;
      more.insert(more.end(), {std::string(one), std::string(other)});
      return more;
    };
    for (const auto& [link, reason] : series.broken)
      metrics.add(definitions[route_link_broken], with(link, reason), 1);
    if (series.cause != nullptr) {
      metrics.add(definitions[route_cause],
                  with(name_of(series.cause->layer), series.cause->reason), 1);
    }
  }
}

void describe_dependents(const Fleet& fleet, const Judgement& judgement, MetricSet& metrics) {
  std::map<std::pair<std::string, std::string>, double> counts;
  // A network that the user named shows zeros: that is how one sees that it can go. So a kind that
  // could not be looked for shows none.
  for (const NetworkSettings& network : fleet.config.networks) {
    for (const std::string& kind : judgement.dependencies_known) counts[{network.name, kind}] = 0;
  }
  for (const Dependent& dependent : judgement.dependents) {
    ++counts[{dependent.network, dependent.dependency}];
  }
  for (const auto& [key, count] : counts) {
    const Network* network = fleet.networks.find(key.first);
    metrics.add(definitions[network_dependents],
                {key.first, network != nullptr && network->retired ? "true" : "false", key.second},
                count);
  }
}

// Without a finding: can that mean that its Service has a ready endpoint?
bool is_judged(const Fleet& fleet, const kubernetes::Webhook& webhook) {
  if (!webhook.service || !fleet.endpoints.known()) return false;
  const auto* endpoints = fleet.endpoints.find(*webhook.service);
  return endpoints != nullptr && endpoints->certain && endpoints->service->type != "ExternalName";
}

void describe_webhooks(const Fleet& fleet, const Judgement& judgement, MetricSet& metrics) {
  const auto* cluster = state_of(fleet.snapshot.kubernetes);
  if (cluster == nullptr || !cluster->validating_webhooks.known() ||
      !cluster->mutating_webhooks.known()) {
    return;
  }
  std::map<std::string, std::optional<Time>> expiries;
  std::set<std::string> not_judged;
  for (const auto* list : {&cluster->validating_webhooks, &cluster->mutating_webhooks}) {
    for (const auto& configuration : list->items) {
      auto& earliest = expiries[configuration.name];
      for (const auto& webhook : configuration.webhooks) {
        if (!is_judged(fleet, webhook)) not_judged.insert(configuration.name);
        if (webhook.ca.expires && (!earliest || *webhook.ca.expires < *earliest)) {
          earliest = webhook.ca.expires;
        }
      }
    }
  }
  for (const auto& [name, expiry] : expiries) {
    metrics.add(definitions[webhook_present], {name}, 1);
    if (expiry) metrics.add(definitions[webhook_expiry], {name}, unix_seconds(*expiry));
    bool ready = true;
    for (const Finding& item : judgement.findings) {
      if (item.check == "webhook_unavailable" && item.object == name &&
          !item.reason.starts_with("ca_")) {
        ready = false;
      }
    }
    if (!ready || !not_judged.contains(name)) {
      metrics.add(definitions[webhook_backend_ready], {name}, ready ? 1 : 0);
    }
  }
  for (const std::string& name : fleet.config.expect.webhooks) {
    if (!expiries.contains(name)) metrics.add(definitions[webhook_present], {name}, 0);
  }
}

void describe_endpoints(const Fleet& fleet, const Judgement& judgement, MetricSet& metrics) {
  std::map<std::pair<std::string, AddressState>, double> counts;
  for (const Finding& item : judgement.findings) {
    if (item.check != "endpoint_address_stale") continue;
    for (const FindingPart& address : item.parts) {
      metrics.add(definitions[endpoint_stale_since], {item.object, address.name, item.reason},
                  unix_seconds(address.since));
    }
  }
  for (const EndpointAddress& endpoint : judge_endpoint_addresses(fleet)) {
    const std::string object = endpoint.service.text();
    for (const auto state : {AddressState::live, AddressState::stale, AddressState::unknown}) {
      counts[{object, state}] += state == endpoint.judgement.state ? 1 : 0;
    }
  }
  for (const auto& [key, count] : counts) {
    metrics.add(definitions[endpoint_addresses],
                {key.first, std::string(address_state_names[static_cast<std::size_t>(key.second)])},
                count);
  }
}

void describe_entries(const Fleet& fleet, MetricSet& metrics) {
  for (const Entry& entry : judge_entry_addresses(fleet)) {
    if (entry.status == Entry::Status::unknown || entry.public_address) continue;
    metrics.add(definitions[entry_covered], {entry.address.text()},
                entry.status == Entry::Status::covered && entry.away.empty() ? 1 : 0);
  }
}

void describe_nodes(const Fleet& fleet, const Judgement& judgement, MetricSet& metrics) {
  const auto* cluster = state_of(fleet.snapshot.kubernetes);
  if (cluster == nullptr) return;
  std::set<std::string> mismatched;
  for (const Finding& item : judgement.findings) {
    if (item.check == "flannel_address_mismatch") mismatched.insert(item.object);
  }
  for (const auto& node : cluster->nodes.items) {
    if (node.flannel_addresses.empty()) continue;
    metrics.add(definitions[flannel_matches], {node.name}, mismatched.contains(node.name) ? 0 : 1);
  }
}

void describe_probes(const Fleet& fleet, const Judgement& judgement, MetricSet& metrics) {
  const auto explained = explained_probes(fleet, judgement);
  for (const auto& observed : fleet.snapshot.probes) {
    if (!observed.state) continue;
    for (const probes::Outcome& outcome : observed.state->outcomes) {
      if (outcome.unknown) continue;
      metrics.add(definitions[probe_unexplained], {outcome.name},
                  outcome.succeeded() || explained.contains(outcome.name) ? 0 : 1);
    }
  }
}

}  // namespace

void describe_judgement(const Fleet& fleet, const Judgement& judgement, MetricSet& metrics) {
  describe_findings(judgement, metrics);
  describe_routes(judgement, metrics);
  describe_dependents(fleet, judgement, metrics);
  describe_webhooks(fleet, judgement, metrics);
  describe_endpoints(fleet, judgement, metrics);
  describe_entries(fleet, metrics);
  describe_nodes(fleet, judgement, metrics);
  describe_probes(fleet, judgement, metrics);
}

std::span<const MetricDefinition> judgement_metric_definitions() { return definitions; }

}  // namespace shortcircuit
