// What every source's configuration has: where it is, how often it is asked, how long it may take.
#pragma once

#include <string>

#include "http/http.h"

namespace shortcircuit {

struct CommonConfig {
  std::string target;  // label `target`, folder in a recording; "" where a source has one target
  Endpoint endpoint;
  Duration interval = 15s;
  Duration timeout = 5s;  // < interval
};

}  // namespace shortcircuit
