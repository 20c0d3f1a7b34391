// The keys that several sections have, each read by one function that asks a mapping and records
// what is wrong there; messages never quote a secret.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/secret.h"
#include "config/scalars.h"
#include "config/yaml_reader.h"
#include "sources/common_config.h"

namespace shortcircuit {

// Without a slash at the end.
std::optional<std::string> read_url(YamlMapping& mapping, const Key& key, UrlRules rules = {});
std::optional<std::string> read_text(YamlMapping& mapping, const Key& key);
std::optional<std::string> read_name(YamlMapping& mapping, const Key& key);
std::optional<Duration> read_duration(YamlMapping& mapping, const Key& key);
std::optional<std::int64_t> read_integer(YamlMapping& mapping, const Key& key, std::int64_t least,
                                         std::int64_t most);
// A relative path counts from the folder of the file in which it is written. Whether the file
// exists is not asked: it may be mounted later.
std::optional<std::string> read_path(YamlMapping& mapping, const Key& key);
// `<name>` or `<name>_file`, not both; an empty Secret when neither is written.
Secret read_secret(YamlMapping& mapping, std::string_view name, std::string_view description);
// A list of names, each once.
std::vector<std::string> read_names(YamlMapping& mapping, const Key& key);

// Problem when two entries of a list have the same name.
class UniqueNames {
 public:
  void add(YamlMapping& mapping, std::string_view key, const std::string& name);

 private:
  std::vector<Placed<std::string>> seen_;
};

void read_tls(YamlMapping& mapping, TlsSettings& tls);
// basic_auth, bearer_token and bearer_token_file.
void read_credentials(YamlMapping& mapping, Endpoint& endpoint);
// `interval` and `timeout`; the values in `config` are the defaults.
void read_timing(YamlMapping& mapping, CommonConfig& config);

}  // namespace shortcircuit
