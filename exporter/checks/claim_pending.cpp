#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>

#include "checks/check.h"
#include "checks/unknown.h"

namespace shortcircuit {
namespace {

constexpr std::string_view linstor_provisioner = "linstor.csi.linbit.com";
// Provisioning takes a moment; a claim that is younger is not late yet.
constexpr auto patience = std::chrono::seconds(60);

// When the first pod that is still there and mounts the claim was made, by claim.
using Users = std::map<kubernetes::ObjectName, std::optional<Time>>;
Users users_of_claims(const kubernetes::State& cluster) {
  Users users;
  for (const auto& pod : cluster.pods.items) {
    if (pod.phase == "Succeeded" || pod.phase == "Failed") continue;  // waits for nothing any more
    for (const std::string& claim : pod.claims) {
      const kubernetes::ObjectName name{pod.name.namespace_name, claim};
      const auto [user, first] = users.try_emplace(name, pod.created);
      if (!first) user->second = std::min(user->second, pod.created);
    }
  }
  return users;
}

// Now or within the last ten minutes: the provisioner gives the choice back when it fails, and is
// asked again with the next one.
bool node_selected_lately(const Fleet& fleet, const kubernetes::PersistentVolumeClaim& claim) {
  if (claim.node_selected) return true;
  const auto& earlier = fleet.snapshot.kubernetes.front().earlier;
  return std::any_of(earlier.begin(), earlier.end(), [&](const auto& before) {
    const auto& items = before.state->claims.items;
    return std::any_of(items.begin(), items.end(), [&](const auto& old) {
      return old.name == claim.name && old.created == claim.created && old.node_selected;
    });
  });
}

class ClaimJudge {
 public:
  ClaimJudge(const Fleet& fleet, Verdict& verdict)
      : fleet_(fleet),
        cluster_(*fleet.cluster()),
        users_(users_of_claims(cluster_)),
        verdict_(verdict) {
    for (const auto& item : cluster_.storage_classes.items) classes_[item.name] = &item;
  }

  void judge(const kubernetes::PersistentVolumeClaim& claim) {
    const auto found = classes_.find(claim.storage_class);
    if (claim.phase != "Pending" || found == classes_.end()) return;
    if (found->second->provisioner != linstor_provisioner) return;
    std::optional<Time> since = claim.created;
    bool asked = true;
    // A class that waits for its first consumer leaves a claim pending for as long as no pod uses
    // it, and asks nobody before the scheduler has chosen a node for that pod.
    if (found->second->wait_for_first_consumer) {
      if (!cluster_.pods.known()) {
        verdict_.unknown.push_back("Kubernetes pods: " + cluster_.pods.error.message);
        return;
      }
      const auto user = users_.find(claim.name);
      if (user == users_.end()) return;
      since = std::max(since, user->second);
      asked = node_selected_lately(fleet_, claim);
    }
    if (since && is_recent(*since, fleet_.snapshot.time, patience)) return;
    const bool age_known = since && *since <= fleet_.snapshot.time;
    add(claim, asked,
        age_known ? format_duration(fleet_.snapshot.time - *since) : "an unknown time");
  }

 private:
  void add(const kubernetes::PersistentVolumeClaim& claim, bool asked, const std::string& waited) {
    verdict_.findings.push_back(
        {.severity = asked ? Severity::critical : Severity::info,
         .reason = asked ? "provisioning" : "pod_not_scheduled",
         .kind = "PersistentVolumeClaim",
         .object = claim.name.text(),
         .message =
             asked ? fmt::format("Claim {} of class {} has waited {} for LINSTOR to make its "
                                 "volume.",
                                 claim.name.text(), claim.storage_class, waited)
                   : fmt::format("Claim {} of class {} has waited {} for its pod to be given a "
                                 "node; LINSTOR was not asked yet.",
                                 claim.name.text(), claim.storage_class, waited),
         .cure = fmt::format("kubectl -n {} describe pvc {}   # {}", claim.name.namespace_name,
                             claim.name.name,
                             asked ? "the operator, its webhook and the satellites must work first"
                                   : "and the pod that it names under Used By")});
  }

  const Fleet& fleet_;
  const kubernetes::State& cluster_;
  Users users_;
  Verdict& verdict_;
  std::map<std::string, const kubernetes::StorageClass*> classes_;
};

Verdict judge_claims(const Fleet& fleet) {
  if (fleet.config.kubernetes.empty()) return not_applicable();
  Verdict verdict;
  if (!need(fleet.snapshot.kubernetes, "Kubernetes", verdict)) return verdict;
  const auto& cluster = *fleet.cluster();
  const bool claims = need(cluster.claims, "persistentvolumeclaims", verdict);
  const bool classes = need(cluster.storage_classes, "storageclasses", verdict);
  if (!claims || !classes) return verdict;
  ClaimJudge judge(fleet, verdict);
  for (const auto& claim : cluster.claims.items) judge.judge(claim);
  return verdict;
}

}  // namespace

const CheckDefinition claim_pending_check{
    .name = "claim_pending",
    .layer = Layer::webhook,
    .question = "Does a claim of LINSTOR's storage classes wait for its volume?",
    .reasons =
        {{"provisioning", "The claim is Pending although something waits for it."},
         {"pod_not_scheduled",
          "Its class waits for its first pod, which has no node yet: LINSTOR was not asked."}},
    .judge = judge_claims};

}  // namespace shortcircuit
