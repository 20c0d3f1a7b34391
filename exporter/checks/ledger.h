// Remembers since when each finding stands, from one judgement to the next. The reducer owns it.
// Thread rules: one thread at a time.
#pragma once

#include <cstddef>
#include <map>
#include <string>

#include "checks/judgement.h"

namespace shortcircuit {

class Ledger {
 public:
  // Of findings that are gone, at most so many are remembered, and for so long: a check of which
  // some part can never be judged would otherwise remember everything that there ever was.
  static constexpr std::size_t most_absent = 1000;
  static constexpr auto forget_after = 24h;

  // Sets `since` of every finding and of its parts. What is gone is forgotten, unless its check
  // could not see everything: then nobody knows that it is gone.
  void apply(Judgement& judgement);

 private:
  struct Entry {
    Time since;
    Time last_seen;
  };
  using Entries = std::map<std::string, Entry>;
  [[nodiscard]] Entries absent_but_not_known_to_be_gone(const Judgement& judgement,
                                                        const Entries& present) const;
  Entries entries_;
};

}  // namespace shortcircuit
