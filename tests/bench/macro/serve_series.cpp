// Serves N series on a port, for comparisons of servers only:
//   serve_series ours|exposer N PORT   our server with a rendered page, or prometheus-cpp's Exposer
//   serve_series file N PATH           writes the page, for a server of files
// Both hold the same series. Ends with SIGTERM.
#include <fmt/format.h>
#include <prometheus/exposer.h>
#include <prometheus/gauge.h>
#include <prometheus/registry.h>

#include <csignal>
#include <string_view>

#include "base/text.h"
#include "exposition/gzip.h"
#include "exposition/metric_set.h"
#include "web/pages.h"

using namespace shortcircuit;

namespace {

constexpr int series_per_family = 100;

// Like the mesh's: names of two nodes and a class.
struct Labels {
  std::string from, peer, path;
};
Labels labels_of(int index) {
  return {fmt::format("aus-node-{:02}", index / 10), fmt::format("toa-fwd-gpu-{:02}", index % 10),
          index % 2 == 0 ? "direct" : "derp"};
}
std::string name_of(int family) { return fmt::format("bench_peer_state_number_{}", family); }
constexpr const char* help = "What a peer is doing, as one node sees it.";
double value_of(int family, int index) { return family * 1000.0 + index + 0.5; }

std::string page(int series) {
  std::vector<MetricDefinition> definitions;
  std::vector<std::string> names;
  const int families = series / series_per_family;
  for (int family = 0; family < families; ++family) names.push_back(name_of(family));
  for (const std::string& name : names)
    definitions.push_back({name, MetricKind::gauge, help, {"from", "peer", "path"}});
  MetricSet metrics;
  for (int family = 0; family < families; ++family) {
    for (int i = 0; i < series_per_family; ++i) {
      const Labels labels = labels_of(i);
      metrics.add(definitions[static_cast<std::size_t>(family)],
                  {labels.from, labels.peer, labels.path}, value_of(family, i));
    }
  }
  return render_text(metrics);
}

void wait_for_end() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  int signal = 0;
  sigwait(&signals, &signal);
}

void block_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
}

int serve_ours(int series, const std::string& port) {
  const auto text = std::make_shared<const std::string>(page(series));
  const auto packed = std::make_shared<const std::string>(gzip(*text));
  PageSources sources;
  sources.metrics_text = [=] { return text; };
  sources.metrics_gzip = [=] { return packed; };
  const auto server =
      start_server({.listen_addresses = {"127.0.0.1:" + port}}, make_pages(std::move(sources)));
  if (!server) {
    fmt::print(stderr, "{}\n", server.error().message);
    return 1;
  }
  wait_for_end();
  return 0;
}

int serve_exposer(int series, const std::string& port) {
  const auto registry = std::make_shared<prometheus::Registry>();
  for (int family = 0; family < series / series_per_family; ++family) {
    auto& built = prometheus::BuildGauge().Name(name_of(family)).Help(help).Register(*registry);
    for (int i = 0; i < series_per_family; ++i) {
      const Labels labels = labels_of(i);
      built.Add({{"from", labels.from}, {"peer", labels.peer}, {"path", labels.path}})
          .Set(value_of(family, i));
    }
  }
  prometheus::Exposer exposer("127.0.0.1:" + port);
  exposer.RegisterCollectable(registry);
  wait_for_end();
  return 0;
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 4) return 2;
  block_signals();
  const std::string_view kind = arguments[1];
  const int series = std::stoi(arguments[2]);
  if (kind == "ours") return serve_ours(series, arguments[3]);
  if (kind == "exposer") return serve_exposer(series, arguments[3]);
  const std::string path = arguments[3];
  const std::string text = page(series);
  return write_file(path, text) && write_file(path + ".gz", gzip(text)) ? 0 : 1;
}
