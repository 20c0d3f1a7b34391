// What DNS says about the public host names of the routes (`expect.resolve: true`).
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/result.h"
#include "base/time.h"

namespace shortcircuit::dns {

struct Answer {
  std::vector<IpAddress> addresses;  // empty with `error` unset: the name exists without address
  bool absent = false;               // NXDOMAIN or no address: an answer, not a failure
};

struct State {
  static constexpr Duration history{0s};  // Observed::earlier
  std::map<std::string, Result<Answer>> hosts;
};

}  // namespace shortcircuit::dns
