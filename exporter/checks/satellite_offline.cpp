#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/text.h"
#include "checks/check.h"
#include "checks/cure.h"
#include "checks/storage_support.h"

namespace shortcircuit {
namespace {

using linstor::State;

// For about 3 s after its start the controller calls every satellite offline; a handshake takes a
// moment too. What lasts longer is real.
constexpr auto grace = std::chrono::seconds(30);
// A satellite of another version is offline every other ten seconds.
constexpr auto version_mismatch_lasts = std::chrono::seconds(60);

const std::vector<ReasonDefinition> reasons{
    {"offline", "The controller has no connection to the satellite."},
    {"connected", "The connection stands and the handshake does not end."},
    {"authenticated", "The handshake stopped after authentication."},
    {"full_sync_failed", "The satellite could not take over the controller's state."},
    {"authentication_error", "The satellite refused the controller's authentication."},
    {"version_mismatch", "Satellite and controller have different versions."},
    {"hostname_mismatch", "The node's name is not the satellite's host name."},
    {"other_controller", "The satellite obeys another controller."},
    {"no_stlt_conn", "No connection is configured."},
    {"missing_ext_tools", "The satellite lacks tools that LINSTOR needs."},
    {"duplicate_uname", "Two satellites have the same host name."},
    {"drbd_missing", "The satellite cannot do DRBD, and replicas of this controller need it."},
    {"evicted", "The node was evicted: its replicas were placed elsewhere and it is kept out."},
    {"unknown", "The controller says something that is none of these."},
};

// True when `holds` was true of every state seen within the grace time and there is one from
// before it.
bool lasted(const Observed<State>& target, bool (*holds)(const State&, const std::string&),
            const std::string& node) {
  bool old_enough = false;
  for (auto earlier = target.earlier.rbegin(); earlier != target.earlier.rend(); ++earlier) {
    if (!holds(*earlier->state, node)) return false;
    if (target.observed_at - earlier->time >= grace) {
      old_enough = true;
      break;
    }
  }
  return old_enough;
}

bool not_online(const State& state, const std::string& node) {
  return !satellite_is_online(state, node);
}
bool just_started(const State& state, const std::string&) { return controller_just_started(state); }

bool mismatched_lately(const Observed<State>& target, const std::string& node) {
  return std::any_of(target.earlier.begin(), target.earlier.end(), [&](const auto& earlier) {
    const auto* before = find_node(*earlier.state, node);
    return target.observed_at - earlier.time <= version_mismatch_lasts && before != nullptr &&
           before->connection_status == "VERSION_MISMATCH";
  });
}

std::string reason_of(const linstor::Node& node, const Observed<State>& target) {
  if (node.has_flag("EVICTED")) return "evicted";
  if (node.connection_status == "OFFLINE" && mismatched_lately(target, node.name))
    return "version_mismatch";
  const std::string word = to_lower(node.connection_status);
  const bool listed = std::any_of(reasons.begin(), reasons.end(),
                                  [&](const auto& reason) { return reason.name == word; });
  return listed ? word : "unknown";
}

bool lists_drbd(const std::vector<std::string>& layers) {
  return std::ranges::find(layers, "DRBD") != layers.end();
}

// Does anybody replicate here, or order it? The group that LINSTOR makes by itself says nothing.
bool needs_drbd(const State& state) {
  std::set<std::string> placed;
  for (const auto& replica : items_of(state.resources)) {
    if (replica.is_drbd) return true;
    placed.insert(replica.name);
  }
  std::map<std::string, std::vector<std::string>> of_group;
  for (const auto& group : items_of(state.groups)) {
    if (lists_drbd(group.layers)) return true;
    of_group[group.name] = group.layers;
  }
  return std::ranges::any_of(items_of(state.definitions), [&](const auto& definition) {
    // Where nobody says a layer LINSTOR takes DRBD; what has a replica has said it by that.
    const bool unsaid = definition.layers.empty() && of_group[definition.group].empty() &&
                        !placed.contains(definition.name);
    return unsaid || lists_drbd(definition.layers);
  });
}

Finding drbd_missing(const linstor::Node& node, const std::vector<std::string>& replicas) {
  Finding finding;
  finding.severity = replicas.empty() ? Severity::warning : Severity::critical;
  finding.reason = "drbd_missing";
  finding.kind = "StorageNode";
  finding.object = node.name;
  finding.message = fmt::format(
      "The satellite of {} is online and cannot do DRBD{}. {}.", node.name,
      node.drbd_unsupported_reason.empty() ? "" : " (" + node.drbd_unsupported_reason + ")",
      replicas.empty() ? std::string("No replicated volume can be placed or used there")
                       : fmt::format("It cannot run its replicas of {}", enumerate(replicas, 3)));
  finding.cure = fmt::format(
      "{}   # it must be version 9: install drbd-dkms (with Piraeus: look at the satellite pod's "
      "drbd-module-loader), load it with modprobe drbd, then restart the satellite",
      on_node(node.name, "modinfo drbd"));
  return finding;
}

std::string cure_of(const std::string& reason, const std::string& node) {
  if (reason == "evicted") {
    return fmt::format(
        "linstor node list   # when {0} is back: linstor node restore {0}; if it never will be: "
        "linstor node lost {0}",
        node);
  }
  if (reason == "other_controller" || reason == "authentication_error") {
    return fmt::format("linstor node reconnect {}   # stop the other controller first", node);
  }
  if (reason == "version_mismatch")
    return fmt::format("linstor controller version   # install this version of LINSTOR on {}",
                       node);
  if (reason == "hostname_mismatch" || reason == "duplicate_uname") {
    return fmt::format(
        "{}   # give it a host name of its own that is its node name, then: linstor node "
        "reconnect {}",
        on_node(node, "uname -n"), node);
  }
  return fmt::format("{}   # or look at the satellite's pod; then: linstor node reconnect {}",
                     on_node(node, "systemctl status linstor-satellite"), node);
}

Finding finding_of(const linstor::Node& node, const std::string& reason) {
  Finding finding;
  finding.severity = reason == "evicted" ? Severity::warning : Severity::critical;
  finding.reason = reason;
  finding.kind = "StorageNode";
  finding.object = node.name;
  if (reason == "evicted") {
    finding.message = fmt::format(
        "Storage node {} was evicted: LINSTOR keeps it out until somebody restores it.", node.name);
  } else {
    finding.message = fmt::format(
        "The LINSTOR controller does not reach the satellite of {} ({}){}.", node.name,
        node.connection_status,
        node.eviction ? fmt::format("; it will be evicted at {}", format_rfc3339(*node.eviction))
                      : "");
  }
  finding.cure = cure_of(reason, node.name);
  return finding;
}

Verdict judge_satellite_offline(const Fleet& fleet) {
  Verdict verdict;
  const State* known = linstor_state(fleet, verdict);
  if (known == nullptr) return verdict;
  const auto& target = fleet.snapshot.linstor.front();
  const State& state = *known;
  const bool starting =
      !state.nodes.empty() && controller_just_started(state) && !lasted(target, just_started, "");
  std::map<std::string, std::vector<std::string>> replicas;  // with DRBD, by node
  for (const auto& replica : items_of(state.resources)) {
    if (replica.is_drbd && !replica.leaving()) replicas[replica.node].push_back(replica.name);
  }
  const bool replicates = needs_drbd(state);
  const bool all_read = state.resources && state.definitions && state.groups;
  for (const auto& node : state.nodes) {
    if (!node.is_satellite()) continue;
    if (node.connection_status == "ONLINE" && !node.has_flag("EVICTED")) {
      if (node.drbd_supported || node.has_flag("DELETE")) continue;
      if (replicates) {
        verdict.findings.push_back(drbd_missing(node, replicas[node.name]));
      } else if (!all_read) {
        verdict.unknown.push_back(fmt::format(
            "LINSTOR satellite {}: it cannot do DRBD, and what needs it was not read", node.name));
      }
      continue;
    }
    if (node.has_flag("DELETE") && !node.has_flag("EVICTED")) continue;  // on its way out
    const std::string reason = reason_of(node, target);
    const auto& status = node.connection_status;
    const bool on_the_way =
        status == "CONNECTED" || status == "AUTHENTICATED" || status == "UNKNOWN";
    if (reason != "evicted" &&
        (starting || (on_the_way && !lasted(target, not_online, node.name)))) {
      verdict.unknown.push_back(fmt::format(
          "LINSTOR satellite {}: {}, {}", node.name, status,
          starting ? "the controller seems to have just started" : "perhaps only for a moment"));
      continue;
    }
    verdict.findings.push_back(finding_of(node, reason));
  }
  return verdict;
}

}  // namespace

const CheckDefinition satellite_offline_check{
    .name = "satellite_offline",
    .layer = Layer::storage,
    .question =
        "Does the LINSTOR controller reach every satellite, and can each do what its replicas "
        "need?",
    .reasons = reasons,
    .judge = judge_satellite_offline};

}  // namespace shortcircuit
