#include <fmt/format.h>

#include <map>
#include <set>

#include "base/text.h"
#include "checks/check.h"
#include "checks/cure.h"
#include "checks/storage_support.h"

namespace shortcircuit {
namespace {

// What a node lacks, and what names it.
struct Lack {
  std::set<std::string> interfaces;
  std::set<std::string> named_by;
  std::set<std::string> instead;  // addresses that replication uses in their place
};

std::map<std::string, Lack> find_lacks(const linstor::State& state,
                                       const Replication& replication) {
  std::map<std::string, Lack> lacks;
  for (const auto& node : state.nodes) {
    if (node.preferred_nic.empty() || node.interfaces.empty()) continue;
    bool found = false;
    for (const auto& interface : node.interfaces) {
      found = found || to_lower(interface.name) == to_lower(node.preferred_nic);
    }
    if (found) continue;
    lacks[node.name].interfaces.insert(node.preferred_nic);
    lacks[node.name].named_by.insert("PrefNic of the node");
  }
  for (const auto& pair : replication.pairs) {
    for (const auto& path : pair.paths) {
      for (const auto* end : {&path.a, &path.b}) {
        if (end->missing_preference.empty()) continue;
        Lack& lack = lacks[end->node];
        lack.interfaces.insert(end->missing_preference);
        lack.named_by.insert("PrefNic for " + pair.resource);
        lack.instead.insert(end->address);
      }
    }
  }
  for (const auto& missing : replication.missing_path_interfaces) {
    lacks[missing.node].interfaces.insert(missing.interface);
    lacks[missing.node].named_by.insert(missing.where);
  }
  return lacks;
}

std::string listed(const std::set<std::string>& words) {
  return enumerate({words.begin(), words.end()}, 3);
}

Verdict judge_replication_interface_missing(const Fleet& fleet) {
  Verdict verdict;
  const auto* state = linstor_state(fleet, verdict);
  if (state == nullptr) return verdict;
  const Replication replication = replication_of(*state);
  verdict.unknown = replication.unknown;
  for (const auto& [name, lack] : find_lacks(*state, replication)) {
    const auto* node = find_node(*state, name);
    if (node == nullptr || node->has_flag("EVICTED") || node->has_flag("DELETE")) continue;
    Finding finding;
    finding.severity = Severity::warning;
    finding.reason = "interface_absent";
    finding.kind = "StorageNode";
    finding.object = name;
    finding.message = fmt::format(
        "{} has no interface {}, which {} asks for; LINSTOR falls back to another without a "
        "word{}.",
        name, listed(lack.interfaces), listed(lack.named_by),
        lack.instead.empty() ? "" : fmt::format(" (replication uses {})", listed(lack.instead)));
    finding.cure = fmt::format(
        "linstor node interface list {0}   # then: linstor node interface create {0} {1} "
        "ADDRESS",
        shell_word(name), *lack.interfaces.begin());
    verdict.findings.push_back(std::move(finding));
  }
  return verdict;
}

}  // namespace

const CheckDefinition replication_interface_missing_check{
    .name = "replication_interface_missing",
    .layer = Layer::storage,
    .question = "Does every storage node have the interfaces that its replication is told to use?",
    .reasons = {{"interface_absent",
                 "A PrefNic property or a path names an interface that the node lacks."}},
    .judge = judge_replication_interface_missing};

}  // namespace shortcircuit
