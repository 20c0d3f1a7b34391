// Who reaches whom by which class of path over which network, as the status page shows it: one row
// for each configured tailscaled, one column for each node that anybody knows.
// Pure values, made from one fleet and its findings.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "web/status_page_parts.h"

namespace shortcircuit::page {

struct MeshCell {
  Tone tone = Tone::unknown;
  std::string_view glyph;
  std::string text;       // `direct over office (lan) to 192.0.2.7`
  std::string kind = {};  // the same without what differs from path to path; for counts
};

struct MeshRow {
  std::string name;  // as configured
  std::string self;  // as the mesh calls it
  bool known = false;
  std::string why;                        // it is not known
  std::map<std::size_t, MeshCell> cells;  // by column; none where the node does not know the peer

  [[nodiscard]] std::size_t needs_care() const {
    std::size_t count = 0;
    for (const auto& [column, cell] : cells)
      count += cell.tone == Tone::bad || cell.tone == Tone::warn ? 1 : 0;
    return count;
  }
};

struct MeshKind {
  Tone tone;
  std::string_view glyph;
  std::string text;
  auto operator<=>(const MeshKind&) const = default;
};

struct MeshMatrix {
  std::vector<std::string> columns;  // configured nodes first, in their order, then the others
  std::vector<MeshRow> rows;
  std::map<MeshKind, std::size_t> counts;
  std::vector<std::string> not_asked;  // nodes that no configured source reads
};

MeshMatrix mesh_matrix(const Fleet& fleet, const Judgement& judgement);

}  // namespace shortcircuit::page
