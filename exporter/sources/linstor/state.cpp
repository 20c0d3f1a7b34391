#include "sources/linstor/state.h"

#include <algorithm>

namespace shortcircuit::linstor {
namespace {

bool contains(const std::vector<std::string>& flags, std::string_view flag) {
  return std::find(flags.begin(), flags.end(), flag) != flags.end();
}

}  // namespace

bool Node::has_flag(std::string_view flag) const { return contains(flags, flag); }
bool Resource::has_flag(std::string_view flag) const { return contains(flags, flag); }

bool Resource::diskless() const {
  return has_flag("DISKLESS") || has_flag("DRBD_DISKLESS") || has_flag("TIE_BREAKER");
}

bool Resource::leaving() const {
  return has_flag("DELETE") || has_flag("DRBD_DELETE") || has_flag("INACTIVE") ||
         has_flag("INACTIVE_PERMANENTLY") || has_flag("EVICTED");
}

}  // namespace shortcircuit::linstor
