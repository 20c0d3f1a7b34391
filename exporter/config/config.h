// The finalized configuration: everything checked, defaults filled in. load_config() makes it;
// past start-up nothing asks whether it is valid. Immutable and free to share between threads.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/time.h"
#include "sources/every_config.h"

namespace shortcircuit {

enum class NetworkKind {
  lan,
  overlay,
  tailnet,
  pods,
  services,
  node,
  loopback,
  link_local,
  cgnat,
  private_use,
  public_internet
};
inline constexpr std::array<std::string_view, 11> network_kind_names{
    "lan",      "overlay",    "tailnet", "pods",    "services", "node",
    "loopback", "link_local", "cgnat",   "private", "public"};

struct NetworkSettings {
  std::string name;
  std::vector<Prefix> cidrs;
  NetworkKind kind =
      NetworkKind::lan;  // lan, overlay, tailnet, pods, services, public may be written
  std::string site;      // "" = not said
  bool retired = false;
};

struct Expectations {
  std::vector<std::string> webhooks;  // names of Validating- or MutatingWebhookConfigurations
  std::vector<std::string> peers;     // must be online
  std::string control_server;         // URL that every tailscaled obeys; "" = not said
  std::vector<IpAddress> entry_addresses;
  bool resolve = false;       // ask DNS for the host of each route
  bool probe_routes = false;  // ask each entry address for each route's host
};

struct EtcdTimings {
  std::optional<Duration> heartbeat_interval;  // nothing: not written, the budget is unknown
  std::optional<Duration> election_timeout;
};

struct Config {
#define SHORTCIRCUIT_SOURCE(name) std::vector<name::Config> name;
#include "sources/sources.def"
#undef SHORTCIRCUIT_SOURCE
  std::vector<NetworkSettings> networks;
  Expectations expect;
  EtcdTimings etcd_timings;
  std::size_t series_limit = 10'000;  // per metric family

  // Is anything looked at?
  [[nodiscard]] bool has_source() const {
    bool found = false;
#define SHORTCIRCUIT_SOURCE(name) found = found || !name.empty();
#include "sources/sources.def"
#undef SHORTCIRCUIT_SOURCE
    return found;
  }
};

}  // namespace shortcircuit
