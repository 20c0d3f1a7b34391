// An expected peer is not connected. Headscale's `online` is asked first; its lastSeen says nothing
// (it is not updated while a node stays online). Without Headscale the nodes' own views are asked,
// but only of nodes that are connected themselves: what a cut-off node says of others is old.
// A node that says of itself that it is stopped is offline, whatever others still believe.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "checks/check.h"
#include "checks/cure.h"
#include "fleet/node_address.h"

namespace shortcircuit {
namespace {

class PeerJudge {
 public:
  explicit PeerJudge(const Fleet& fleet) : fleet_(fleet), mesh_(fleet) {}

  Verdict run() {
    if (auto unknown = mesh_.unknown_cluster_nodes()) verdict_.unknown.push_back(*unknown);
    // A node that cannot be asked may be stopped, whatever others still believe.
    for (std::string& unknown : mesh_.unknown_views())
      verdict_.unknown.push_back(std::move(unknown));
    ask_the_nodes_themselves();
    if (fleet_.snapshot.headscale.empty()) {
      ask_the_views();
    } else if (auto unknown = mesh_.unknown_headscale()) {
      verdict_.unknown.push_back(*unknown);
    } else {
      ask_headscale(*state_of(fleet_.snapshot.headscale));
    }
    for (auto& [name, finding] : offline_) verdict_.findings.push_back(std::move(finding));
    return std::move(verdict_);
  }

 private:
  void offline(const std::string& name, std::string message) {
    offline_.try_emplace(
        name, Finding{.severity = Severity::critical,
                      .reason = "offline",
                      .kind = "Peer",
                      .object = name,
                      .message = std::move(message),
                      .cure = on_node(name, "systemctl restart tailscaled && sudo tailscale up") +
                              "   # over its LAN, or at its console"});
  }

  void ask_the_nodes_themselves() {
    for (const TailscaleView& view : fleet_.snapshot.tailscale) {
      if (!view.state || !mesh_.expected(view.target, view.state->self_addresses)) continue;
      const std::string& state = view.state->backend_state;
      // An expired key is a finding of its own; NoState and Starting pass within seconds.
      const bool stopped = state == "Stopped" || state == "NeedsMachineAuth" ||
                           (state == "NeedsLogin" && !view.state->self_expired);
      if (stopped) {
        offline(view.target, fmt::format("{} must be online and its own tailscaled says {}.",
                                         view.target, state));
      }
    }
  }

  // The machine is connected as another entry, and the cluster still calls it by this one's
  // address: that is node_half_migrated, and nothing that starting tailscaled would mend.
  bool left_behind(const headscale::Node& node) const {
    const auto& named = fleet_.config.expect.peers;
    if (std::find(named.begin(), named.end(), node.given_name) != named.end()) return false;
    const kubernetes::Node* machine = mesh_.cluster_node("", node.addresses);
    return machine != nullptr &&
           std::any_of(machine->internal_addresses.begin(), machine->internal_addresses.end(),
                       [&](const IpAddress& address) {
                         return std::find(node.addresses.begin(), node.addresses.end(), address) !=
                                    node.addresses.end() &&
                                internal_address(fleet_, mesh_, *machine, address) ==
                                    InternalAddress::lost;
                       });
  }

  void ask_headscale(const headscale::State& control) {
    for (const headscale::Node& node : control.nodes) {
      if (!mesh_.expected(node.given_name, node.addresses)) continue;
      if (!node.online_known) {
        verdict_.unknown.push_back(
            fmt::format("headscale: does not say whether {} is online", node.given_name));
      } else if (!node.online && !mesh_.registered_anew(node) && !left_behind(node)) {
        const std::string since =
            node.last_seen ? fmt::format(" since {}", format_rfc3339(*node.last_seen)) : "";
        offline(node.given_name, fmt::format("{} must be online and Headscale has no connection to "
                                             "it{}.",
                                             node.given_name, since));
      }
    }
    std::set<std::string_view> listed;
    for (const headscale::Node& node : control.nodes) listed.insert(node.given_name);
    for (const std::string& name : fleet_.config.expect.peers) {
      if (!listed.contains(name)) {
        offline(name, fmt::format("{} must be online (expect.peers) and Headscale knows no node of "
                                  "that name.",
                                  name));
      }
    }
  }

  void ask_the_views() {
    std::map<std::string, bool> online;  // of expected peers, by what connected nodes say
    bool connected_view = false;
    for (const TailscaleView& view : fleet_.snapshot.tailscale) {
      if (!view.state || view.state->backend_state != "Running" || !view.state->self_online)
        continue;
      connected_view = true;
      online[view.target] = true;
      for (const tailscale::Peer& peer : view.state->peers) {
        if (mesh_.expected(peer.name, peer.addresses)) online[peer.name] |= peer.online;
      }
    }
    if (!connected_view) {
      verdict_.unknown.emplace_back("tailscale: no node that is asked is connected itself");
      return;
    }
    for (const auto& [name, is_online] : online) {
      if (!is_online) {
        offline(name, fmt::format("{} must be online and no connected node sees it so.", name));
      }
    }
    for (const std::string& name : fleet_.config.expect.peers) {
      if (online.contains(name)) continue;
      if (mesh_.own_word(name) == nullptr && !fleet_.snapshot.tailscale.empty() &&
          std::any_of(fleet_.snapshot.tailscale.begin(), fleet_.snapshot.tailscale.end(),
                      [&](const TailscaleView& view) { return view.target == name; })) {
        continue;  // already said to be unknown
      }
      offline(name,
              fmt::format("{} must be online (expect.peers) and no connected node knows a peer "
                          "of that name.",
                          name));
    }
  }

  const Fleet& fleet_;
  Mesh mesh_;
  Verdict verdict_;
  std::map<std::string, Finding> offline_;
};

Verdict judge_peer_offline(const Fleet& fleet) {
  if (fleet.snapshot.tailscale.empty() && fleet.snapshot.headscale.empty()) return not_applicable();
  return PeerJudge(fleet).run();
}

}  // namespace

const CheckDefinition peer_offline_check{
    .name = "peer_offline",
    .layer = Layer::mesh,
    .question =
        "Is every expected peer (expect.peers, nodes of the cluster) connected to the mesh?",
    .reasons = {{"offline",
                 "The peer is not connected to the control server, or says that it is stopped."}},
    .judge = judge_peer_offline};

}  // namespace shortcircuit
