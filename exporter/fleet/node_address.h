// Is an address of the mesh the one by which a node of the cluster is reached? Nodes get other
// addresses when they register anew; the cluster goes on calling them by the old one. Pure.
#pragma once

#include <optional>

#include "fleet/mesh.h"

namespace shortcircuit {

// Does the mesh lead to this node by this address? Nothing: who would know does not answer.
std::optional<bool> mesh_reaches(const Fleet& fleet, const Mesh& mesh, const kubernetes::Node& node,
                                 const IpAddress& address);

// The entry by which a machine is connected that registered anew and left `old` behind, offline;
// null when there is none. It is none of another node of the cluster: machines may share a name.
const headscale::Node* successor(const Fleet& fleet, const Mesh& mesh, const headscale::Node& old);

// What the mesh says of an InternalIP.
enum class InternalAddress {
  fine,     // somebody's, if only of one who is offline; or none of the mesh's at all
  lost,     // in the mesh's range and nobody's, or left behind by a machine that registered anew
  unknown,  // who would know does not answer, or is not asked
};
InternalAddress internal_address(const Fleet& fleet, const Mesh& mesh, const kubernetes::Node& node,
                                 const IpAddress& address);

// Where the mesh knows the node now, as far as that can be told by its name; nothing when not.
std::optional<IpAddress> present_address(const Fleet& fleet, const Mesh& mesh,
                                         const kubernetes::Node& node, const IpAddress& lost);

}  // namespace shortcircuit
