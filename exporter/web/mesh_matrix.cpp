#include "web/mesh_matrix.h"

#include <fmt/format.h>

#include <set>

#include "fleet/mesh.h"

namespace shortcircuit::page {
namespace {

using tailscale::PathClass;
using tailscale::PathMtu;
using tailscale::Peer;

class Builder {
 public:
  Builder(const Fleet& fleet, const Judgement& judgement) : fleet_(fleet), mesh_(fleet) {
    for (const Finding& finding : judgement.findings) {
      if (finding.check == "peer_offline" || finding.check == "key_expiring")
        missed_.insert(finding.object);
      if (finding.check == "path_mtu_low") narrow_.insert(finding.object);
    }
  }

  MeshMatrix build() {
    add_columns();
    for (const auto& view : fleet_.snapshot.tailscale) add_row(view);
    return std::move(matrix_);
  }

 private:
  std::size_t column(const std::string& name) {
    const auto [place, fresh] = numbers_.try_emplace(name, matrix_.columns.size());
    if (fresh) matrix_.columns.push_back(name);
    return place->second;
  }

  static std::string self_of(const TailscaleView& view) {
    return view.state && !view.state->self_name.empty() ? view.state->self_name : view.target;
  }

  void add_columns() {
    std::set<std::string> asked;
    for (const auto& view : fleet_.snapshot.tailscale) {
      column(self_of(view));
      asked.insert(self_of(view));
    }
    std::set<std::string> others;
    for (const auto& view : fleet_.snapshot.tailscale) {
      if (!view.state) continue;
      for (const Peer& peer : view.state->peers) others.insert(peer.name);
    }
    if (const auto* control = state_of(fleet_.snapshot.headscale)) {
      for (const auto& node : control->nodes) others.insert(node.given_name);
    }
    for (const std::string& name : others) {
      if (name.empty() || asked.contains(name)) continue;
      column(name);
      matrix_.not_asked.push_back(name);
    }
  }

  void add_row(const TailscaleView& view) {
    MeshRow row{.name = view.target, .self = self_of(view), .known = false, .why = {}, .cells = {}};
    if (!view.state) {
      row.why = view.health.last_error ? view.health.last_error->message : "not read yet";
    } else if (view.state->backend_state != "Running") {
      row.why = fmt::format("tailscaled is {} and has no paths", view.state->backend_state);
    } else {
      row.known = true;
      for (const Peer& peer : view.state->peers) {
        if (peer.name.empty()) continue;
        MeshCell cell = cell_of(view, peer);
        ++matrix_.counts[{cell.tone, cell.glyph, cell.kind}];
        row.cells.insert_or_assign(column(peer.name), std::move(cell));
      }
    }
    matrix_.rows.push_back(std::move(row));
  }

  MeshCell cell_of(const TailscaleView& view, const Peer& peer) const {
    MeshCell cell = path_cell(view, peer);
    for (const PathMtu& mtu : view.state->path_mtus) {
      if (mtu.peer != peer.name || mtu.status != PathMtu::Status::low) continue;
      // A finding may wait for a second look; the measured fact is shown either way.
      const bool found = narrow_.contains(fmt::format("{} → {}", view.target, peer.name));
      cell.tone = found ? Tone::bad : Tone::warn;
      cell.glyph = "≠";
      cell.kind = fmt::format("large packets are lost, {}", cell.kind);
      cell.text += fmt::format("; large packets are lost: path MTU {} of {} bytes",
                               mtu.mtu_bytes ? fmt::format("{}", *mtu.mtu_bytes) : "unknown",
                               mtu.needed_bytes);
    }
    return cell;
  }

  static MeshCell plain(Tone tone, std::string_view glyph, std::string kind,
                        std::string_view detail = "") {
    std::string text = detail.empty() ? kind : fmt::format("{} {}", kind, detail);
    return {tone, glyph, std::move(text), std::move(kind)};
  }

  MeshCell path_cell(const TailscaleView& view, const Peer& peer) const {
    const bool missed = missed_.contains(peer.name);
    if (peer.expired)
      return plain(missed ? Tone::bad : Tone::off, missed ? "✕" : "–", "key expired");
    switch (peer.path_class()) {
      case PathClass::offline:
        return missed ? plain(Tone::bad, "✕", "offline, though expected online")
                      : plain(Tone::off, "–", "offline");
      case PathClass::idle: return plain(Tone::off, "·", "idle: no path is held");
      case PathClass::peer_relay:
        return plain(Tone::warn, "R", "through a peer relay", peer.peer_relay);
      case PathClass::derp: return plain(Tone::warn, "D", "through DERP", peer.derp_region);
      case PathClass::direct: break;
    }
    const auto underlay = peer.underlay_address();
    if (!underlay) return plain(Tone::unknown, "?", "direct, over an address that cannot be read");
    const DirectPath path = mesh_.path(view, peer, *underlay);
    std::string kind = fmt::format("direct over {}", label_of(*path.network));
    const std::string detail = fmt::format("to {}", peer.current_endpoint);
    switch (path.nesting) {
      case Nesting::retired_network: return plain(Tone::bad, "✕", std::move(kind), detail);
      case Nesting::overlay:
        return plain(Tone::warn, "◎", fmt::format("tunnel in a tunnel, {}", kind), detail);
      case Nesting::none: break;
    }
    const bool local = path.network->kind == NetworkKind::lan;
    return plain(Tone::good, local ? "●" : "○", std::move(kind), detail);
  }

  const Fleet& fleet_;
  Mesh mesh_;
  std::set<std::string> missed_;  // nodes that somebody expects
  std::set<std::string> narrow_;
  std::map<std::string, std::size_t> numbers_;
  MeshMatrix matrix_;
};

}  // namespace

MeshMatrix mesh_matrix(const Fleet& fleet, const Judgement& judgement) {
  return Builder(fleet, judgement).build();
}

}  // namespace shortcircuit::page
