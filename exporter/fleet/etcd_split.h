// Members that answer and are no longer one cluster: after `--cluster-reset` on one server while
// the others went on, each side agrees with itself, and a count of agreeing members proves nothing.
#pragma once

#include <string>
#include <vector>

#include "fleet/etcd_cluster.h"

namespace shortcircuit {

// What shows it, as a sentence's part; "" when nothing does. What could be a moment's overlap (an
// election, a member that is being added) must have been so at the look before as well, if any.
std::string etcd_split(const std::vector<EtcdMember>& members);

}  // namespace shortcircuit
