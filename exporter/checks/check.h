// What a check is: a name, its layer, its closed list of reasons and a pure function of the fleet.
//
// Adding one: a file checks/<name>.cpp that defines `const CheckDefinition <name>_check` with its
// `judge_<name>`, a test tests/unit/checks/<name>_test.cpp, and one line in checks.def (at its
// place in walking order).
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "checks/finding.h"
#include "fleet/fleet.h"

namespace shortcircuit {

struct ReasonDefinition {
  std::string_view name;
  std::string_view meaning;  // one sentence, for the generated reference
};

struct CheckDefinition {
  std::string_view name;
  Layer layer;
  std::string_view question;  // what it asks of the fleet, for the generated reference
  std::vector<ReasonDefinition> reasons;
  Verdict (*judge)(const Fleet& fleet);
};

#define SHORTCIRCUIT_CHECK(name) extern const CheckDefinition name##_check;
#include "checks/checks.def"
#undef SHORTCIRCUIT_CHECK

// All of them, in walking order.
std::span<const CheckDefinition* const> all_checks();

// The same as a document: what each check asks, and what its reasons mean.
std::string checks_reference();

}  // namespace shortcircuit
