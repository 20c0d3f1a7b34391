// Remembers since when each finding stands, from one judgement to the next. The reducer owns it.
// Thread rules: one thread at a time.
#pragma once

#include <map>
#include <string>

#include "checks/judgement.h"

namespace shortcircuit {

class Ledger {
 public:
  // Sets `since` of every finding. One that is gone is forgotten, unless its layer cannot be
  // judged at the moment: then nobody knows that it is gone.
  void apply(Judgement& judgement);

 private:
  std::map<std::string, Time> since_;
};

}  // namespace shortcircuit
