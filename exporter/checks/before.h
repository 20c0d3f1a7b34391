// Traefik and Kubernetes are not asked at the same moment: what one of them lacks may have been
// created, mended or removed since it was asked. So what is told from both together must be told as
// well from the one that was asked later, as it stood when the other was asked.
#pragma once

#include <memory>

#include "fleet/fleet.h"

namespace shortcircuit {

class Before {
 public:
  explicit Before(const Fleet& fleet);

  // Null: the two belong together, or nothing older is there to compare with.
  [[nodiscard]] const Fleet* fleet() const { return fleet_.get(); }

 private:
  Snapshot snapshot_;
  std::unique_ptr<Fleet> fleet_;
};

}  // namespace shortcircuit
