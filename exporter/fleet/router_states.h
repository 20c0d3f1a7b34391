// What Traefik tells of each of its routers, found out once a snapshot: many checks ask for it, for
// every route.
#pragma once

#include <cstddef>
#include <vector>

#include "sources/traefik/state.h"

namespace shortcircuit {

enum class RouterState {
  unknown,  // Traefik is off, unread or just started, the route is new, or not of HTTP
  alive,    // enabled, and its service can have servers
  absent,
  disabled,
  no_servers,    // enabled, and its service has none (or is not there)
  servers_down,  // enabled, and Traefik's own health check calls every server DOWN
};

class RouterStates {
 public:
  // Null: Traefik is off or unread. Keeps nothing of it.
  explicit RouterStates(const traefik::State* traefik);

  // As far as Traefik tells, whatever its age: alive, disabled, no_servers or servers_down.
  // `router`: index into the state's routers.
  [[nodiscard]] RouterState of(std::size_t router) const { return routers_[router].state; }
  // Its service exists and has a server, whatever the router's own state is and whether the server
  // answers.
  [[nodiscard]] bool has_server(std::size_t router) const { return routers_[router].has_server; }

 private:
  struct Facts {
    RouterState state = RouterState::unknown;
    bool has_server = false;
  };
  std::vector<Facts> routers_;
};

}  // namespace shortcircuit
