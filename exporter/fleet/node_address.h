// Is an address of the mesh the one by which a node of the cluster is reached? Nodes get other
// addresses when they register anew; the cluster goes on calling them by the old one. Pure.
#pragma once

#include <optional>

#include "fleet/mesh.h"

namespace shortcircuit {

// Does the mesh lead to this node by this address? Nothing: who would know does not answer.
std::optional<bool> mesh_reaches(const Fleet& fleet, const Mesh& mesh, const kubernetes::Node& node,
                                 const IpAddress& address);

}  // namespace shortcircuit
