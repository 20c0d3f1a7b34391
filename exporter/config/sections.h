// The sections of the configuration file, each read by one function into its part of Config.
// Asked for keys once; what is wrong is recorded in the mapping.
#pragma once

#include "config/config.h"
#include "config/yaml_reader.h"

namespace shortcircuit {

void read_kubernetes(YamlMapping& root, Config& config, bool for_replay);
void read_traefik(YamlMapping& root, Config& config);
void read_headscale(YamlMapping& root, Config& config, bool for_replay);
void read_linstor(YamlMapping& root, Config& config);
void read_etcd(YamlMapping& root, Config& config);
void read_tailscale(YamlMapping& root, Config& config);

void read_networks(YamlMapping& root, Config& config);
void read_expectations(YamlMapping& root, Config& config);
void read_probes(YamlMapping& root, Config& config);
void read_limits(YamlMapping& root, Config& config);

}  // namespace shortcircuit
