#include "config/load.h"

#include "base/text.h"
#include "config/sections.h"

namespace shortcircuit {

namespace {

void read_root(YamlMapping& root, Config& config, bool for_replay) {
  read_kubernetes(root, config, for_replay);
  read_traefik(root, config);
  read_headscale(root, config, for_replay);
  read_linstor(root, config);
  read_etcd(root, config);
  read_tailscale(root, config);
  read_networks(root, config);
  read_expectations(root, config);
  read_probes(root, config);
  read_limits(root, config);
  const bool section_written =
      root.written("etcd") || root.written("tailscale") || root.written("probes");
  if (!root.describing() && !config.has_source() && !section_written) {
    root.problem(root.place(),
                 "no source is configured, so there is nothing to look at; expected at least one "
                 "of kubernetes, traefik, headscale, linstor, etcd, tailscale and probes");
  }
}

}  // namespace

LoadedConfig parse_config(std::string_view text, const std::string& file,
                          const LoadOptions& options) {
  Config config;
  YamlReader reader(file, text, "kubernetes: {}", options.environment, options.for_replay);
  reader.read([&](YamlMapping& root) { read_root(root, config, options.for_replay); });
  if (std::vector<ConfigProblem> problems = reader.problems(); !problems.empty()) {
    return std::unexpected(std::move(problems));
  }
  return config;
}

LoadedConfig load_config(const std::string& path, const LoadOptions& options) {
  const Result<std::string> text = read_file(path);
  if (!text) { return std::unexpected(unreadable(path, text.error(), "a configuration file")); }
  return parse_config(*text, path, options);
}

std::vector<KeyDescription> describe_config() {
  return YamlReader::describe([](YamlMapping& root) {
    Config config;
    read_root(root, config, false);
  });
}

}  // namespace shortcircuit
