#include <fmt/format.h>

#include "base/text.h"
#include "checks/check.h"
#include "checks/cure.h"
#include "checks/storage_support.h"

namespace shortcircuit {
namespace {

constexpr double warning_free_ratio = 0.10;
constexpr double critical_free_ratio = 0.05;
constexpr double gibibyte = 1024.0 * 1024 * 1024;

Verdict judge_pool_nearly_full(const Fleet& fleet) {
  Verdict verdict;
  const auto* state = linstor_state(fleet, verdict);
  if (state == nullptr) return verdict;
  if (!state->storage_pools) {
    verdict.unknown.emplace_back("LINSTOR storage pools: not read");
    return verdict;
  }
  for (const auto& pool : *state->storage_pools) {
    if (pool.diskless()) continue;
    Finding finding;
    finding.kind = "StoragePool";
    finding.object = pool.node + "/" + pool.name;
    if (!pool.free_bytes || !pool.total_bytes || *pool.total_bytes <= 0) {
      // An offline satellite says nothing of its pools; that is its own finding.
      if (!satellite_is_online(*state, pool.node)) continue;
      finding.severity = Severity::warning;
      finding.reason = "capacity_unknown";
      finding.message = fmt::format(
          "LINSTOR does not know the size of storage pool {} on {}, though the satellite is "
          "online: what "
          "lies below it ({}) is missing or broken.",
          pool.name, pool.node, pool.provider_kind);
      finding.cure = fmt::format(
          "linstor storage-pool list --nodes {}   # look on it at the volume group, thin pool or "
          "directory of {}: vgs, lvs, zpool list",
          shell_word(pool.node), pool.name);
      verdict.findings.push_back(std::move(finding));
      continue;
    }
    const double ratio = *pool.free_bytes / *pool.total_bytes;
    if (ratio >= warning_free_ratio) continue;
    finding.severity = ratio < critical_free_ratio ? Severity::critical : Severity::warning;
    finding.reason = "space";
    finding.message = fmt::format("Storage pool {} on {} has {:.1f} % left: {:.1f} of {:.1f} GiB.",
                                  pool.name, pool.node, ratio * 100, *pool.free_bytes / gibibyte,
                                  *pool.total_bytes / gibibyte);
    finding.cure = fmt::format(
        "linstor volume list --nodes {} --storage-pools {}   # delete snapshots or resources, or "
        "add disks to the pool",
        shell_word(pool.node), shell_word(pool.name));
    verdict.findings.push_back(std::move(finding));
  }
  return verdict;
}

}  // namespace

const CheckDefinition pool_nearly_full_check{
    .name = "pool_nearly_full",
    .layer = Layer::storage,
    .question = "Is there room in every storage pool?",
    .reasons = {{"space", "Less than 10 % is free (critical: less than 5 %)."},
                {"capacity_unknown",
                 "The satellite is online and cannot say how large the pool is."}},
    .judge = judge_pool_nearly_full};

}  // namespace shortcircuit
