// Who a node of the mesh is in the cluster: by address first, then by name.
#include "fleet/mesh.h"

#include "support/catch.h"
#include "support/mesh_world.h"

using namespace shortcircuit;
using namespace shortcircuit::testing;

namespace {

kubernetes::Node cluster_node(const std::string& name, std::vector<IpAddress> addresses) {
  return {.name = name, .internal_addresses = std::move(addresses)};
}

struct Found {
  MeshWorld world;
  [[nodiscard]] std::string operator()(std::string_view name,
                                       const std::vector<std::string>& addresses) const {
    const Fleet fleet(world.config, world.snapshot);
    std::vector<IpAddress> parsed;
    for (const std::string& text : addresses) parsed.push_back(ip(text));
    const kubernetes::Node* node = Mesh(fleet).cluster_node(name, parsed);
    if (node == nullptr) return "none";
    return node->name + " " +
           (node->internal_addresses.empty() ? "-" : node->internal_addresses.front().text());
  }
};

}  // namespace

TEST_CASE("a node of the cluster is found by address before name") {
  Found found;
  found.world.control(headscale::State{
      .nodes = {node("old", "100.64.0.1", true), node("new", "100.64.0.2", true)}});
  found.world.cluster({cluster_node("new", {ip("100.64.0.1")}),
                       cluster_node("old", {ip("192.168.1.9")}),
                       cluster_node("twin", {ip("100.64.0.7"), ip("100.64.0.8")}),
                       cluster_node("other", {ip("100.64.0.8")})});
  CHECK(found("whatever", {"100.64.0.1"}) == "new 100.64.0.1");
  // The node called `new` lives at another address of the mesh: the name alone is an old entry.
  CHECK(found("new", {"100.64.0.2"}) == "none");
  CHECK(found("old", {"100.64.0.3"}) == "old 192.168.1.9");
  CHECK(found("new", {}) == "new 100.64.0.1");
  // Two nodes with one address: the first of the cluster's list.
  CHECK(found("other", {"100.64.0.8"}) == "twin 100.64.0.7");
  CHECK(found("nobody", {"100.64.0.3"}) == "none");
}

TEST_CASE("of two nodes with one name the one that lives outside of the mesh, else the last") {
  Found found;
  found.world.control(headscale::State{.nodes = {node("a", "100.64.0.1", true)}});
  found.world.cluster(
      {cluster_node("a", {ip("192.168.1.1")}), cluster_node("a", {ip("100.64.0.1")})});
  CHECK(found("a", {"100.64.0.9"}) == "a 192.168.1.1");
  CHECK(found("a", {}) == "a 100.64.0.1");
}

TEST_CASE("a peer that is named, asked or in the cluster matters") {
  MeshWorld world;
  world.config.expect.peers = {"named"};
  world.view("asked", running("100.64.0.1", {}));
  world.view("silent", std::nullopt);
  world.cluster({cluster_node("member", {})});
  const Fleet fleet(world.config, world.snapshot);
  const Mesh mesh(fleet);
  CHECK(mesh.expected("named", {}));
  CHECK(mesh.expected("member", {}));
  CHECK_FALSE(mesh.expected("asked", {}));
  CHECK(mesh.matters("asked", {}));
  CHECK(mesh.matters("silent", {}));
  CHECK_FALSE(mesh.matters("laptop", {}));
  CHECK(mesh.own_word("asked") != nullptr);
  CHECK(mesh.own_word("silent") == nullptr);
  CHECK(mesh.own_word("named") == nullptr);
}

TEST_CASE("a peer by name") {
  const auto state =
      running("100.64.0.1", {peer("c", "100.64.0.3", ""), peer("b", "100.64.0.2", "")});
  REQUIRE(state.peer("b") != nullptr);
  CHECK(state.peer("b")->addresses.front() == ip("100.64.0.2"));
  CHECK(state.peer("c")->name == "c");
  CHECK(state.peer("a") == nullptr);
  CHECK(state.peer("bb") == nullptr);
  CHECK(state.peer("d") == nullptr);
}
