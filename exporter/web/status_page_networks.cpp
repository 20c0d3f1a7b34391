#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "base/text.h"
#include "web/status_page_parts.h"

namespace shortcircuit::page {
namespace {

constexpr std::size_t most_networks = 60;
constexpr std::size_t most_dependents = 40;
constexpr std::array<std::string_view, 8> dependencies{
    "endpoint",    "proxy",          "flannel",   "node_address",
    "replication", "tailscale_path", "etcd_peer", "entry"};

using Counts = std::map<std::string_view, std::size_t>;

struct Row {
  std::string name;
  const Network* network;  // null: the name is no longer known
  Counts counts;
  std::size_t all = 0;
};

std::vector<Row> rows_of(const Fleet& fleet, const Judgement& judgement) {
  std::map<std::string, Row> rows;
  for (const Network& network : fleet.networks.all()) {
    if (network.configured) rows[network.name] = {network.name, &network, {}};
  }
  for (const Dependent& dependent : judgement.dependents) {
    auto [place, fresh] = rows.try_emplace(dependent.network);
    if (fresh) place->second = {dependent.network, fleet.networks.find(dependent.network), {}};
    ++place->second.counts[dependent.dependency];
    ++place->second.all;
  }
  std::vector<Row> sorted;
  for (auto& [name, row] : rows) sorted.push_back(std::move(row));
  // Retired ones first: they are why one looks here.
  std::stable_sort(sorted.begin(), sorted.end(), [](const Row& left, const Row& right) {
    const bool left_retired = left.network != nullptr && left.network->retired;
    const bool right_retired = right.network != nullptr && right.network->retired;
    if (left_retired != right_retired) return left_retired;
    return left.all > right.all;
  });
  return sorted;
}

std::string prefixes(const Fleet& fleet, const Network* network) {
  if (network == nullptr) return "";
  std::vector<std::string> texts;
  for (const Prefix& prefix : fleet.networks.prefixes_of(*network)) texts.push_back(prefix.text());
  return enumerate(texts, 3);
}

void write_row(Html& html, const Fleet& fleet, const Row& row) {
  const bool retired = row.network != nullptr && row.network->retired;
  const auto line = html.scope("tr", {{"class", retired && row.all > 0 ? "attention" : ""}});
  html.element("th", {{"scope", "row"}}, shortened(row.name, 80));
  html.open("td");
  if (row.network != nullptr) {
    html.text(network_kind_names[static_cast<std::size_t>(row.network->kind)]);
  }
  if (retired) {
    html.text(" ");
    state(html, row.all > 0 ? Tone::bad : Tone::good,
          row.all > 0 ? "retired, still used" : "retired, unused");
  }
  html.close("td");
  html.element("td", {{"class", "mono"}}, shortened(prefixes(fleet, row.network), 120));
  for (const std::string_view dependency : dependencies) {
    const auto found = row.counts.find(dependency);
    const std::size_t count = found == row.counts.end() ? 0 : found->second;
    html.element("td", {{"class", count == 0 ? "number-cell none" : "number-cell"}},
                 fmt::format("{}", count));
  }
}

// The things that hold a retired network in use; the paths of one node are one line.
void write_retired(Html& html, const Fleet& fleet, const Judgement& judgement) {
  struct Item {
    const Dependent* first = nullptr;
    std::size_t count = 0;
    std::set<std::string> addresses;
  };
  std::map<std::pair<std::size_t, std::string>, Item> items;
  for (const Dependent& dependent : judgement.dependents) {
    const Network* network = fleet.networks.find(dependent.network);
    if (network == nullptr || !network->retired) continue;
    const auto rank = static_cast<std::size_t>(
        std::find(dependencies.begin(), dependencies.end(), dependent.dependency) -
        dependencies.begin());
    const std::string object = dependent.dependency == "tailscale_path"
                                   ? dependent.object.substr(0, dependent.object.find(" → "))
                                   : dependent.object;
    Item& item = items[{rank, fmt::format("{} {} {}", dependent.network, dependent.kind, object)}];
    if (item.first == nullptr) item.first = &dependent;
    ++item.count;
    item.addresses.insert(dependent.address);
  }
  if (items.empty()) return;
  std::size_t shown = 0;
  {
    const Table table(html, "What still depends on a retired network",
                      {"dependency", "what", "addresses", "without it", "how to move it"},
                      "dependents");
    for (const auto& [key, item] : items) {
      if (shown == most_dependents) break;
      ++shown;
      const auto line = html.scope("tr");
      html.element("td", words(item.first->dependency));
      html.element("th", {{"scope", "row"}},
                   shortened(key.second.substr(item.first->network.size() + 1), 120) +
                       (item.count > 1 ? fmt::format(" ({})", item.count) : ""));
      html.element("td", {{"class", "mono"}},
                   shortened(enumerate({item.addresses.begin(), item.addresses.end()}, 4), 200));
      html.element("td", shortened(item.first->breaks, 300));
      html.element("td", shortened(item.first->cure, 300));
    }
  }
  and_more(html, items.size(), shown, "dependents; `depends NETWORK` lists them all");
}

}  // namespace

void networks(Html& html, const Fleet& fleet, const Judgement& judgement) {
  const std::vector<Row> rows = rows_of(fleet, judgement);
  if (rows.empty()) return;
  const auto part =
      section(html, "networks", "Load-bearing networks", "what would break if a network went away");
  {
    const Table table(html, "Things that depend on an address in each network",
                      {"network", "kind", "prefixes", "endpoint", "proxy", "flannel",
                       "node address", "replication", "tailscale path", "etcd peer", "entry"},
                      "networks");
    for (std::size_t index = 0; index < std::min(rows.size(), most_networks); ++index) {
      write_row(html, fleet, rows[index]);
    }
  }
  and_more(html, rows.size(), most_networks, "networks");
  if (!judgement.dependents_unknown.empty()) {
    html.element("p", {{"class", "notice unknown"}},
                 fmt::format("? The counts are not complete; could not be asked: {}.",
                             shortened(enumerate(judgement.dependents_unknown, 8), 800)));
  }
  write_retired(html, fleet, judgement);
}

}  // namespace shortcircuit::page
