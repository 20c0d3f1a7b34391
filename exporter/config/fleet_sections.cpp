#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/text.h"
#include "config/sections.h"
#include "config/values.h"

namespace shortcircuit {

namespace {

// Kinds that a person may write; the others are found by the exporter itself.
constexpr std::array written_kinds{
    NetworkKind::lan,      NetworkKind::overlay,         NetworkKind::tailnet,    NetworkKind::pods,
    NetworkKind::services, NetworkKind::public_internet, NetworkKind::private_use};

std::string_view kind_name(NetworkKind kind) {
  return network_kind_names[static_cast<std::size_t>(kind)];
}

Parsed<NetworkKind> parse_kind(const Scalar& scalar) {
  std::vector<std::string> names;
  for (const NetworkKind kind : written_kinds) {
    if (scalar.text == kind_name(kind)) return kind;
    names.emplace_back(kind_name(kind));
  }
  const std::optional<std::string> meant = nearest(scalar.text, names);
  return std::unexpected(fmt::format("expected one of {}{}", join(names, ", "),
                                     meant ? fmt::format("; did you mean {}?", *meant) : ""));
}

constexpr std::string_view routes_target = "routes";

}  // namespace

void read_networks(YamlMapping& root, Config& config) {
  UniqueNames names;
  std::map<Prefix, std::string> owners;
  root.each(
      {.name = "networks",
       .description = "Networks by name; of several that hold an address the longest prefix wins. "
                      "Pods, tailnet, RFC 1918 and public addresses need no entry"},
      [&](YamlMapping& entry) {
        NetworkSettings network;
        network.name = read_name(entry, {.name = "name",
                                         .description = "Name, as the label `network` shows it",
                                         .required = true})
                           .value_or("");
        const Key cidrs{.name = "cidrs",
                        .description = "Prefixes such as `10.0.0.0/8`, without host bits",
                        .required = true};
        for (const Placed<Prefix>& cidr :
             entry.values<Prefix>(cidrs, "a network such as 10.0.0.0/8", parse_cidr)) {
          const auto [owner, added] = owners.emplace(cidr.value, entry.place().path);
          if (added) {
            network.cidrs.push_back(cidr.value);
          } else {
            entry.problem(cidr.place, fmt::format("{} is in {} already; expected each network once",
                                                  cidr.value.text(), owner->second));
          }
        }
        network.kind =
            entry
                .value<NetworkKind>(
                    {.name = "kind",
                     .description =
                         "`lan`, `overlay`, `tailnet`, `pods`, `services`, `public` or `private`",
                     .fallback = "lan"},
                    "the kind of a network", parse_kind)
                .value_or(NetworkKind::lan);
        network.site =
            read_name(entry,
                      {.name = "site",
                       .description = "Where it is; two addresses of one site can use its LAN"})
                .value_or("");
        network.retired =
            entry
                .boolean({.name = "retired",
                          .description = "Given up: whatever still depends on it is a finding",
                          .fallback = "false"})
                .value_or(false);
        if (entry.describing()) return;
        if (entry.empty_list("cidrs"))
          entry.problem("cidrs", "the list is empty; expected at least one network");
        if (!network.name.empty()) names.add(entry, "name", network.name);
        config.networks.push_back(std::move(network));
      });
}

void read_expectations(YamlMapping& root, Config& config) {
  root.mapping(
      {.name = "expect", .description = "What has to be there, because no API says so"},
      [&](YamlMapping& section) {
        Expectations& expect = config.expect;
        expect.webhooks = read_names(
            section,
            {.name = "webhooks",
             .description =
                 "Names of webhook configurations (validating or mutating) that must exist"});
        expect.peers =
            read_names(section, {.name = "peers",
                                 .description = "Peers of the mesh that must be online; Kubernetes "
                                                "nodes are expected by themselves"});
        expect.control_server =
            read_url(section,
                     {.name = "control_server",
                      .description = "Login server of every node, for example "
                                     "`https://headscale.example.org`. Where one node is read "
                                     "alone, nothing else tells whether it has moved"},
                     {.basic_auth = false})
                .value_or("");
        const Key entries{.name = "entry_addresses",
                          .description = "Addresses that DNS points at, where traffic enters"};
        for (const Placed<IpAddress>& address :
             section.values<IpAddress>(entries, address_type, parse_address)) {
          auto& known = expect.entry_addresses;
          if (std::find(known.begin(), known.end(), address.value) != known.end()) {
            section.problem(address.place,
                            fmt::format("{} is in this list already; expected each once",
                                        address.value.text()));
          } else {
            known.push_back(address.value);
          }
        }
        expect.resolve = section
                             .boolean({.name = "resolve",
                                       .description = "Ask DNS where the host of each route points",
                                       .fallback = "false"})
                             .value_or(false);
        expect.probe_routes =
            section
                .boolean({.name = "probe_routes",
                          .description = "Ask for every route through each entry address, or, "
                                         "without `entry_addresses`, through each address that "
                                         "DNS gives for its host; needs `entry_addresses` or "
                                         "`resolve`; judged as `probes` are, and 404 is an answer",
                          .fallback = "false"})
                .value_or(false);
        if (expect.probe_routes && expect.entry_addresses.empty() && !expect.resolve) {
          section.problem(
              "probe_routes",
              "there is no address to probe; expected entry_addresses or resolve: true as well");
        }
      });
  if (config.expect.resolve) config.dns.emplace_back();
  if (config.expect.probe_routes) {
    probes::Config routes;
    routes.target = routes_target;
    routes.timeout = 10s;
    routes.entry_addresses = config.expect.entry_addresses;
    config.probes.push_back(std::move(routes));
  }
}

void read_probes(YamlMapping& root, Config& config) {
  UniqueNames names;
  root.each(
      {.name = "probes",
       .description =
           "URLs that the exporter asks for itself; one that fails (no answer, 404, 500 and above) "
           "makes the route of its host unknown, and pages when nothing else explains it"},
      [&](YamlMapping& entry) {
        probes::Config probe;
        probe.timeout = 10s;  // longer than a stall takes to be seen
        probe.target = read_name(entry, {.name = "name",
                                         .description = "Name, as the label `probe` shows it",
                                         .required = true})
                           .value_or("");
        probe.endpoint.url =
            read_url(entry, {.name = "url", .description = "What is asked for", .required = true},
                     {.query = true, .basic_auth = false})
                .value_or("");
        probe.proxy =
            read_url(entry,
                     {.name = "proxy",
                      .description = "Proxy to go through: `http://`, `https://` or `socks5://`",
                      .fallback = "none"},
                     {.proxy = true, .basic_auth = false})
                .value_or("");
        const std::optional<Duration> stall =
            read_duration(entry, {.name = "stall_timeout",
                                  .description = "Bytes arrived, then none for so long: the "
                                                 "transfer stalled. Shorter than `timeout`",
                                  .fallback = "5s, at most half of timeout"});
        read_tls(entry, probe.endpoint.tls);
        read_timing(entry, probe);
        if (entry.describing()) return;
        probe.stall_timeout = stall.value_or(std::min<Duration>(5s, probe.timeout / 2));
        if (stall && *stall >= probe.timeout) {
          entry.problem(
              "stall_timeout",
              fmt::format(
                  "expected less than the timeout of {}{}, after which a stall is never seen",
                  written_duration(probe.timeout),
                  entry.written("timeout") ? "" : " (the default)"));
        }
        if (probe.target == routes_target) {
          entry.problem(
              "name", "routes is the name of what expect.probe_routes does; expected another one");
        } else if (!probe.target.empty()) {
          names.add(entry, "name", probe.target);
        }
        config.probes.push_back(std::move(probe));
      });
}

void read_limits(YamlMapping& root, Config& config) {
  root.mapping({.name = "limits", .description = "Bounds of what is published"},
               [&](YamlMapping& section) {
                 const Key key{.name = "series_per_family",
                               .description =
                                   "More series of one metric family than this are cut off, and "
                                   "`shortcircuit_series_limited` says so",
                               .fallback = "10000"};
                 if (const auto limit = read_integer(section, key, 1, 1'000'000)) {
                   config.series_limit = static_cast<std::size_t>(*limit);
                 }
               });
}

}  // namespace shortcircuit
