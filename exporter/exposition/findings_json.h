// The JSON of `check --output json` and /api/findings, `depends --output json`. Its shape is a
// contract: fields are added, never renamed (described in exporter/README.md).
#pragma once

#include <string>

#include "checks/judgement.h"

namespace shortcircuit {

std::string findings_json(const Fleet& fleet, const Judgement& judgement);
// `wanted` is what was asked for, as the user wrote it.
std::string dependents_json(const std::string& wanted, const std::vector<Dependent>& dependents,
                            const std::vector<std::string>& unknown);

}  // namespace shortcircuit
