// How long one snapshot takes from states to served bytes, whole and stage by stage: the recorded
// night, and synthetic fleets of 20, 200 and 2,000 nodes. Figures and machine: README.md.
#include <benchmark/benchmark.h>

#include <map>

#include "app/publication.h"
#include "bench/measure.h"
#include "bench/register.h"
#include "bench/synthetic_fleet.h"
#include "checks/check.h"
#include "checks/dependents.h"
#include "checks/walk.h"
#include "exposition/describe.h"
#include "exposition/findings_json.h"
#include "exposition/gzip.h"
#include "web/status_page.h"

using namespace shortcircuit;
using bench::measure;
using bench::SyntheticFleet;

namespace {

constexpr int night = 0;  // in place of a number of nodes

// Made once for all stages; nobody changes it.
const SyntheticFleet& fleet_of(int nodes, int views = 3) {
  static std::map<std::pair<int, int>, SyntheticFleet> made;
  const auto found = made.find({nodes, views});
  if (found != made.end()) return found->second;
  return made
      .emplace(std::pair{nodes, views},
               nodes == night ? bench::recorded_night() : bench::synthetic_fleet(nodes, views))
      .first->second;
}

void publication(benchmark::State& state, const SyntheticFleet& made) {
  Ledger ledger;
  std::size_t findings = 0;
  std::size_t bytes = 0;
  measure(state, [&] {
    const Publication publication(made.config, made.snapshot, ledger, {});
    findings = publication.judgement.findings.size();
    bytes = publication.metrics_text->size();
    return publication.judgement.routes.size();
  });
  state.counters["findings"] = static_cast<double>(findings);
  state.counters["page_bytes"] = static_cast<double>(bytes);
}

void whole_snapshot(benchmark::State& state) {
  publication(state, fleet_of(static_cast<int>(state.range(0))));
}
// Every node is asked, so there are nodes² paths: the one thing that may grow so.
void whole_mesh(benchmark::State& state) {
  const int nodes = static_cast<int>(state.range(0));
  publication(state, fleet_of(nodes, nodes));
}

using Stage = std::size_t (*)(const Fleet& fleet, const Judgement& judgement);

std::size_t attribute(const Fleet& fleet, const Judgement&) {
  const Networks networks(fleet.config, fleet.snapshot);
  std::size_t addresses = 0;
  for (const auto& slice : fleet.cluster()->endpoint_slices.items) {
    for (const auto& endpoint : slice.endpoints) {
      for (const std::string& text : endpoint.addresses) {
        if (const auto address = IpAddress::parse(text))
          benchmark::DoNotOptimize(&networks.of(*address));
        ++addresses;
      }
    }
  }
  return addresses;
}

std::size_t find_routes(const Fleet& fleet, const Judgement&) {
  return routes_of(fleet.snapshot).size();
}

std::size_t index_endpoints(const Fleet& fleet, const Judgement&) {
  return EndpointIndex(fleet.cluster()).all().size();
}

std::size_t run_checks(const Fleet& fleet, const Judgement&) {
  std::size_t findings = 0;
  for (const CheckDefinition* check : all_checks()) findings += check->judge(fleet).findings.size();
  return findings;
}

std::size_t walk(const Fleet& fleet, const Judgement& judgement) {
  Judgement fresh;
  fresh.findings = judgement.findings;
  walk_routes(fleet, fresh);
  return fresh.routes.size();
}

std::size_t dependents(const Fleet& fleet, const Judgement&) {
  Judgement fresh;
  list_dependents(fleet, fresh);
  return fresh.dependents.size();
}

std::size_t series_of(const MetricSet& metrics) {
  std::size_t series = 0;
  for (const auto& [name, family] : metrics.families()) series += family.series.size();
  return series;
}

std::size_t describe(const Fleet& fleet, const Judgement& judgement) {
  return series_of(describe_all(fleet, judgement, {}));
}

std::size_t page(const Fleet& fleet, const Judgement& judgement) {
  return status_page(fleet, judgement, {}).size();
}

std::size_t json(const Fleet& fleet, const Judgement& judgement) {
  return findings_json(fleet, judgement).size();
}

void stage(benchmark::State& state, Stage run) {
  const SyntheticFleet& made = fleet_of(static_cast<int>(state.range(0)));
  const Fleet fleet(*made.config, made.snapshot);
  const Judgement judgement = judge(fleet);
  measure(state, [&] { return run(fleet, judgement); });
}

void render(benchmark::State& state) {
  const SyntheticFleet& made = fleet_of(static_cast<int>(state.range(0)));
  const Fleet fleet(*made.config, made.snapshot);
  const MetricSet metrics = describe_all(fleet, judge(fleet), {});
  measure(state, [&] {
    benchmark::DoNotOptimize(render_text(metrics).size());
    return series_of(metrics);
  });
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(series_of(metrics)));
}

void compress(benchmark::State& state) {
  const SyntheticFleet& made = fleet_of(static_cast<int>(state.range(0)));
  const Fleet fleet(*made.config, made.snapshot);
  const std::string text = render_text(describe_all(fleet, judge(fleet), {}));
  measure(state, [&] { return gzip(text).size(); });
}

void one_check(benchmark::State& state, const CheckDefinition* check) {
  const SyntheticFleet& made = fleet_of(static_cast<int>(state.range(0)));
  const Fleet fleet(*made.config, made.snapshot);
  measure(state, [&] { return check->judge(fleet).findings.size(); });
}

benchmark::internal::Benchmark* sizes(benchmark::internal::Benchmark* benchmark) {
  return benchmark->Unit(benchmark::kMicrosecond)->Arg(night)->Arg(20)->Arg(200)->Arg(2000);
}

}  // namespace

namespace shortcircuit::bench {

void register_judge_benchmarks() {
  sizes(benchmark::RegisterBenchmark("snapshot", whole_snapshot));
  benchmark::RegisterBenchmark("mesh", whole_mesh)
      ->Unit(benchmark::kMicrosecond)
      ->Arg(20)
      ->Arg(60)
      ->Arg(200);
  const std::pair<const char*, Stage> stages[] = {
      {"attribution", attribute}, {"routes", find_routes}, {"endpoints", index_endpoints},
      {"checks", run_checks},     {"walk", walk},          {"dependents", dependents},
      {"describe", describe},     {"findings_json", json}, {"status_page", page}};
  for (const auto& [name, run] : stages) sizes(benchmark::RegisterBenchmark(name, stage, run));
  sizes(benchmark::RegisterBenchmark("render", render));
  sizes(benchmark::RegisterBenchmark("gzip", compress));
  for (const CheckDefinition* check : all_checks()) {
    sizes(benchmark::RegisterBenchmark(("check:" + std::string(check->name)).c_str(), one_check,
                                       check));
  }
}

}  // namespace shortcircuit::bench
