#include "checks/judgement.h"

namespace shortcircuit {

Judgement judge(const Fleet& fleet) { return {.time = fleet.snapshot.time}; }

}  // namespace shortcircuit
