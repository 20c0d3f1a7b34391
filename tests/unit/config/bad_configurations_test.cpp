// A table of bad files and every problem that is said of each, word for word. A file is between
// `=== yaml` and `=== problems`, its problems follow.
#include "base/text.h"
#include "config/load.h"
#include "config/print.h"
#include "support/catch.h"

using namespace shortcircuit;

namespace {

struct BadFile {
  std::string yaml;
  std::string problems;
};

std::vector<BadFile> table() {
  const auto content =
      read_file(std::string(SHORTCIRCUIT_TESTS) + "/unit/config/bad_configurations.txt");
  REQUIRE(content);
  std::vector<BadFile> files;
  bool in_yaml = false;
  for (const std::string& line : split(*content, '\n')) {
    if (line == "=== yaml") {
      files.emplace_back();
      in_yaml = true;
    } else if (line == "=== problems") {
      in_yaml = false;
    } else if (!files.empty()) {
      (in_yaml ? files.back().yaml : files.back().problems) += line + "\n";
    }
  }
  if (!files.empty()) files.back().problems.pop_back();  // after the last line break
  return files;
}

}  // namespace

TEST_CASE("bad configurations: every problem of each, with its place") {
  const auto files = table();
  CHECK(files.size() >= 40);
  for (const BadFile& file : files) {
    INFO(file.yaml);
    const auto loaded = parse_config(file.yaml, "config.yaml");
    REQUIRE_FALSE(loaded);
    std::string problems;
    for (const ConfigProblem& problem : loaded.error()) problems += problem.text() + "\n";
    CHECK(problems == file.problems);
  }
}

TEST_CASE("secrets come from the environment or files and are in no text") {
  LoadOptions options;
  options.environment = [](const std::string& name) -> std::optional<std::string> {
    if (name == "KEY") return "s3cret";
    return std::nullopt;
  };
  const auto loaded = parse_config(
      "headscale: {url: 'https://h', api_key: '${KEY}'}\n"
      "traefik: {url: 'http://t', basic_auth: {username: u, password: '${KEY}'}}\n"
      "linstor: {url: 'http://l', bearer_token_file: /run/token}\n",
      "config.yaml", options);
  REQUIRE(loaded);
  CHECK(loaded->headscale.front().endpoint.bearer_token.reveal() == "s3cret");
  const std::string text = redacted_yaml(*loaded);
  CHECK(text.find("s3cret") == std::string::npos);
  CHECK(text.find("/run/token") != std::string::npos);
  CHECK(text.find("https://h") != std::string::npos);
  // What is printed can be read again.
  CHECK(parse_config(text, "printed.yaml", {.for_replay = true}));
}

TEST_CASE("what is printed of what is switched off and expected says the same again") {
  const std::string text =
      "kubernetes: {url: 'https://api:6443', pods: false, config_maps: false, watch: false, "
      "full_list_interval: 7m}\n"
      "expect: {control_server: 'https://headscale.example.org/'}\n";
  const auto loaded = parse_config(text, "config.yaml", {.for_replay = true});
  REQUIRE(loaded);
  const auto again = parse_config(redacted_yaml(*loaded), "printed.yaml", {.for_replay = true});
  REQUIRE(again);
  CHECK_FALSE(again->kubernetes.front().pods);
  CHECK_FALSE(again->kubernetes.front().config_maps);
  CHECK_FALSE(again->kubernetes.front().watch);
  CHECK(again->kubernetes.front().full_list_interval == 7min);
  CHECK(again->expect.control_server == "https://headscale.example.org");
}

TEST_CASE("what a recording's configuration printed says is what was read") {
  for (const std::string name : {"night", "etcd-k3s-embedded", "linstor-healthy", "mesh-healthy"}) {
    INFO(name);
    const auto loaded =
        load_config(std::string(SHORTCIRCUIT_RECORDINGS) + "/" + name + "/shortcircuit.yaml",
                    {.for_replay = true});
    REQUIRE(loaded);
    const auto again = parse_config(redacted_yaml(*loaded), "printed.yaml", {.for_replay = true});
    REQUIRE(again);
    CHECK(redacted_yaml(*again) == redacted_yaml(*loaded));
  }
}

TEST_CASE("what is printed of etcd keeps that there are credentials, and a literal ${ stays one") {
  LoadOptions options;
  options.environment = [](const std::string&) { return std::nullopt; };
  const auto loaded = parse_config(
      "etcd:\n  bearer_token_file: /run/etcd\n  members: [{name: 'a$${b}', url: 'https://e'}]\n"
      "traefik: {url: 'http://t', basic_auth: {username: 'u$${x', password: 'p$${q}'}}\n",
      "config.yaml", options);
  REQUIRE(loaded);
  CHECK(loaded->etcd.front().target == "a${b}");
  CHECK(loaded->traefik.front().endpoint.password.reveal() == "p${q}");
  const std::string text = redacted_yaml(*loaded);
  CHECK(text.find("bearer_token_file: \"/run/etcd\"") != std::string::npos);
  CHECK(text.find("p$") == std::string::npos);
  const auto again = parse_config(text, "printed.yaml", {.for_replay = true});
  REQUIRE(again);
  CHECK(again->etcd.front().target == "a${b}");
  CHECK(again->traefik.front().endpoint.username == "u${x");
  CHECK(redacted_yaml(*again) == text);
}

// Found by fuzzing: the package's own file looks at nothing, and its print was refused.
TEST_CASE("a configuration that looks at nothing is printed so that it can be read again") {
  const auto loaded = parse_config("probes: []\n", "file.yaml", {});
  REQUIRE(loaded);
  const auto again = parse_config(redacted_yaml(*loaded), "printed.yaml", {});
  REQUIRE(again);
  CHECK_FALSE(again->has_source());
}

TEST_CASE("a configuration that is no UTF-8 is refused where the first such byte stands") {
  const auto problem = [](const std::string& text) {
    const auto loaded = parse_config(text, "config.yaml");
    return loaded ? "" : loaded.error().front().text();
  };
  CHECK(problem("# \xC3\xA9\nnetworks:\n  - {name: \xC3\xA9\xEE\xEE, cidrs: [10.0.0.0/8]}\n") ==
        "config.yaml:3:13: a byte that is no UTF-8; expected text in UTF-8");
  CHECK(problem("# \xC3\xA9\nprobes: []\n").empty());
}
