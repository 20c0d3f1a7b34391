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

// A sibling's name may begin with this one's (`shop-api`, `shop-api-http`), so nothing else may
// follow it. Without a hash it is an Ingress's only router of that name.
bool is_named(std::string_view name, std::string_view start, std::string_view provider) {
  name = name.substr(0, name.rfind('@'));
  if (!name.starts_with(start)) return false;
  name.remove_prefix(start.size());
  return is_hash(name) || (name.empty() && provider == "kubernetes");
}

// The name of the router that this one is a copy of, as far as names tell; "" = it is none.
std::string_view copied_name(const traefik::Router& router) {
  std::string_view name = router.name;
  if (router.entry_points.size() != 1) return {};
  const std::string& entry_point = router.entry_points.front();
  if (!name.starts_with(entry_point)) return {};
  name.remove_prefix(entry_point.size());
  return name.starts_with('-') ? name.substr(1) : std::string_view();
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

bool reads_old_group(const traefik::State* traefik) { return major_version_of(traefik) < 3; }

RouterIndex::RouterIndex(const traefik::State* traefik) : traefik_(traefik) {
  if (traefik == nullptr) return;
  for (std::size_t i = 0; i < traefik->routers.size(); ++i) {
    const auto& router = traefik->routers[i];
    by_rule_[key_of(router.provider, router.rule)].push_back(i);
    by_name_[router.name].push_back(i);
    if (const auto copied = copied_name(router); !copied.empty())
      by_name_[std::string(copied)].push_back(i);
  }
}

template <class IsOwn>
RouterIndex::Indices RouterIndex::take(const Indices& candidates, IsOwn is_own) {
  Indices taken;
  std::set<std::string_view> served;  // by those of the plain name
  for (const std::size_t candidate : candidates) {
    const auto& router = traefik_->routers[candidate];
    if (!is_own(router.name)) continue;
    taken.push_back(candidate);
    served.insert(router.entry_points.begin(), router.entry_points.end());
  }
  for (const std::size_t candidate : candidates) {
    const auto& router = traefik_->routers[candidate];
    const auto copied = copied_name(router);
    // An entry point that the router itself still serves has no copy: this one is another's, whose
    // name begins like the entry point's.
    if (copied.empty() || is_own(router.name) || !is_own(copied) ||
        served.contains(router.entry_points.front()))
      continue;
    taken.push_back(candidate);
  }
  claimed_.insert(taken.begin(), taken.end());
  return taken;
}

RouterIndex::Indices RouterIndex::unclaimed(const std::unordered_map<std::string, Indices>& index,
                                            const std::string& key) const {
  const auto found = index.find(key);
  if (found == index.end()) return {};
  Indices left = found->second;
  std::erase_if(left, [&](std::size_t candidate) { return claimed_.contains(candidate); });
  return left;
}

RouterIndex::Indices RouterIndex::claim(std::string_view provider, std::string_view rule,
                                        std::string_view name_start) {
  const auto found = by_rule_.find(key_of(provider, rule));
  if (found == by_rule_.end()) return {};
  return take(found->second,
              [&](std::string_view name) { return is_named(name, name_start, provider); });
}

RouterIndex::Indices RouterIndex::claim_by_name(std::string_view provider, std::string_view name) {
  const std::string wanted = std::string(name) + "@" + std::string(provider);
  return take(unclaimed(by_name_, wanted), [&](std::string_view own) { return own == wanted; });
}

RouterIndex::Indices RouterIndex::claim_by_rule(std::string_view provider, std::string_view rule) {
  const Indices candidates = unclaimed(by_rule_, key_of(provider, rule));
  if (candidates.empty()) return {};
  const auto& first = traefik_->routers[candidates.front()];
  const auto copied = copied_name(first);
  const std::string_view wanted = copied.empty() ? std::string_view(first.name) : copied;
  return take(candidates, [&](std::string_view own) { return own == wanted; });
}

bool RouterIndex::provider_runs(std::string_view title) const {
  if (traefik_ == nullptr || traefik_->providers.empty()) return true;
  return std::find(traefik_->providers.begin(), traefik_->providers.end(), title) !=
         traefik_->providers.end();
}

}  // namespace shortcircuit
