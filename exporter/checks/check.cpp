#include "checks/check.h"

namespace shortcircuit {

std::span<const CheckDefinition* const> all_checks() {
  static const std::vector<const CheckDefinition*> checks{
#define SHORTCIRCUIT_CHECK(name) &name##_check,
#include "checks/checks.def"
#undef SHORTCIRCUIT_CHECK
  };
  return checks;
}

}  // namespace shortcircuit
