#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/text.h"
#include "fleet/replication.h"
#include "web/status_page_parts.h"

namespace shortcircuit::page {
namespace {

constexpr std::size_t most_nodes = 100;
constexpr std::size_t most_pairs = 150;
constexpr std::size_t most_pools = 8;
// Where the bar turns to the tone of a warning; what is a finding is the checks' to say.
constexpr double nearly_full = 0.9;

void write_pools(Html& html, const linstor::State& state_of_storage, const std::string& node) {
  if (!state_of_storage.storage_pools) {
    html.text("unknown");
    return;
  }
  std::size_t shown = 0;
  for (const auto& pool : *state_of_storage.storage_pools) {
    if (pool.node != node || pool.diskless()) continue;
    if (++shown > most_pools) continue;
    if (!pool.free_bytes || !pool.total_bytes || *pool.total_bytes <= 0) {
      html.element("div", fmt::format("{}: size unknown", shortened(pool.name, 60)));
      continue;
    }
    const double used = std::clamp(1 - *pool.free_bytes / *pool.total_bytes, 0.0, 1.0);
    const auto line =
        html.scope("div", {{"class", class_of(used >= nearly_full ? Tone::warn : Tone::good)}});
    html.open("span", {{"class", "bar"}, {"aria-hidden", "true"}});
    html.element("i", {{"style", fmt::format("width:{:.0f}%", used * 100)}}, "").close("span");
    html.text(fmt::format("{}: {} free of {} ({:.0f}% used)", shortened(pool.name, 60),
                          bytes(*pool.free_bytes), bytes(*pool.total_bytes), used * 100));
  }
  if (shown == 0) html.element("span", {{"class", "none"}}, "none");
  if (shown > most_pools) html.element("div", fmt::format("and {} more", shown - most_pools));
}

void write_nodes(Html& html, const linstor::State& storage) {
  std::vector<const linstor::Node*> nodes;
  for (const auto& node : storage.nodes) {
    if (node.is_satellite()) nodes.push_back(&node);
  }
  std::stable_sort(nodes.begin(), nodes.end(), [](const auto* left, const auto* right) {
    return (left->connection_status != "ONLINE") > (right->connection_status != "ONLINE");
  });
  if (nodes.empty()) {
    html.element("p", {{"class", "hint"}}, "The controller knows no satellites.");
    return;
  }
  {
    const Table table(html, "Satellites and their storage pools",
                      {"satellite", "state", "interfaces", "pools"}, "storage");
    for (std::size_t index = 0; index < std::min(nodes.size(), most_nodes); ++index) {
      const linstor::Node& node = *nodes[index];
      const auto row = html.scope("tr");
      html.element("th", {{"scope", "row"}}, shortened(node.name, 80));
      html.open("td");
      state(html, node.connection_status == "ONLINE" ? Tone::good : Tone::bad,
            words(to_lower(node.connection_status)));
      if (!node.flags.empty()) html.element("div", shortened(enumerate(node.flags), 120));
      html.close("td");
      std::vector<std::string> interfaces;
      for (const auto& interface : node.interfaces) {
        interfaces.push_back(
            fmt::format("{} {}{}", interface.name, interface.address,
                        interface.name == node.preferred_nic ? " (preferred)" : ""));
      }
      html.element("td", {{"class", "mono"}}, shortened(enumerate(interfaces, 6), 300));
      html.open("td", {{"class", "number-cell"}});
      write_pools(html, storage, node.name);
      html.close("td");
    }
  }
  and_more(html, nodes.size(), most_nodes, "satellites");
}

std::string network_of(const ReplicationEnd& end, const Networks& networks) {
  const auto address = end.ip();
  if (!address) return end.address.empty() ? "no interface" : "unknown";
  return label_of(networks.of(*address));
}

struct PairLine {
  const ReplicationPair* pair;
  Tone tone;
  std::string word;
};

PairLine line_of(const ReplicationPair& pair, const Fleet& fleet, const linstor::State& storage,
                 const kubernetes::State* cluster) {
  const ReplicationRoute route = route_of(pair, fleet.networks);
  if (route.retired) return {&pair, Tone::bad, "over a retired network"};
  for (const ReplicationPath& path : pair.paths) {
    if (!path.a.ip() || !path.b.ip()) return {&pair, Tone::unknown, "address unknown"};
  }
  if (pair.paths.empty()) return {&pair, Tone::unknown, "path unknown"};
  if (!route.tunnel) return {&pair, Tone::good, "without a tunnel"};
  const auto* one = find_node(storage, pair.node_a);
  const auto* other = find_node(storage, pair.node_b);
  const bool near =
      one != nullptr && other != nullptr && same_site(*one, *other, fleet.networks, cluster);
  return near ? PairLine{&pair, Tone::warn, "one site, through a tunnel"}
              : PairLine{&pair, Tone::good, "between sites, through a tunnel"};
}

void write_pair(Html& html, const PairLine& line, const Networks& networks) {
  const auto row = html.scope("tr");
  html.element("th", {{"scope", "row"}}, shortened(line.pair->resource, 80));
  html.element("td", shortened(fmt::format("{} ↔ {}", line.pair->node_a, line.pair->node_b), 120));
  html.open("td");
  state(html, line.tone, line.word);
  html.close("td");
  html.open("td");
  for (const ReplicationPath& path : line.pair->paths) {
    const std::string near = network_of(path.a, networks);
    const std::string far = network_of(path.b, networks);
    html.element("div", shortened(near == far ? near : fmt::format("{} ↔ {}", near, far), 160));
  }
  html.close("td").open("td", {{"class", "mono"}});
  for (const ReplicationPath& path : line.pair->paths) {
    html.element("div", shortened(fmt::format("{} {} ↔ {} {}", path.a.interface, path.a.address,
                                              path.b.interface, path.b.address),
                                  200));
  }
  html.close("td");
}

void write_pairs(Html& html, const Fleet& fleet, const linstor::State& storage) {
  const Replication replication = replication_of(storage);
  const auto* cluster = state_of(fleet.snapshot.kubernetes);
  std::vector<PairLine> lines;
  for (const ReplicationPair& pair : replication.pairs)
    lines.push_back(line_of(pair, fleet, storage, cluster));
  std::stable_sort(lines.begin(), lines.end(), [](const PairLine& left, const PairLine& right) {
    const auto rank = [](Tone tone) { return tone == Tone::good ? 3 : tone == Tone::bad ? 0 : 1; };
    return rank(left.tone) < rank(right.tone);
  });
  if (!lines.empty()) {
    const Table table(html, "Replication: which network each pair of replicas uses",
                      {"resource", "between", "runs", "network", "addresses"}, "replication");
    for (std::size_t index = 0; index < std::min(lines.size(), most_pairs); ++index) {
      write_pair(html, lines[index], fleet.networks);
    }
  }
  and_more(html, lines.size(), most_pairs, "pairs");
  if (!replication.unknown.empty()) {
    html.element(
        "p", {{"class", "notice unknown"}},
        fmt::format("? Not known: {}.", shortened(enumerate(replication.unknown, 6), 600)));
  }
}

}  // namespace

void storage(Html& html, const Fleet& fleet) {
  if (fleet.snapshot.linstor.empty()) return;
  const auto& observed = fleet.snapshot.linstor.front();
  const linstor::State* storage = observed.state.get();
  std::string beside = "LINSTOR";
  if (storage != nullptr && !storage->version.empty())
    beside += " " + shortened(storage->version, 40);
  if (storage != nullptr && storage->error_reports && *storage->error_reports > 0) {
    beside += ", " + count_of(static_cast<std::size_t>(*storage->error_reports), "error report");
  }
  const auto part = section(html, "storage", "Storage", beside);
  if (storage == nullptr) {
    html.open("p", {{"class", "notice unknown"}}).text("? The controller cannot be read");
    if (observed.health.last_error)
      html.text(": ").text(shortened(observed.health.last_error->message, 400));
    html.text(".").close("p");
    return;
  }
  write_nodes(html, *storage);
  write_pairs(html, fleet, *storage);
}

}  // namespace shortcircuit::page
