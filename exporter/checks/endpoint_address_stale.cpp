#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/text.h"
#include "checks/address.h"
#include "checks/check.h"
#include "checks/unknown.h"
#include "fleet/middleware_target.h"

namespace shortcircuit {
namespace {

struct Group {
  std::vector<std::string> addresses;
  std::vector<std::string> because;
};

// `10.0.0.1 and 10.0.0.2: each lies in the retired network old`; each with its own words where they
// differ.
std::string what_is_stale(const Group& group) {
  const bool alike =
      std::all_of(group.because.begin(), group.because.end(),
                  [&](const std::string& because) { return because == group.because.front(); });
  if (alike) {
    return fmt::format("{}: {} {}", enumerate(group.addresses, 6),
                       group.addresses.size() == 1 ? "it" : "each", group.because.front());
  }
  std::vector<std::string> parts;
  for (std::size_t i = 0; i < group.addresses.size(); ++i) {
    parts.push_back(fmt::format("{} {}", group.addresses[i], group.because[i]));
  }
  return enumerate(parts, 4);
}

// Where requests go: to the ready ones alone.
struct Ready {
  std::size_t stale = 0;
  std::size_t others = 0;
};

std::string rest_of(const Ready& ready) {
  if (ready.others == 0) return "no other address is left";
  const std::string others = ready.others == 1
                                 ? std::string("1 other address is left")
                                 : fmt::format("{} other addresses are left", ready.others);
  return others + (ready.stale == 0 ? ", and only those are ready, so requests go to them alone"
                                    : ", so requests fail by turns");
}

void add_findings(const Fleet& fleet, const kubernetes::ObjectName& service,
                  const std::map<std::string, Group>& stale, const Ready& ready,
                  const ServiceEndpoints& endpoints, Verdict& verdict) {
  const bool external_name = endpoints.service->type == "ExternalName";
  const std::string rest = rest_of(ready);
  const Severity severity = ready.others == 0  ? Severity::critical
                            : ready.stale == 0 ? Severity::info
                                               : Severity::warning;
  for (const auto& [reason, group] : stale) {
    const std::string edit =
        external_name
            ? fmt::format("kubectl -n {} edit service {}   # spec.externalName: {}",
                          service.namespace_name, service.name, advice_for(fleet, reason))
            : fmt::format("{}   # {}", endpoints.edit_command(), advice_for(fleet, reason));
    std::vector<FindingPart> parts;
    for (const std::string& address : group.addresses) parts.push_back({.name = address});
    verdict.findings.push_back({.severity = severity,
                                .reason = reason,
                                .kind = "Service",
                                .object = service.text(),
                                .message = fmt::format("Service {} leads to {}; {}.",
                                                       service.text(), what_is_stale(group), rest),
                                .cure = edit,
                                .parts = std::move(parts)});
  }
}

// forwardAuth of Middlewares; one that no route uses stops nobody.
void judge_forward_addresses(const Fleet& fleet, Verdict& verdict, bool& needs_mesh) {
  const MiddlewareObjects middlewares(fleet);
  const AddressJudge judge(fleet);
  std::set<kubernetes::ObjectName> used;
  for (const Route& route : fleet.routes) {
    for (const RouteMiddleware& item : route.middlewares) {
      if (const auto* middleware = middlewares.of(item)) used.insert(middleware->name);
    }
  }
  for (const auto& [name, middleware] : middlewares.all()) {
    const auto address = forward_target(*middleware).address;
    if (!address) continue;
    const AddressJudgement judgement = judge.judge(*address);
    needs_mesh = needs_mesh || judgement.needs_mesh;
    if (judgement.state != AddressState::stale) continue;
    const bool hurts = used.contains(name);
    verdict.findings.push_back(
        {.severity = hurts ? Severity::critical : Severity::warning,
         .reason = judgement.reason,
         .kind = "Middleware",
         .object = name.text(),
         .message = fmt::format("Middleware {} asks {} whether a request may pass, and it {}; {}.",
                                name.text(), address->text(), judgement.because,
                                hurts ? "each of them ends in an error" : "no route uses it"),
         .cure = fmt::format("kubectl -n {} edit middleware {}   # spec.forwardAuth.address: {}",
                             name.namespace_name, name.name, advice_for(fleet, judgement.reason))});
  }
}

Verdict judge_endpoints(const Fleet& fleet) {
  if (fleet.config.kubernetes.empty()) return not_applicable();
  Verdict verdict;
  if (!need(fleet.snapshot.kubernetes, "Kubernetes", verdict)) return verdict;
  const auto& cluster = *fleet.cluster();
  if (!need(cluster.services, "services", verdict)) return verdict;
  // With Endpoints alone a Service whose slices somebody wrote himself shows no address.
  const auto& services = fleet.endpoints.all();
  const bool uncertain = std::any_of(services.begin(), services.end(), [](const auto& entry) {
    return entry.second.hand_kept() && !entry.second.certain;
  });
  if (!fleet.endpoints.known() || uncertain) {
    verdict.unknown.push_back("Kubernetes endpointslices: " +
                              cluster.endpoint_slices.error.message);
  }
  // What tells pods from strangers cannot be told without the nodes.
  need(cluster.nodes, "nodes", verdict);
  const auto judged = judge_endpoint_addresses(fleet);
  bool needs_mesh = false;
  for (std::size_t i = 0; i < judged.size();) {
    const kubernetes::ObjectName& service = judged[i].service;
    std::map<std::string, Group> stale;
    Ready ready;
    for (; i < judged.size() && judged[i].service == service; ++i) {
      const AddressJudgement& judgement = judged[i].judgement;
      needs_mesh = needs_mesh || judgement.needs_mesh;
      if (judgement.state == AddressState::stale) {
        stale[judgement.reason].addresses.push_back(judged[i].address);
        stale[judgement.reason].because.push_back(judgement.because);
        ready.stale += judged[i].ready ? 1 : 0;
      } else {
        ready.others += judged[i].ready ? 1 : 0;
      }
    }
    const auto* endpoints = fleet.endpoints.find(service);
    add_findings(fleet, service, stale, ready, *endpoints, verdict);
  }
  need(cluster.middlewares, "middlewares", verdict);
  judge_forward_addresses(fleet, verdict, needs_mesh);
  if (needs_mesh) {
    if (fleet.config.headscale.empty()) {
      verdict.unknown.push_back("tailscale: no tailscaled could be read");
    } else {
      need(fleet.snapshot.headscale, "Headscale", verdict);
    }
  }
  return verdict;
}

}  // namespace

const CheckDefinition endpoint_address_stale_check{
    .name = "endpoint_address_stale",
    .layer = Layer::endpoint_address,
    .question =
        "Does every endpoint address that is kept by hand, and every address that a forwardAuth "
        "asks, still belong to something?",
    .reasons = {{"retired_network", "It lies in a network that the configuration calls retired."},
                {"no_such_peer", "It lies in the tailnet, and no peer has it."},
                {"no_such_node", "It lies in the pods' range, and no node has that block."},
                {"peer_offline", "It belongs to a peer that is offline."},
                {"peer_expired", "It belongs to a peer whose key is expired."}},
    .judge = judge_endpoints};

}  // namespace shortcircuit
