// Keys that end: of nodes and of Headscale's API. An expired node may still be called online for a
// while; then everybody is told, since it is about to be cut off. That a key will expire is told
// for peers that matter only: on a person's laptop it is routine. Pre-auth keys are made to expire.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "checks/check.h"
#include "checks/cure.h"
#include "checks/unknown.h"
#include "fleet/mesh.h"

namespace shortcircuit {
namespace {

constexpr auto soon = 7 * 24h;

class KeyJudge {
 public:
  explicit KeyJudge(const Fleet& fleet) : fleet_(fleet), mesh_(fleet), now_(fleet.snapshot.time) {}

  Verdict run() {
    verdict_.unknown = mesh_.unknown_views();
    if (auto unknown = mesh_.unknown_headscale()) verdict_.unknown.push_back(*unknown);
    if (auto unknown = mesh_.unknown_cluster_nodes()) verdict_.unknown.push_back(*unknown);
    for (const TailscaleView& view : fleet_.snapshot.tailscale) {
      if (view.state)
        peer(view.target, view.state->self_expired, view.state->self_key_expiry, true, false);
    }
    const auto* control = state_of(fleet_.snapshot.headscale);
    if (control != nullptr) {
      for (const headscale::Node& node : control->nodes) {
        const bool matters =
            mesh_.matters(node.given_name, node.addresses) && !mesh_.registered_anew(node);
        peer(node.given_name, false, node.expiry, matters, node.online && node.online_known);
      }
      need_part(fleet_.snapshot.headscale.front(), "apikey", "headscale", verdict_.unknown);
      api_keys(control->api_keys);
    } else {
      ask_the_views();
    }
    for (auto& [name, finding] : peers_) verdict_.findings.push_back(std::move(finding));
    return std::move(verdict_);
  }

 private:
  void ask_the_views() {
    for (const TailscaleView& view : fleet_.snapshot.tailscale) {
      if (!view.state) continue;
      for (const tailscale::Peer& each : view.state->peers) {
        peer(each.name, each.expired, each.key_expiry, mesh_.matters(each.name, each.addresses),
             each.online);
      }
    }
  }

  void peer(const std::string& name, bool said_expired, std::optional<Time> expiry, bool matters,
            bool online) {
    const bool expired = said_expired || (expiry && *expiry <= now_);
    const bool expires_soon = !expired && expiry && *expiry - now_ < soon;
    if (!(expired && (matters || online)) && !(expires_soon && matters)) return;
    if (const auto known = peers_.find(name);
        known != peers_.end() && (known->second.reason == "expired" || !expired)) {
      return;
    }
    const std::string when = expiry ? format_rfc3339(*expiry) : "an unknown time";
    std::string message =
        expired
            ? fmt::format("The key of {} has expired at {}: the other nodes are cutting it off.",
                          name, when)
            : fmt::format("The key of {} expires in {} ({}); then it is cut off.", name,
                          format_duration(*expiry - now_), when);
    peers_[name] = {
        .severity = expired ? Severity::critical : Severity::warning,
        .reason = expired ? "expired" : "expires_soon",
        .kind = "Peer",
        .object = name,
        .message = std::move(message),
        .cure = fmt::format(
            "{}   # or at its console: the tailnet may not reach it any more",
            on_node(name, "tailscale up --force-reauth" + login_server_option(fleet_)))};
  }

  // Headscale keeps expired keys in its list until somebody deletes them: beside a valid one they
  // are worth a hint only.
  void api_keys(const std::vector<headscale::ApiKey>& keys) {
    const bool any_valid = std::any_of(keys.begin(), keys.end(), [&](const headscale::ApiKey& key) {
      return !key.expiration || *key.expiration > now_;
    });
    for (const headscale::ApiKey& key : keys) {
      if (!key.expiration || *key.expiration - now_ >= soon) continue;
      const bool expired = *key.expiration <= now_;
      const Severity when_expired = any_valid ? Severity::info : Severity::critical;
      const std::string when = format_rfc3339(*key.expiration);
      verdict_.findings.push_back(
          {.severity = expired ? when_expired : Severity::warning,
           .reason = expired ? "expired" : "expires_soon",
           .kind = "ApiKey",
           .object = key.prefix,
           .message = expired
                          ? fmt::format("Headscale's API key {} has expired at {}: whoever still "
                                        "uses it is refused.",
                                        key.prefix, when)
                          : fmt::format("Headscale's API key {} expires in {} ({}).", key.prefix,
                                        format_duration(*key.expiration - now_), when),
           .cure =
               expired
                   ? fmt::format(
                         "headscale apikeys list   # once nobody uses it: headscale apikeys "
                         "delete --prefix {}",
                         key.prefix)
                   : std::string("headscale apikeys create --expiration 365d   # then put it where "
                                 "headscale.api_key_file points")});
    }
  }

  const Fleet& fleet_;
  Mesh mesh_;
  Time now_;
  Verdict verdict_;
  std::map<std::string, Finding> peers_;
};

Verdict judge_key_expiring(const Fleet& fleet) {
  if (fleet.snapshot.tailscale.empty() && fleet.snapshot.headscale.empty()) return not_applicable();
  return KeyJudge(fleet).run();
}

}  // namespace

const CheckDefinition key_expiring_check{
    .name = "key_expiring",
    .layer = Layer::mesh,
    .question = "Are the keys of nodes and of Headscale's API valid for another week?",
    .reasons = {{"expired", "The key is no longer valid."},
                {"expires_soon", "The key ends within seven days."}},
    .judge = judge_key_expiring};

}  // namespace shortcircuit
