// What checks/cure.h promises of every cure: pasted into bash as a whole it is one command that can
// be run as it stands, or a comment.
#pragma once

#include <set>
#include <string>

#include "checks/check.h"

namespace shortcircuit::testing {

// "" when it keeps the form, else what is wrong. Does not start a shell.
std::string why_not_pasteable(const std::string& cure);

// Those that `bash -n` refuses.
std::set<std::string> refused_by_bash(const std::set<std::string>& cures);

// The verdict itself; throws when a finding's cure does not keep the form.
Verdict with_pasteable_cures(Verdict verdict);

}  // namespace shortcircuit::testing
