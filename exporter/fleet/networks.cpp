#include "fleet/networks.h"

namespace shortcircuit {

Networks::Networks(const Config&, const Snapshot&) { networks_.push_back({.name = "public"}); }
const Network& Networks::of(const IpAddress&) const { return networks_.back(); }
const Network* Networks::find(std::string_view) const { return nullptr; }
std::vector<Prefix> Networks::prefixes_of(const Network&) const { return {}; }

}  // namespace shortcircuit
