#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/text.h"
#include "web/mesh_matrix.h"
#include "web/status_page_parts.h"

namespace shortcircuit::page {
namespace {

constexpr std::size_t most_in_matrix = 60;
constexpr std::size_t most_summaries = 200;

void write_cell(Html& html, const MeshCell& cell) {
  const auto place = html.scope("td", {{"class", class_of(cell.tone)}});
  html.element("i", {{"role", "img"}, {"title", cell.text}}, cell.glyph);
}

void write_head(Html& html, const MeshMatrix& matrix) {
  const auto head = html.scope("thead");
  const auto row = html.scope("tr");
  html.element("th", {{"scope", "col"}}, "from ↓ to →");
  for (const std::string& name : matrix.columns) {
    html.open("th", {{"scope", "col"}}).element("span", shortened(name, 40)).close("th");
  }
}

void write_matrix(Html& html, const MeshMatrix& matrix) {
  const auto container = html.scope(
      "div",
      {{"class", "scroll"}, {"role", "region"}, {"aria-label", "Mesh matrix"}, {"tabindex", "0"}});
  const auto table = html.scope("table", {{"class", "mesh"}});
  html.element("caption",
               "Who reaches whom: one row for each node whose tailscaled is asked, one column for "
               "each peer");
  write_head(html, matrix);
  const auto body = html.scope("tbody");
  for (const MeshRow& row : matrix.rows) {
    const auto line = html.scope("tr");
    html.element("th", {{"scope", "row"}}, shortened(row.name, 40));
    if (!row.known) {
      html.element(
          "td",
          {{"class", "unknown unread"}, {"colspan", fmt::format("{}", matrix.columns.size())}},
          fmt::format("? {}", shortened(row.why, 200)));
      continue;
    }
    for (std::size_t column = 0; column < matrix.columns.size(); ++column) {
      const auto found = row.cells.find(column);
      if (matrix.columns[column] == row.self) {
        html.element("td", {{"class", "self"}}, "");
      } else if (found == row.cells.end()) {
        write_cell(html, {Tone::unknown, "?", "not among its peers"});
      } else {
        write_cell(html, found->second);
      }
    }
  }
}

// What each kind of path is, and how many there are: the legend is also the sum.
void write_legend(Html& html, const MeshMatrix& matrix) {
  const auto list = html.scope(
      "ul", {{"class", "legend"}, {"aria-label", "Kinds of paths and how many there are"}});
  for (const auto& [kind, count] : matrix.counts) {
    html.open("li").open("b", {{"class", class_of(kind.tone)}, {"aria-hidden", "true"}});
    html.text(kind.glyph).close("b");
    html.text(fmt::format("{}: {}", kind.text, count)).close("li");
  }
}

void write_summary(Html& html, const MeshMatrix& matrix) {
  std::vector<const MeshRow*> rows;
  for (const MeshRow& row : matrix.rows) rows.push_back(&row);
  std::stable_sort(rows.begin(), rows.end(), [](const MeshRow* left, const MeshRow* right) {
    return std::pair(right->known, left->needs_care()) >
           std::pair(left->known, right->needs_care());
  });
  {
    const Table table(
        html, "Paths of each node (too many nodes for a matrix)",
        {"from", "bad", "in need of care", "fine", "idle or offline", "what is not fine"},
        "summary");
    for (std::size_t index = 0; index < std::min(rows.size(), most_summaries); ++index) {
      const MeshRow& row = *rows[index];
      const auto line = html.scope("tr");
      html.element("th", {{"scope", "row"}}, shortened(row.name, 60));
      if (!row.known) {
        html.open("td", {{"colspan", "5"}});
        state(html, Tone::unknown, shortened(row.why, 200));
        html.close("td");
        continue;
      }
      std::map<Tone, std::size_t> tones;
      std::map<std::string, std::size_t> kinds;
      for (const auto& [column, cell] : row.cells) {
        ++tones[cell.tone];
        if (cell.tone == Tone::bad || cell.tone == Tone::warn) ++kinds[cell.kind];
      }
      for (const Tone tone : {Tone::bad, Tone::warn, Tone::good, Tone::off}) {
        html.element("td", {{"class", tones[tone] == 0 ? "number-cell none" : "number-cell"}},
                     fmt::format("{}", tones[tone]));
      }
      std::vector<std::string> texts;
      for (const auto& [kind, count] : kinds) texts.push_back(fmt::format("{} {}", count, kind));
      html.element("td", enumerate(texts, 4));
    }
  }
  and_more(html, rows.size(), most_summaries, "nodes");
}

}  // namespace

void mesh(Html& html, const Fleet& fleet, const Judgement& judgement) {
  if (fleet.snapshot.tailscale.empty()) return;
  const MeshMatrix matrix = mesh_matrix(fleet, judgement);
  const auto asked = fleet.snapshot.tailscale.size();
  const auto known = static_cast<std::size_t>(std::count_if(
      matrix.rows.begin(), matrix.rows.end(), [](const MeshRow& row) { return row.known; }));
  const auto part = section(
      html, "mesh", "Mesh",
      fmt::format("{} of {} tailscaled read, {} nodes known", known, asked, matrix.columns.size()));
  write_legend(html, matrix);
  if (matrix.columns.size() <= most_in_matrix && matrix.rows.size() <= most_in_matrix) {
    write_matrix(html, matrix);
  } else {
    write_summary(html, matrix);
  }
  if (!matrix.not_asked.empty()) {
    html.element(
        "p", {{"class", "hint"}},
        fmt::format("? Unknown is how these nodes see the mesh, since no configured source reads "
                    "their tailscaled: {}.",
                    shortened(enumerate(matrix.not_asked, 24), 1200)));
  }
}

}  // namespace shortcircuit::page
