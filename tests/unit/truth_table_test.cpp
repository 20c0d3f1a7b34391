// Every recording against the complete set of findings that is written beside it: nothing more,
// nothing less. And every recording with a source broken: nothing may turn "healthy" by that.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

#include "base/json.h"
#include "base/text.h"
#include "support/catch.h"
#include "support/judged_recording.h"

using namespace shortcircuit;

namespace {

struct Expected {
  std::set<std::string> findings;
  std::map<std::string, std::string> causes;  // host and path → layer/check/reason, "" = none
};

std::string line(std::string_view check, std::string_view reason, std::string_view kind,
                 std::string_view object) {
  return fmt::format("{}/{} {} {}", check, reason, kind, object);
}

std::map<std::string, Expected> read_expected(const std::string& name) {
  std::map<std::string, Expected> steps;
  const auto content = read_file(recording_path(name) + "/expected.json");
  INFO(name);
  REQUIRE(content);
  const auto read = read_json(*content, [&](JsonView root) {
    for (const auto& [step, view] : root["steps"].members()) {
      Expected& expected = steps[step];
      for (const JsonView& finding : view["findings"].items()) {
        expected.findings.insert(line(finding["check"].string(), finding["reason"].string(),
                                      finding["kind"].string(), finding["object"].string()));
      }
      for (const auto& [host, cause] : view["routes"].members()) {
        expected.causes[host] = cause.string_or("");
      }
    }
  });
  REQUIRE(read);
  return steps;
}

std::set<std::string> found(const Judgement& judgement) {
  std::set<std::string> findings;
  for (const Finding& item : judgement.findings) {
    findings.insert(line(item.check, item.reason, item.kind, item.object));
  }
  return findings;
}

std::string difference(const std::set<std::string>& from, const std::set<std::string>& without) {
  std::string text;
  for (const std::string& item : from) {
    if (!without.contains(item)) text += "\n    " + item;
  }
  return text;
}

}  // namespace

TEST_CASE("truth table", "[truth]") {
  for (const std::string& name : recording_names()) {
    DYNAMIC_SECTION(name) {
      const auto expected = read_expected(name);
      const auto steps = replay_all(recording_path(name));
      CHECK(steps.size() == expected.size());
      for (const auto& [step, publication] : steps) {
        const auto wanted = expected.find(step);
        INFO("step " << step);
        REQUIRE(wanted != expected.end());
        const auto findings = found(publication->judgement);
        INFO("missing:" << difference(wanted->second.findings, findings));
        INFO("invented:" << difference(findings, wanted->second.findings));
        CHECK(findings == wanted->second.findings);
        for (const RouteWalk& walk : publication->judgement.routes) {
          const std::string host = walk.route.host + walk.route.path;
          std::string cause;
          if (walk.cause) {
            const RouteLink& link = walk.links[*walk.cause];
            cause = fmt::format("{}/{}/{}", name_of(link.layer), link.check, link.reason);
          }
          INFO(host);
          if (wanted->second.causes.contains(host)) CHECK(cause == wanted->second.causes.at(host));
          CHECK((walk.status() == LinkStatus::broken) == walk.cause.has_value());
        }
        for (const Finding& item : publication->judgement.findings) {
          INFO(item.check << " " << item.object);
          CHECK_FALSE(item.message.empty());
          CHECK_FALSE(item.cure.empty());
          CHECK(item.message.ends_with('.'));
        }
      }
    }
  }
}

namespace {

namespace fs = std::filesystem;

// A copy of the recording in which every answer of `source` is `status` at every step.
void break_source(const fs::path& recording, const fs::path& copy, const std::string& source,
                  const std::string& status) {
  fs::remove_all(copy);
  fs::copy(recording, copy, fs::copy_options::recursive);
  std::vector<fs::path> answers;
  for (const auto& entry : fs::recursive_directory_iterator(copy)) {
    const auto relative = fs::relative(entry.path(), copy);
    const bool inside = std::any_of(relative.begin(), std::prev(relative.end()),
                                    [&](const fs::path& part) { return part == source; });
    if (entry.is_regular_file() && inside) answers.push_back(entry.path());
  }
  for (const fs::path& answer : answers) {
    fs::remove(answer);
    auto replaced = answer;
    replaced.replace_extension(".status");
    REQUIRE(write_file(replaced.string(), status));
  }
}

const std::set<std::string>& layers_of(const std::string& source) {
  static const std::map<std::string, std::set<std::string>> layers{
      {"kubernetes",
       {"load_balancer", "external_name", "middleware", "webhook", "endpoint_address",
        "endpoint_port", "proxy_chain", "backend"}},
      {"traefik", {"external_name", "middleware"}},
      {"headscale", {"endpoint_address"}},
      {"tailscale", {"mesh"}},
      {"etcd", {"etcd"}},
      {"linstor", {"storage"}}};
  return layers.at(source);
}

}  // namespace

