// Follows every public route link by link and says of each whether it holds, from the findings
// that the checks made. The walk judges nothing by itself, so pages and metrics cannot disagree.
#pragma once

#include <set>
#include <string>

#include "checks/judgement.h"

namespace shortcircuit {

// Fills `judgement.routes` and the `hosts` of its findings. `unjudged` names the checks that could
// not see everything: a link that only they could call sound is unknown.
void walk_routes(const Fleet& fleet, const std::set<std::string>& unjudged, Judgement& judgement);

}  // namespace shortcircuit
