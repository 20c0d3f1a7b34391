// Literal addresses that Traefik and the API server ask by themselves, beside the endpoints of
// Services: forwardAuth of Middlewares, URLs of webhooks, servers of Traefik's providers that
// somebody writes by hand. Pure; what cannot be read has none.
#pragma once

#include <string>
#include <vector>

#include "fleet/fleet.h"

namespace shortcircuit {

struct AskedAddress {
  std::string kind;
  std::string object;
  IpAddress address;
  std::string breaks;  // what happens when nobody answers there
  std::string cure;
};

std::vector<AskedAddress> asked_addresses(const Fleet& fleet);

}  // namespace shortcircuit
