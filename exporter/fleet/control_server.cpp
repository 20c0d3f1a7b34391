#include "fleet/control_server.h"

#include <algorithm>

#include "base/text.h"

namespace shortcircuit {
namespace {

using View = Observed<tailscale::State>;
using ViewsByHost = std::map<std::string, std::vector<const View*>>;

std::string host_of(const std::string& url) {
  const auto parts = parse_url(url);
  return parts ? to_lower(parts->host) : "";
}

// The API of Headscale may be configured by a name that only the cluster knows; then the name in
// the nodes' preferences is another one and both are right.
bool inside_name(const std::string& url) {
  const auto parts = parse_url(url);
  if (!parts) return true;
  const std::string host = to_lower(parts->host);
  return parts->scheme != "https" || parts->address().has_value() || host == "localhost" ||
         host.find('.') == std::string::npos || host.ends_with(".svc") ||
         host.find(".svc.") != std::string::npos || host.ends_with(".cluster.local");
}

// The only host whose nodes the configured Headscale sees connected: its own outer name, however
// few have moved to it yet. Null when none or several have such nodes.
const ViewsByHost::value_type* only_connected(const Fleet& fleet, const ViewsByHost& by_host) {
  const ViewsByHost::value_type* found = nullptr;
  for (const auto& entry : by_host) {
    if (std::none_of(entry.second.begin(), entry.second.end(),
                     [&](const View* view) { return connected_to_headscale(fleet, *view); }))
      continue;
    if (found != nullptr) return nullptr;
    found = &entry;
  }
  return found;
}

ControlServer server_of(const ViewsByHost::value_type& entry) {
  return {entry.first, *entry.second.front()->state->control_url};
}

}  // namespace

ViewsByHost views_by_control_server(const Fleet& fleet) {
  ViewsByHost by_host;
  for (const View& view : fleet.snapshot.tailscale) {
    if (!view.state || !view.state->control_url) continue;
    const std::string host = host_of(*view.state->control_url);
    if (!host.empty()) by_host[host].push_back(&view);
  }
  return by_host;
}

bool connected_to_headscale(const Fleet& fleet, const View& view) {
  const auto* control = fleet.headscale();
  if (control == nullptr || !view.state) return false;
  return std::ranges::any_of(control->nodes, [&](const headscale::Node& node) {
    // Servers may have nodes of one name; with its address it is this one.
    return node.given_name == view.target && node.online && node.online_known &&
           std::ranges::find_first_of(node.addresses, view.state->self_addresses) !=
               node.addresses.end();
  });
}

ControlServer control_server_of(const Fleet& fleet) {
  if (const std::string& expected = fleet.config.expect.control_server; !expected.empty()) {
    return {host_of(expected), expected};
  }
  const ViewsByHost by_host = views_by_control_server(fleet);
  std::size_t all = 0;
  const ViewsByHost::value_type* most = nullptr;
  for (const auto& entry : by_host) {
    all += entry.second.size();
    if (most == nullptr || entry.second.size() > most->second.size()) most = &entry;
  }
  if (!fleet.config.headscale.empty()) {
    const std::string& url = fleet.config.headscale.front().endpoint.url;
    const std::string host = host_of(url);
    if (!host.empty() && by_host.contains(host)) return {host, url};
    if (const auto* own = only_connected(fleet, by_host)) return server_of(*own);
    if (!host.empty() && !inside_name(url)) return {host, url};
  }
  if (most == nullptr) return {};
  return by_host.size() < 2 || most->second.size() * 2 > all ? server_of(*most) : ControlServer{};
}

}  // namespace shortcircuit
