// What `check` and `depends` print for a person at 2 AM. Pure functions from judgement to text.
#pragma once

#include <string>

#include "checks/judgement.h"

namespace shortcircuit {

struct ReportStyle {
  bool colour = false;      // only when standard output is a terminal
  std::size_t width = 100;  // columns; long sentences are wrapped
};

std::string check_report(const Fleet& fleet, const Judgement& judgement, const ReportStyle& style);
std::string dependents_report(const std::string& wanted, const std::vector<Dependent>& dependents,
                              const std::vector<std::string>& unknown, const ReportStyle& style);

}  // namespace shortcircuit
