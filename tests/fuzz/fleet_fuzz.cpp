// The whole way: answers of all sources (answers.h; `@@ <source>[/<target>] <answer>`) are polled
// twice, joined, judged and shown. Of an answer that is there several times the first poll gets the
// first and the second the last one. Whatever upstreams say, a snapshot must be judged: if it is
// not, the exporter goes on serving the last one that was.
#include <fmt/format.h>

#include <functional>
#include <map>

#include "app/board.h"
#include "app/publication.h"
#include "app/report.h"
#include "base/exposition_text.h"
#include "base/json.h"
#include "config/load.h"
#include "exposition/findings_json.h"
#include "fuzz/answers.h"
#include "fuzz/fuzz.h"
#include "sources/dns/source.h"
#include "sources/etcd/source.h"
#include "sources/headscale/source.h"
#include "sources/kubernetes/source.h"
#include "sources/linstor/source.h"
#include "sources/probes/source.h"
#include "sources/tailscale/source.h"
#include "sources/traefik/source.h"
#include "web/status_page.h"

using namespace shortcircuit;

namespace {

constexpr const char* configuration = R"(
kubernetes: {}
traefik: {url: http://traefik:8080}
headscale: {url: https://hs.example, api_key_file: /run/key}
linstor: {url: http://linstor:3370}
etcd:
  heartbeat_interval: 500ms
  election_timeout: 5s
  members:
    - {name: a, url: http://10.0.0.1:2379}
    - {name: b, url: http://10.0.0.2:2379}
tailscale:
  path_mtu: true
  nodes:
    - {name: a, socket: /run/a.sock}
    - {name: b, socket: /run/b.sock}
networks:
  - {name: old, cidrs: [10.67.0.0/16], kind: overlay, retired: true}
  - {name: lan, cidrs: [192.168.0.0/16, 172.30.0.0/16], kind: lan, site: here}
expect:
  webhooks: [piraeus-operator-validating-webhook-configuration]
  peers: [a]
  entry_addresses: [100.67.0.1]
)";

// Answers from memory.
class AnswersHttp : public Http {
 public:
  explicit AnswersHttp(const std::map<std::string, std::string_view, std::less<>>& answers,
                       std::string prefix)
      : answers_(answers), prefix_(std::move(prefix)) {}

  std::vector<Result<HttpResponse>> fetch(std::span<const HttpRequest> requests, Deadline,
                                          std::stop_token) override {
    std::vector<Result<HttpResponse>> results;
    for (const HttpRequest& request : requests) {
      fuzz::must(++asked_ < 1000, "a poll ends");
      const auto found = answers_.find(prefix_ + " " + request.answer);
      results.push_back(found == answers_.end()
                            ? HttpResponse{404, "", {}}
                            : HttpResponse{200, std::string(found->second), {}});
    }
    return results;
  }
  std::size_t take_received_bytes() override { return 0; }

 private:
  const std::map<std::string, std::string_view, std::less<>>& answers_;
  std::string prefix_;
  int asked_ = 0;
};

using Answers = std::map<std::string, std::string_view, std::less<>>;

template <class Source, class State, class Configuration>
class Targets {
 public:
  Targets(const char* name, const std::vector<Configuration>& configurations,
          std::vector<Observed<State>> Snapshot::* field)
      : name_(name), configurations_(configurations), field_(field) {
    for (const Configuration& each : configurations) sources_.emplace_back(each);
  }

  void poll(const Answers& answers, Board& board, const Snapshot* latest, Time time) {
    for (std::size_t i = 0; i < sources_.size(); ++i) {
      const std::string& target = configurations_[i].target;
      AnswersHttp http(answers, target.empty() ? name_ : fmt::format("{}/{}", name_, target));
      PollContext context{.http = http,
                          .deadline = Deadline::after(10s),
                          .stop = {},
                          .now = time,
                          .latest = latest,
                          .replay = true,
                          .once = true,
                          .notes = {}};
      auto result = sources_[i].poll(context);
      board.commit(field_, i,
                   PollOutcome<State>{.result = std::move(result),
                                      .notes = std::move(context.notes),
                                      .duration = Duration{1},
                                      .received_bytes = 1,
                                      .time = time});
    }
  }

 private:
  std::string name_;
  const std::vector<Configuration>& configurations_;
  std::vector<Observed<State>> Snapshot::* field_;
  std::vector<Source> sources_;
};

struct AllTargets {
  explicit AllTargets(const Config& config)
      :
#define SHORTCIRCUIT_SOURCE(name) name(#name, config.name, &Snapshot::name),
#include "sources/sources.def"
#undef SHORTCIRCUIT_SOURCE
        last(0) {
  }

  void poll(const Answers& answers, Board& board, const Snapshot* latest, Time time) {
#define SHORTCIRCUIT_SOURCE(name) name.poll(answers, board, latest, time);
#include "sources/sources.def"
#undef SHORTCIRCUIT_SOURCE
  }

#define SHORTCIRCUIT_SOURCE(name) Targets<name::Source, name::State, name::Config> name;
#include "sources/sources.def"
#undef SHORTCIRCUIT_SOURCE
  int last;
};

void look_at(const Publication& publication) {
  const Judgement& judgement = publication.judgement;
  fuzz::must(judgement.layers.size() == layer_names.size(), "every layer has a status");
  for (const Finding& finding : judgement.findings) {
    fuzz::must(!finding.reason.empty() && !finding.message.empty() && !finding.cure.empty(),
               "a finding has a reason, a sentence and a cure");
  }
  for (const RouteWalk& walk : judgement.routes) {
    fuzz::must(!walk.cause || walk.links.at(*walk.cause).status == LinkStatus::broken,
               "a route's cause is a broken link");
  }
  fuzz::must(parse_exposition(*publication.metrics_text).has_value(), "the metrics can be read");
  fuzz::must(JsonDocument::parse(findings_json(publication.fleet, judgement)).has_value(),
             "the findings are JSON");
  fuzz::must(!check_report(publication.fleet, judgement, {}).empty(), "the report says something");
  const std::string page = status_page(publication.fleet, judgement, {});
  fuzz::must(page.find("<script") == std::string::npos, "the page has no script");
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t most_answers = 64;
  static const auto config = std::make_shared<const Config>(
      parse_config(configuration, "fuzz.yaml", {.for_replay = true}).value());
  Answers first;
  Answers second;
  for (const auto& [name, text] : fuzz::named_texts(fuzz::text_of(data, size), most_answers)) {
    first.try_emplace(std::string(name), text);
    second.insert_or_assign(std::string(name), text);
  }
  const Time start = *parse_rfc3339("2026-11-24T20:00:00Z");
  Board board(*config);
  AllTargets targets(*config);
  Ledger ledger;
  targets.poll(first, board, nullptr, start);
  {
    const Publication publication(config, board.take(start), ledger, {});
    targets.poll(second, board, &publication.snapshot, start + 30s);
  }
  look_at(Publication(config, board.take(start + 30s), ledger, {}));
  return 0;
}
