// Traefik's rule language.
#include <set>

#include "fleet/router_rule.h"
#include "fuzz/fuzz.h"

using namespace shortcircuit;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view rule = fuzz::text_of(data, size);
  const std::string normalized = normalized_rule(rule);
  fuzz::must(normalized.size() <= rule.size(), "normalizing only takes away");
  const auto targets = targets_of_rule(rule);
  if (!targets) return 0;
  fuzz::must(targets->size() <= 64, "at most 64 targets");
  std::set<std::pair<std::string, std::string>> seen;
  for (const RuleTarget& target : *targets)
    fuzz::must(seen.emplace(target.host, target.path).second, "no target twice");
  return 0;
}
