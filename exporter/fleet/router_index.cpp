#include "fleet/router_index.h"

#include <algorithm>
#include <cctype>
#include <charconv>

#include "fleet/router_rule.h"

namespace shortcircuit {
namespace {

std::string key_of(std::string_view provider, std::string_view rule) {
  return std::string(provider) + " " + normalized_rule(rule);
}

// Traefik's hash of a rule: `-` and ten bytes of SHA-256.
bool is_hash(std::string_view text) {
  return text.size() == 21 && text.front() == '-' &&
         text.find_first_not_of("0123456789abcdef", 1) == std::string_view::npos;
}

// A sibling's name may begin with this one's (`cctv-api`, `cctv-api-http`), so nothing else may
// follow it. Without a hash it is an Ingress's only router of that name.
bool is_named(std::string_view name, std::string_view start, std::string_view provider) {
  name = name.substr(0, name.rfind('@'));
  if (!name.starts_with(start)) return false;
  name.remove_prefix(start.size());
  return is_hash(name) || (name.empty() && provider == "kubernetes");
}

}  // namespace

std::string normalized_name(std::string_view name) {
  std::string result;
  bool gap = false;
  for (const char c : name) {
    // Bytes of letters beyond ASCII stay as they are.
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80 && std::isalnum(byte) == 0) {
      gap = true;
      continue;
    }
    if (gap && !result.empty()) result += '-';
    gap = false;
    result += c;
  }
  return result;
}

int major_version_of(const traefik::State* traefik) {
  if (traefik == nullptr) return 0;
  std::string_view version = traefik->version;
  if (version.starts_with('v')) version.remove_prefix(1);
  int major = 0;
  std::from_chars(version.data(), version.data() + version.size(), major);
  return major;
}

RouterIndex::RouterIndex(const traefik::State* traefik) : traefik_(traefik) {
  if (traefik == nullptr) return;
  for (std::size_t i = 0; i < traefik->routers.size(); ++i) {
    const auto& router = traefik->routers[i];
    by_rule_[key_of(router.provider, router.rule)].push_back(i);
    by_name_.try_emplace(router.name, i);
  }
}

std::optional<std::size_t> RouterIndex::claim(std::string_view provider, std::string_view rule,
                                              std::string_view name_start) {
  const auto found = by_rule_.find(key_of(provider, rule));
  if (found == by_rule_.end()) return std::nullopt;
  for (const std::size_t candidate : found->second) {
    if (!is_named(traefik_->routers[candidate].name, name_start, provider)) continue;
    claimed_.insert(candidate);
    return candidate;
  }
  return std::nullopt;
}

std::optional<std::size_t> RouterIndex::remaining(std::string_view provider, std::string_view rule,
                                                  std::string_view name) const {
  if (const auto found = by_rule_.find(key_of(provider, rule)); found != by_rule_.end()) {
    for (const std::size_t candidate : found->second) {
      if (!claimed_.contains(candidate)) return candidate;
    }
  }
  const auto named = by_name_.find(std::string(name) + "@" + std::string(provider));
  if (named == by_name_.end() || claimed_.contains(named->second)) return std::nullopt;
  return named->second;
}

bool RouterIndex::provider_runs(std::string_view title) const {
  if (traefik_ == nullptr || traefik_->providers.empty()) return true;
  return std::find(traefik_->providers.begin(), traefik_->providers.end(), title) !=
         traefik_->providers.end();
}

}  // namespace shortcircuit
