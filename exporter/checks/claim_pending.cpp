#include <fmt/format.h>

#include <map>
#include <set>

#include "checks/check.h"
#include "checks/unknown.h"

namespace shortcircuit {
namespace {

constexpr std::string_view linstor_provisioner = "linstor.csi.linbit.com";
// Provisioning takes a moment; a claim that is younger is not late yet.
constexpr auto patience = std::chrono::seconds(60);

Verdict judge_claims(const Fleet& fleet) {
  if (fleet.config.kubernetes.empty()) return not_applicable();
  Verdict verdict;
  if (!need(fleet.snapshot.kubernetes, "Kubernetes", verdict)) return verdict;
  const auto& cluster = *fleet.cluster();
  const bool claims = need(cluster.claims, "persistentvolumeclaims", verdict);
  const bool classes = need(cluster.storage_classes, "storageclasses", verdict);
  if (!claims || !classes) return verdict;
  std::map<std::string, const kubernetes::StorageClass*> by_name;
  for (const auto& item : cluster.storage_classes.items) by_name[item.name] = &item;
  std::set<kubernetes::ObjectName> used;
  for (const auto& pod : cluster.pods.items) {
    if (pod.phase == "Succeeded" || pod.phase == "Failed") continue;  // waits for nothing any more
    for (const std::string& claim : pod.claims) used.insert({pod.name.namespace_name, claim});
  }
  for (const auto& claim : cluster.claims.items) {
    const auto found = by_name.find(claim.storage_class);
    if (claim.phase != "Pending" || found == by_name.end()) continue;
    const auto& storage_class = *found->second;
    if (storage_class.provisioner != linstor_provisioner) continue;
    if (claim.created && is_recent(*claim.created, fleet.snapshot.time, patience)) continue;
    const bool age_known = claim.created && *claim.created <= fleet.snapshot.time;
    // A class that waits for its first consumer leaves a claim pending for as long as no pod uses
    // it.
    if (storage_class.wait_for_first_consumer) {
      if (!cluster.pods.known()) {
        verdict.unknown.push_back("Kubernetes pods: " + cluster.pods.error.message);
        continue;
      }
      if (!used.contains(claim.name)) continue;
    }
    verdict.findings.push_back(
        {.severity = Severity::critical,
         .reason = "provisioning",
         .kind = "PersistentVolumeClaim",
         .object = claim.name.text(),
         .message = fmt::format(
             "Claim {} of class {} has waited {} for LINSTOR to make its volume.",
             claim.name.text(), claim.storage_class,
             age_known ? format_duration(fleet.snapshot.time - *claim.created) : "an unknown time"),
         .cure = fmt::format("kubectl -n {} describe pvc {}   # the operator, its webhook and the "
                             "satellites must work first",
                             claim.name.namespace_name, claim.name.name)});
  }
  return verdict;
}

}  // namespace

const CheckDefinition claim_pending_check{
    .name = "claim_pending",
    .layer = Layer::webhook,
    .question = "Does a claim of LINSTOR's storage classes wait for its volume?",
    .reasons = {{"provisioning", "The claim is Pending although something waits for it."}},
    .judge = judge_claims};

}  // namespace shortcircuit
