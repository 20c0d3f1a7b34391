#include "fleet/router_states.h"

#include <algorithm>
#include <string>
#include <unordered_map>

namespace shortcircuit {
namespace {

class Services {
 public:
  explicit Services(const traefik::State& traefik) {
    for (const auto& service : traefik.services) by_name_.try_emplace(service.name, &service);
  }

  // Null: Traefik has none of that name.
  [[nodiscard]] const traefik::Service* find(std::string name, const std::string& provider) const {
    if (name.find('@') == std::string::npos) name += "@" + provider;
    const auto found = by_name_.find(name);
    return found == by_name_.end() ? nullptr : found->second;
  }

  // `depth`: legs may lead in circles.
  [[nodiscard]] bool all_servers_down(const traefik::Service* service, int depth) const {
    if (service == nullptr || depth == 0) return false;
    if (service->legs.empty())
      return service->servers_down > 0 && service->servers_down == service->server_urls.size();
    return std::ranges::all_of(service->legs, [&](const std::string& leg) {
      return all_servers_down(find(leg, service->provider), depth - 1);
    });
  }

 private:
  std::unordered_map<std::string, const traefik::Service*> by_name_;  // `name@provider`
};

bool can_have_server(const traefik::Service* service) {
  if (service == nullptr) return false;
  // Weighted ones and the like have no servers of their own; they exist only when every leg does.
  return (!service->type.empty() && service->type != "loadbalancer") ||
         !service->server_urls.empty();
}

RouterState state_of(const traefik::Router& router, const traefik::Service* service,
                     const Services& services) {
  if (router.status == "disabled") return RouterState::disabled;
  // Services of Traefik's own (api@internal, noop@internal) have no servers and need none.
  if (router.service.ends_with("@internal")) return RouterState::alive;
  if (services.all_servers_down(service, 8)) return RouterState::servers_down;
  return can_have_server(service) ? RouterState::alive : RouterState::no_servers;
}

}  // namespace

RouterStates::RouterStates(const traefik::State* traefik) {
  if (traefik == nullptr) return;
  const Services services(*traefik);
  routers_.reserve(traefik->routers.size());
  for (const auto& router : traefik->routers) {
    const auto* service = services.find(router.service, router.provider);
    routers_.push_back(
        {.state = state_of(router, service, services), .has_server = can_have_server(service)});
  }
}

}  // namespace shortcircuit
