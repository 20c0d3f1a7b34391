#include "checks/asked_addresses.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "fleet/middleware_target.h"

namespace shortcircuit {
namespace {

// Each literal address among the URLs, once.
class LiteralAddresses {
 public:
  [[nodiscard]] std::optional<IpAddress> next(const std::string& text) {
    const auto url = parse_url(text);
    const auto address = url ? url->address() : std::nullopt;
    return address && seen_.insert(*address).second ? address : std::nullopt;
  }

 private:
  std::set<IpAddress> seen_;
};

void add_forward_addresses(const Fleet& fleet, std::vector<AskedAddress>& asked) {
  const MiddlewareObjects middlewares(fleet);
  for (const auto& [name, middleware] : middlewares.all()) {
    const auto address = forward_target(*middleware).address;
    if (!address) continue;
    asked.push_back(
        {.kind = "Middleware",
         .object = name.text(),
         .address = *address,
         .breaks = "every route behind this middleware answers an error",
         .cure = fmt::format("kubectl -n {} edit middleware {}   # spec.forwardAuth.address",
                             name.namespace_name, name.name)});
  }
}

void add_webhook_urls(const kubernetes::State& cluster, std::vector<AskedAddress>& asked) {
  for (const auto* list : {&cluster.validating_webhooks, &cluster.mutating_webhooks}) {
    for (const auto& configuration : list->items) {
      LiteralAddresses addresses;
      for (const auto& webhook : configuration.webhooks) {
        const auto address = addresses.next(webhook.url);
        if (!address) continue;
        asked.push_back({.kind = "WebhookConfiguration",
                         .object = configuration.name,
                         .address = *address,
                         .breaks = "the API server cannot call the webhook, and refuses writes or "
                                   "lets them pass unchecked",
                         .cure = fmt::format("kubectl edit {} {}   # webhooks[].clientConfig.url",
                                             configuration.kind, configuration.name)});
      }
    }
  }
}

// Servers that somebody wrote into another provider of Traefik's than the cluster.
void add_servers(const traefik::State& traefik, std::vector<AskedAddress>& asked) {
  constexpr std::array<std::string_view, 6> by_hand{"file", "http",  "consul",
                                                    "etcd", "redis", "zookeeper"};
  for (const auto& service : traefik.services) {
    if (std::ranges::find(by_hand, service.provider) == by_hand.end()) continue;
    LiteralAddresses addresses;
    for (const std::string& server : service.server_urls) {
      const auto address = addresses.next(server);
      if (!address) continue;
      asked.push_back({.kind = "TraefikService",
                       .object = service.name,
                       .address = *address,
                       .breaks = "requests to this service meet a dead address",
                       .cure = fmt::format("# {} in the configuration of Traefik's provider {}",
                                           service.name, service.provider)});
    }
  }
}

}  // namespace

std::vector<AskedAddress> asked_addresses(const Fleet& fleet) {
  std::vector<AskedAddress> asked;
  if (fleet.traefik() != nullptr) add_servers(*fleet.traefik(), asked);
  if (const auto* cluster = fleet.cluster()) {
    add_forward_addresses(fleet, asked);
    add_webhook_urls(*cluster, asked);
  }
  return asked;
}

}  // namespace shortcircuit
