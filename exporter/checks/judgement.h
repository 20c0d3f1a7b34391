// Everything that is judged from one snapshot: findings in walking order, the state of each layer,
// the walk of every route, and what depends on which network.
#pragma once

#include <array>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "checks/finding.h"
#include "fleet/fleet.h"

namespace shortcircuit {

enum class LayerStatus { ok, broken, unknown, off };  // off: nothing of it is configured
inline constexpr std::array<std::string_view, 4> layer_status_names{"ok", "broken", "unknown",
                                                                    "off"};

struct LayerState {
  Layer layer;
  LayerStatus status = LayerStatus::off;
  std::size_t findings = 0;          // critical and warning ones
  std::vector<std::string> unknown;  // what could not be judged
};

enum class LinkStatus { ok, broken, unknown };

// One link of a route's chain, in walking order: entry, router, middleware, service, port,
// endpoints, network.
struct RouteLink {
  std::string link;  // entry, router, middleware, service, port, endpoints
  std::string text;  // what stands there: addresses, names
  LinkStatus status = LinkStatus::unknown;
  Layer layer = Layer::backend;  // of the finding, when broken
  std::string check;
  std::string reason;
  std::string object;
};

struct RouteWalk {
  Route route;
  std::vector<RouteLink> links;
  std::optional<std::size_t> cause;  // index of the first broken link
  // Broken if any link is broken, else unknown if any is, else ok.
  [[nodiscard]] LinkStatus status() const {
    LinkStatus status = LinkStatus::ok;
    for (const RouteLink& link : links) {
      if (link.status == LinkStatus::broken) return LinkStatus::broken;
      if (link.status == LinkStatus::unknown) status = LinkStatus::unknown;
    }
    return status;
  }
};

// One thing that depends on a network.
struct Dependent {
  std::string network;     // name
  std::string dependency;  // endpoint, proxy, flannel, node_address, replication, tailscale_path,
                           // etcd_peer, entry
  std::string kind;        // Service, Node, Path …
  std::string object;
  std::string address;  // the address that lies in the network
  std::string breaks;   // what would break without it
  std::string cure;     // how to move it
};

struct Judgement {
  Time time;
  std::uint64_t snapshot = 0;
  std::vector<Finding> findings;   // walking order, then severity, then object
  std::vector<LayerState> layers;  // all twelve
  // Checks that could not see everything: what one of them does not find may be there all the same.
  std::set<std::string, std::less<>> unknown_checks;
  std::vector<RouteWalk> routes;
  std::vector<Dependent> dependents;
  // Kinds of dependency that were looked for everywhere: only of these does "none" mean none.
  std::set<std::string, std::less<>> dependencies_known;
  std::vector<std::string> dependents_unknown;  // sources that could not be asked
};

Judgement judge(const Fleet& fleet);

// A judgement as one word. What is only information is not found here: nothing has to be mended.
enum class Overall {
  found,           // something to mend
  nothing_judged,  // no layer has a source
  in_part,         // nothing found, and not everything could be read
  fine,
};
Overall overall_of(const Judgement& judgement);
// Routes of which no link is known to be broken, and not every one to hold.
std::size_t unknown_routes(const Judgement& judgement);

}  // namespace shortcircuit
