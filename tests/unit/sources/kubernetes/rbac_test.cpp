// What the exporter may do in a cluster is what it asks for: not less, not more.
#include "sources/kubernetes/rbac.h"

#include "base/text.h"
#include "unit/sources/kubernetes/poll.h"

using namespace shortcircuit;
using namespace shortcircuit::kubernetes;

namespace {

using Resources = std::map<std::string, std::set<std::string>>;

// Group and resource of every request of a poll, read from its URL.
Resources asked_for(const FakeHttp& http) {
  Resources asked;
  for (const HttpRequest& request : http.requests) {
    const std::string path = request.url.substr(0, request.url.find('?'));
    const auto parts = split(path, '/');  // https:, "", host, api|apis|version, …
    CHECK(request.method == Method::get);
    if (parts.at(3) == "api") asked[""].insert(parts.back());
    if (parts.at(3) == "apis") asked[parts.at(4)].insert(parts.back());
  }
  return asked;
}

Config with(bool pods, bool config_maps, bool watch = true) {
  Config config;
  config.watch = watch;
  config.endpoint.url = "https://api:6443";
  config.pods = pods;
  config.config_maps = config_maps;
  return config;
}

Resources of_a_poll(const Config& config, const FakeHttp::Answer& answer, State* state = nullptr,
                    std::vector<Error>* notes = nullptr) {
  FakeHttp http(answer);
  PollContext context{.http = http, .deadline = Deadline::after(5s), .stop = {}, .now = now()};
  context.replay = true;
  const auto result = Source(config).poll(context);
  REQUIRE(result);
  if (state != nullptr) *state = *result;
  if (notes != nullptr) *notes = context.notes;
  return asked_for(http);
}

}  // namespace

TEST_CASE("rbac: the rights are exactly what a poll asks for, whatever is switched off") {
  const Config config = with(GENERATE(true, false), GENERATE(true, false));
  CAPTURE(config.pods, config.config_maps);
  // The night has a webhook, a pending claim and old kinds: further lists and older paths are
  // asked for.
  const auto answer = answers_of(recorded(GENERATE("night/00-everything-broken", "healthy")));
  CHECK(of_a_poll(config, answer) == listed_resources(config));
}

TEST_CASE("rbac: pods and ConfigMaps only where they are read, Secrets never") {
  const Resources all = listed_resources(with(true, true));
  CHECK(all.at("").contains("pods"));
  CHECK(all.at("").contains("configmaps"));
  CHECK_FALSE(listed_resources(with(false, true)).at("").contains("pods"));
  CHECK_FALSE(listed_resources(with(true, false)).at("").contains("configmaps"));
  for (const auto& [group, resources] : all) CHECK_FALSE(resources.contains("secrets"));
  CHECK_FALSE(rbac_manifest(std::vector{with(true, true)}).contains("secret"));
}

TEST_CASE("rbac: list, and watch where changes are followed, nothing else") {
  const auto verbs_of = [](const std::vector<Config>& clusters) {
    std::set<std::string> verbs;
    for (const auto& line : split(rbac_manifest(clusters), '\n')) {
      if (line.contains("verbs:")) verbs.emplace(trim(line));
    }
    return verbs;
  };
  CHECK(verbs_of({with(true, true, false)}) == std::set<std::string>{"verbs: [list]"});
  CHECK(verbs_of({with(true, true)}) == std::set<std::string>{"verbs: [list, watch]"});
}

TEST_CASE("rbac: no cluster, no rights") {
  for (const auto& line : split(rbac_manifest({}), '\n')) {
    CHECK((line.empty() || line.starts_with('#')));
  }
}

TEST_CASE("kubernetes: what is switched off is unknown, and nothing failed") {
  State state;
  std::vector<Error> notes;
  of_a_poll(with(false, false), answers_of(recorded("night/00-everything-broken")), &state, &notes);
  CHECK(notes.empty());
  CHECK(state.blind.empty());
  CHECK_FALSE(state.pods.known());
  CHECK(state.pods.error.message == "not read, as the configuration says (kubernetes.pods)");
  CHECK_FALSE(state.config_maps.known());
  CHECK(state.config_maps.items.empty());
  CHECK(state.deployments.known());
}
