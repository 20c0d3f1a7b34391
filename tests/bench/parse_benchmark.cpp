// How long reading one upstream answer takes, from its bytes to the plain values of a State: the
// answers of a recorded night, and the large ones again with 20, 200 and 2,000 items of the same
// kind. Figures: README.md.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <stdexcept>

#include "base/exposition_text.h"
#include "base/json.h"
#include "base/text.h"
#include "bench/measure.h"
#include "bench/register.h"
#include "sources/etcd/parse.h"
#include "sources/headscale/parse.h"
#include "sources/kubernetes/kinds.h"
#include "sources/linstor/parse.h"
#include "sources/tailscale/parse.h"
#include "sources/traefik/parse.h"

using namespace shortcircuit;

namespace {

// Reads a body; gives the number of objects in it, and throws when that fails.
using Read = std::function<std::size_t(std::string_view body)>;

template <class T>
T must(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().message);
  if constexpr (!std::is_void_v<T>) return *std::move(result);
}

std::string recorded(const std::string& answer) {
  return must(read_file(SHORTCIRCUIT_RECORDINGS "/night/00-everything-broken/" + answer));
}

void parse(benchmark::State& state, const std::string& body, const Read& read) {
  bench::measure(state, [&] { return read(body); });
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(body.size()));
  state.counters["bytes"] = static_cast<double>(body.size());
}

// The list of a kind as a poll reads it, and drops it.
template <class List>
Read kind(List& list) {
  return [&list](std::string_view body) {
    must(list.read(body));
    const std::size_t count = list.items.size();
    list.clear();
    return count;
  };
}

template <class State>
Read into(Result<void> (*read)(std::string_view, State&), std::size_t (*count)(const State&)) {
  return [=](std::string_view body) {
    State state;
    must(read(body, state));
    return count(state);
  };
}

template <class T>
Read list_of(Result<std::vector<T>> (*read)(std::string_view)) {
  return [=](std::string_view body) { return must(read(body)).size(); };
}

struct Answer {
  std::string name;  // of the file in the recording
  Read read;
  std::string items;  // what is repeated to make it grow: a JSON pointer; "-" = it does not grow
};

std::vector<Answer> answers() {
  static kubernetes::Lists lists;
  const auto one = [](const auto&) -> std::size_t { return 1; };
  return {
      {"kubernetes/nodes.json", kind(lists.nodes), "/items"},
      {"kubernetes/pods.json", kind(lists.pods), "/items"},
      {"kubernetes/services.json", kind(lists.services), "/items"},
      {"kubernetes/endpoints.json", kind(lists.endpoints), "/items"},
      {"kubernetes/endpointslices.json", kind(lists.endpoint_slices), "/items"},
      {"kubernetes/ingresses.json", kind(lists.ingresses), "/items"},
      {"kubernetes/ingressroutes.json", kind(lists.ingress_routes.now), "/items"},
      {"kubernetes/deployments.json", kind(lists.deployments), "/items"},
      {"kubernetes/configmaps.json", kind(lists.config_maps), "/items"},
      {"kubernetes/mutatingwebhookconfigurations.json", kind(lists.mutating_webhooks), "-"},
      {"traefik/http-routers.json",
       into<traefik::State>(traefik::parse_routers, [](const auto& s) { return s.routers.size(); }),
       ""},
      {"traefik/http-services.json",
       into<traefik::State>(traefik::parse_services,
                            [](const auto& s) { return s.services.size(); }),
       ""},
      {"traefik/entrypoints.json", into<traefik::State>(traefik::parse_entry_points, one), "-"},
      {"headscale/node.json",
       [](std::string_view body) { return must(headscale::parse_nodes(body)).nodes.size(); },
       "/nodes"},
      {"tailscale/aus-aero/status.json",
       [](std::string_view body) { return must(tailscale::parse_status(body)).peers.size(); },
       "/Peer"},
      {"etcd/aus-fwd-gpu-01/metrics.txt", into<etcd::State>(etcd::read_metrics, one), "-"},
      {"etcd/aus-fwd-gpu-01/status.json", into<etcd::State>(etcd::read_status, one), "-"},
      {"etcd/aus-fwd-gpu-01/members.json", list_of(etcd::read_members), "-"},
      {"linstor/nodes.json", list_of(linstor::parse_nodes), ""},
      {"linstor/view-resources.json", list_of(linstor::parse_resources), ""},
      {"linstor/view-storage-pools.json", list_of(linstor::parse_storage_pools), ""},
  };
}

// The body with so many items, which are those of the recording in turn, each under its own name.
std::string grown(const std::string& body, const std::string& pointer, int count) {
  auto document = nlohmann::json::parse(body);
  auto& items = document[nlohmann::json::json_pointer(pointer)];
  const auto recorded_items = items;
  items = recorded_items.is_object() ? nlohmann::json::object() : nlohmann::json::array();
  for (int i = 0; i < count; ++i) {
    auto item = *std::next(recorded_items.begin(), i % static_cast<int>(recorded_items.size()));
    auto& named = item.contains("metadata") ? item["metadata"] : item;
    for (const char* name : {"name", "givenName", "HostName"}) {
      if (named.contains(name)) named[name] = fmt::format("item-{}", i);
    }
    if (named.contains("id")) named["id"] = std::to_string(i);
    if (named.contains("DNSName")) named["DNSName"] = fmt::format("item-{}.mesh.", i);
    if (items.is_object()) {
      items[fmt::format("nodekey:{:064x}", i)] = std::move(item);
    } else {
      items.push_back(std::move(item));
    }
  }
  return document.dump();
}

void parse_grown(benchmark::State& state, const Answer& answer) {
  parse(state, grown(recorded(answer.name), answer.items, static_cast<int>(state.range(0))),
        answer.read);
}

}  // namespace

namespace shortcircuit::bench {

void register_parse_benchmarks() {
  for (const Answer& answer : answers()) {
    const std::string name = "parse:" + answer.name;
    benchmark::RegisterBenchmark(name.c_str(), [answer](benchmark::State& state) {
      parse(state, recorded(answer.name), answer.read);
    })->Unit(benchmark::kMicrosecond);
    if (answer.items == "-") continue;
    benchmark::RegisterBenchmark((name + "/items").c_str(), parse_grown, answer)
        ->Unit(benchmark::kMicrosecond)
        ->Arg(20)
        ->Arg(200)
        ->Arg(2000);
  }
}

}  // namespace shortcircuit::bench
