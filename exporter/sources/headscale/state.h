// What the exporter keeps of Headscale: the control server's view of the mesh.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/time.h"

namespace shortcircuit::headscale {

struct Node {
  std::string id;
  std::string given_name;  // the unique one
  std::string host_name;
  std::string user;
  std::vector<IpAddress> addresses;
  // A server that does not say (`online_known` false) is not taken for one that says no.
  bool online = false;
  bool online_known = true;
  std::optional<Time> last_seen;  // set on connect and disconnect only
  std::optional<Time> expiry;     // nothing = never
  std::vector<std::string> tags;
  std::vector<std::string> approved_routes;
  std::vector<std::string> available_routes;

  // Its addresses lead nowhere: it is offline, or being cut off.
  [[nodiscard]] bool away(Time now) const {
    return (online_known && !online) || (expiry && *expiry <= now);
  }
};

struct ApiKey {
  std::string prefix;
  std::optional<Time> expiration;
};

struct PreAuthKey {
  std::string id;
  bool reusable = false;
  bool used = false;
  std::optional<Time> expiration;
};

struct State {
  static constexpr Duration history{0s};  // Observed::earlier
  std::optional<bool> healthy;            // /health; nothing: not answered
  std::vector<Node> nodes;
  std::vector<ApiKey> api_keys;
  std::vector<PreAuthKey> pre_auth_keys;
};

}  // namespace shortcircuit::headscale