TEST_CASE("a source that is down hides findings but invents none and heals nothing",
          "[truth][outage]") {
  const fs::path copy = fs::temp_directory_path() / fmt::format("shortcircuit-outage-{}", getpid());
  for (const std::string& name : recording_names()) {
    if (name.starts_with("night")) continue;  // ten steps; its pieces are in the others
    DYNAMIC_SECTION(name) {
      const auto before = replay_all(recording_path(name));
      const Judgement& whole = before.back().publication->judgement;
      for (const std::string source :
           {"kubernetes", "traefik", "headscale", "tailscale", "etcd", "linstor"}) {
        const bool used = !fs::is_empty(recording_path(name)) && [&] {
          for (const auto& entry : fs::recursive_directory_iterator(recording_path(name))) {
            if (entry.is_directory() && entry.path().filename() == source) return true;
          }
          return false;
        }();
        if (!used) continue;
        for (const std::string status :
             {"connect", "timeout", "auth", "500", "syntax", "schema", "too_large", "404"}) {
          INFO(name << ": " << source << " " << status);
          break_source(recording_path(name), copy, source, status);
          const auto after = replay_all(copy.string());
          const Judgement& judged = after.back().publication->judgement;
          CHECK(difference(found(judged), found(whole)) == "");
          const std::set<std::string> left = found(judged);
          for (const Finding& item : whole.findings) {
            const std::string text = line(item.check, item.reason, item.kind, item.object);
            if (left.contains(text) || judged.unknown_checks.contains(item.check)) continue;
            FAIL_CHECK("vanished without a word of its check: " << text);
          }
          for (const LayerState& state : judged.layers) {
            const auto& old = whole.layers[static_cast<std::size_t>(state.layer)];
            INFO(name_of(state.layer));
            // Findings may only vanish into "unknown", and their own check says so: else the
            // ledger would take them for mended.
            if (old.status == LayerStatus::broken && state.status != LayerStatus::broken) {
              CHECK(state.status == LayerStatus::unknown);
            }
            if (old.status == LayerStatus::ok &&
                layers_of(source).contains(std::string(name_of(state.layer)))) {
              CHECK(state.status == LayerStatus::unknown);
            }
          }
        }
      }
    }
  }
  fs::remove_all(copy);
}

namespace {

// The checks that could not see everything, with that answer of the recording's last state
// replaced.
std::set<std::string, std::less<>> blind_checks(const std::string& recording,
                                                const std::string& source,
                                                const std::string& answer,
                                                const std::string& status) {
  const fs::path copy = fs::temp_directory_path() / fmt::format("shortcircuit-part-{}", getpid());
  fs::remove_all(copy);
  fs::copy(recording_path(recording), copy, fs::copy_options::recursive);
  std::vector<fs::path> folders;  // of the source's targets, or of the source itself
  for (const auto& entry : fs::recursive_directory_iterator(copy / source)) {
    if (entry.is_directory()) folders.push_back(entry.path());
  }
  if (folders.empty()) folders.push_back(copy / source);
  for (const fs::path& folder : folders) {
    for (const char* extension : {".json", ".txt"}) fs::remove(folder / (answer + extension));
    REQUIRE(write_file((folder / (answer + ".status")).string(), status));
  }
  const auto steps = replay_all(copy.string());
  fs::remove_all(copy);
  return steps.back().publication->judgement.unknown_checks;
}

struct Part {
  std::string recording;
  std::string source;
  std::string answer;
  std::vector<std::string> checks;
};

}  // namespace

TEST_CASE("an answer that does not come blinds the checks that live by it", "[truth]") {
  const auto part =
      GENERATE(values<Part>({{"etcd-slow-budget",
                              "etcd",
                              "metrics",
                              {"leader_flapping", "round_trip_over_budget", "database_near_quota"}},
                             {"etcd-slow-budget", "etcd", "alarms", {"alarm_active"}},
                             {"mesh-healthy", "headscale", "apikey", {"key_expiring"}},
                             {"mesh-healthy", "tailscale", "prefs", {"node_half_migrated"}},
                             {"healthy",
                              "kubernetes",
                              "ingressroutetcps",
                              {"backend_missing", "external_name_refused", "middleware_missing"}},
                             {"healthy",
                              "kubernetes",
                              "ingressrouteudps",
                              {"backend_missing", "external_name_refused"}}}));
  INFO(part.recording << " " << part.answer);
  const auto late = blind_checks(part.recording, part.source, part.answer, "timeout");
  // What an upstream does not have (an older release, a kind that is not installed) is known.
  const auto absent = blind_checks(part.recording, part.source, part.answer, "404");
  for (const std::string& check : part.checks) {
    INFO(check);
    CHECK(late.contains(check));
    CHECK_FALSE(absent.contains(check));
  }
}

TEST_CASE("etcd read by its metrics alone, as of K3s, complains of nothing", "[truth]") {
  const auto steps = replay_all(recording_path("etcd-k3s-embedded"));
  const Judgement& judgement = steps.back().publication->judgement;
  CHECK(judgement.findings.empty());
  CHECK(judgement.unknown_checks.empty());
}
