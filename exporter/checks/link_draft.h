// A link of a route's walk while it is put together, and the findings that it looks for.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "checks/finding.h"

namespace shortcircuit {

// Findings by `check object`, so that a link finds its own without a scan. Information breaks no
// link.
class FindingIndex {
 public:
  explicit FindingIndex(std::vector<Finding>& findings) {
    for (Finding& finding : findings) {
      if (finding.severity != Severity::info)
        by_object_[fmt::format("{} {}", finding.check, finding.object)].push_back(&finding);
    }
  }
  [[nodiscard]] const std::vector<Finding*>& of(std::string_view check,
                                                std::string_view object) const {
    static const std::vector<Finding*> none;
    const auto found = by_object_.find(fmt::format("{} {}", check, object));
    return found == by_object_.end() ? none : found->second;
  }

 private:
  std::unordered_map<std::string, std::vector<Finding*>> by_object_;
};

// A link while it is put together.
struct Draft {
  std::vector<std::string> texts;
  std::vector<Finding*> found;
  bool unknown = false;

  void name(std::string text) {
    if (std::find(texts.begin(), texts.end(), text) == texts.end())
      texts.push_back(std::move(text));
  }
  void add(Finding* finding) {
    if (std::find(found.begin(), found.end(), finding) == found.end()) found.push_back(finding);
  }
  void add(const std::vector<Finding*>& findings) {
    for (Finding* finding : findings) add(finding);
  }
};

}  // namespace shortcircuit
