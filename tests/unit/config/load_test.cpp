#include "config/load.h"

#include <filesystem>
#include <map>

#include "support/catch.h"

using namespace shortcircuit;

TEST_CASE("every configuration of a recording loads without a problem") {
  std::size_t found = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(SHORTCIRCUIT_RECORDINGS)) {
    if (entry.path().filename() != "shortcircuit.yaml") continue;
    ++found;
    const LoadedConfig config = load_config(
        entry.path().string(),
        {.for_replay = true, .environment = [](const std::string&) { return std::nullopt; }});
    CAPTURE(entry.path().string());
    if (!config) {
      for (const ConfigProblem& problem : config.error()) FAIL_CHECK(problem.text());
    }
  }
  CHECK(found > 0);
}

TEST_CASE("in a pod the API server is where the kubelet says, with or without the cluster's DNS") {
  const auto url_with = [](std::map<std::string, std::string> variables, std::string_view text) {
    const auto config = parse_config(
        text, "config.yaml", {.environment = [&](const auto& name) {
          const auto found = variables.find(name);
          return found == variables.end() ? std::nullopt : std::optional(found->second);
        }});
    REQUIRE(config);
    return config->kubernetes.front().endpoint.url;
  };
  constexpr std::string_view host = "KUBERNETES_SERVICE_HOST";
  constexpr std::string_view port = "KUBERNETES_SERVICE_PORT";
  const auto told = [&](std::string address) {
    return std::map<std::string, std::string>{{std::string(host), std::move(address)},
                                              {std::string(port), "443"}};
  };
  CHECK(url_with(told("10.96.0.1"), "kubernetes: {}") == "https://10.96.0.1:443");
  CHECK(url_with(told("fd00::1"), "kubernetes: {}") == "https://[fd00::1]:443");
  CHECK(url_with(told(""), "kubernetes: {}") == "https://kubernetes.default.svc");
  CHECK(url_with({}, "kubernetes: {}") == "https://kubernetes.default.svc");
  CHECK(url_with(told("10.96.0.1"), "kubernetes: {url: 'https://a'}") == "https://a");
}
