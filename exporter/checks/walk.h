// Follows every public route link by link and says of each whether it holds, from the findings
// that the checks made, so that pages and metrics cannot disagree with them. A link is unknown when
// what it stands on could not be read.
#pragma once

#include "checks/judgement.h"

namespace shortcircuit {

// Fills `judgement.routes` and the `hosts` of its findings.
void walk_routes(const Fleet& fleet, Judgement& judgement);

}  // namespace shortcircuit
