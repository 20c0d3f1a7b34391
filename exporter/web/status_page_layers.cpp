#include <fmt/format.h>

#include "base/text.h"
#include "web/status_page_parts.h"

namespace shortcircuit::page {
namespace {

constexpr std::size_t most_reasons = 6;

struct Lane {
  Tone tone;
  std::string word;
};

Lane lane_of(const LayerState& state) {
  switch (state.status) {
    case LayerStatus::ok: return {Tone::good, "ok"};
    case LayerStatus::broken: return {Tone::bad, count_of(state.findings, "finding")};
    case LayerStatus::unknown: return {Tone::unknown, "unknown"};
    case LayerStatus::off: break;
  }
  return {Tone::off, "not configured"};
}

void write_unknown(Html& html, const Judgement& judgement) {
  bool any = false;
  for (const LayerState& state : judgement.layers) any = any || !state.unknown.empty();
  if (!any) return;
  html.open("div", {{"class", "notice unknown"}, {"role", "note"}});
  html.element("h3", "? What could not be judged");
  html.open("ul");
  for (const LayerState& state : judgement.layers) {
    if (state.unknown.empty()) continue;
    html.open("li").element("b", words(name_of(state.layer))).text(": ");
    html.text(shortened(enumerate(state.unknown, most_reasons), 1000)).close("li");
  }
  html.close("ul").close("div");
}

}  // namespace

void layers(Html& html, const Judgement& judgement) {
  const auto part = section(html, "layers", "Layers", "in the order in which they hide each other");
  html.open("ol", {{"class", "strip"}, {"role", "list"}});
  int number = 0;
  for (const LayerState& state : judgement.layers) {
    const Lane lane = lane_of(state);
    html.open("li", {{"class", class_of(lane.tone)}});
    const bool linked = state.status == LayerStatus::broken;
    if (linked) {
      html.open("a", {{"href", fmt::format("#layer-{}", name_of(state.layer))}});
    } else {
      html.open("div");
    }
    html.element("span", {{"class", "number"}}, fmt::format("{}", ++number));
    html.text(" ").element("span", {{"class", "lane"}}, words(name_of(state.layer))).text(" ");
    html.open("span", {{"class", "word"}});
    symbol(html, lane.tone);
    html.text(" ").text(lane.word);
    if (linked && !state.unknown.empty()) html.text(", in part unknown");
    html.close("span").close(linked ? "a" : "div").close("li");
  }
  html.close("ol");
  write_unknown(html, judgement);
}

}  // namespace shortcircuit::page
