#include "fleet/snapshot.h"

namespace shortcircuit {

Memory remember(const Snapshot& snapshot) {
  constexpr auto keep_for = std::chrono::hours(24);
  Memory memory = snapshot.memory;
  if (const auto* cluster = state_of(snapshot.kubernetes)) {
    for (const auto* list : {&cluster->validating_webhooks, &cluster->mutating_webhooks}) {
      for (const auto& configuration : list->items) {
        memory.webhooks_last_seen[configuration.kind + "/" + configuration.name] = snapshot.time;
      }
    }
  }
  std::erase_if(memory.webhooks_last_seen,
                [&](const auto& seen) { return snapshot.time - seen.second > keep_for; });
  return memory;
}

}  // namespace shortcircuit
