#include "web/status_page.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "web/status_page_parts.h"

namespace shortcircuit {
namespace {

using page::Tone;

// Snapshots come every few seconds; one that is older than this is no view of the present.
constexpr Duration old_snapshot = 2min;

struct Headline {
  Tone tone = Tone::good;
  std::string text;
};

Headline headline_of(const Judgement& judgement) {
  std::array<std::size_t, severity_names.size()> counts{};
  for (const Finding& finding : judgement.findings)
    ++counts[static_cast<std::size_t>(finding.severity)];
  const auto [critical, warning, info] = counts;
  const auto in_part = static_cast<std::size_t>(
      std::count_if(judgement.layers.begin(), judgement.layers.end(),
                    [](const LayerState& state) { return !state.unknown.empty(); }));
  std::vector<std::string> parts;
  if (critical > 0) parts.push_back(fmt::format("{} critical", critical));
  if (warning > 0) parts.push_back(count_of(warning, "warning"));
  if (info > 0) parts.push_back(fmt::format("{} for information", info));
  Headline headline;
  switch (overall_of(judgement)) {
    case Overall::found:
      headline = {
          critical > 0 ? Tone::bad : Tone::warn,
          fmt::format("{}: {}", count_of(critical + warning + info, "finding"), join(parts, ", "))};
      break;
    case Overall::nothing_judged:
      headline = {Tone::unknown, "Nothing is judged: no source is configured that a layer needs"};
      break;
    case Overall::in_part: headline = {Tone::unknown, "Nothing found in what could be read"}; break;
    case Overall::fine:
      headline = {Tone::good, "Nothing found: every configured layer is fine"};
      break;
  }
  if (critical + warning == 0 && info > 0) headline.text += fmt::format(" ({})", join(parts, ", "));
  if (in_part > 0)
    headline.text += fmt::format("; {} not fully judged", count_of(in_part, "layer"));
  return headline;
}

std::string routes_line(const Judgement& judgement) {
  std::size_t broken = 0;
  std::size_t unknown = 0;
  for (const RouteWalk& walk : judgement.routes) {
    broken += walk.status() == LinkStatus::broken ? 1 : 0;
    unknown += walk.status() == LinkStatus::unknown ? 1 : 0;
  }
  if (judgement.routes.empty()) return "";
  std::string text =
      fmt::format("{} of {} down", broken, count_of(judgement.routes.size(), "route"));
  if (unknown > 0) text += fmt::format(", {} unknown", unknown);
  return text;
}

void write_head(Html& html, const Headline& headline, const StatusPageContext& context) {
  const auto head = html.scope("head");
  html.open("meta", {{"charset", "utf-8"}});
  html.open("meta", {{"name", "viewport"}, {"content", "width=device-width, initial-scale=1"}});
  html.open("meta", {{"name", "color-scheme"}, {"content", "light dark"}});
  html.open("meta", {{"name", "robots"}, {"content", "noindex"}});
  if (context.refresh_seconds > 0) {
    html.open("meta",
              {{"http-equiv", "refresh"}, {"content", fmt::format("{}", context.refresh_seconds)}});
  }
  html.element("title",
               fmt::format("{}{} {} · ShortCircuit", context.replayed.empty() ? "" : "Recording: ",
                           page::symbol_of(headline.tone), headline.text));
  // An empty picture, so that the browser does not ask for /favicon.ico.
  html.open("link", {{"rel", "icon"}, {"href", "data:,"}});
  html.open("style").raw(page::style_sheet()).close("style");
}

void write_banner(Html& html, const Headline& headline, const Judgement& judgement,
                  const StatusPageContext& context) {
  const auto header = html.scope("header");
  {
    const auto line = html.scope("div", {{"class", "brand"}});
    html.element("span", {{"class", "name"}}, "ShortCircuit");
    const auto meta = html.scope("span", {{"class", "meta"}});
    html.text("as of ").element("time", {{"datetime", format_rfc3339(judgement.time)}},
                                page::absolute(judgement.time));
    if (const std::string line_of_routes = routes_line(judgement); !line_of_routes.empty()) {
      html.text(" · ").text(line_of_routes);
    }
  }
  html.open("h1", {{"class", fmt::format("verdict {}", page::class_of(headline.tone))}});
  page::symbol(html, headline.tone);
  html.text(" ").text(headline.text).close("h1");
  if (!context.replayed.empty()) {
    html.element("p", {{"class", "notice warn"}, {"role", "note"}},
                 fmt::format("▲ A recording is played, {}: this is not your fleet as it is now.",
                             context.replayed));
  } else if (context.now && *context.now - judgement.time > old_snapshot) {
    html.element(
        "p", {{"class", "notice bad"}, {"role", "alert"}},
        fmt::format("✕ This view is {} old: the exporter makes no new snapshot. Look at its log.",
                    format_duration(*context.now - judgement.time)));
  }
  if (!context.reload.successful) {
    html.element("p", {{"class", "notice warn"}, {"role", "alert"}},
                 "▲ The configuration file was not taken over: the last reload failed and the old "
                 "configuration stays. The log names each problem; --config.check lists them.");
  }
}

void write_footer(Html& html, const Judgement& judgement, const StatusPageContext& context) {
  const auto footer = html.scope("footer");
  html.open("p").text(fmt::format("shortcircuit-exporter {}", context.version));
  if (!context.revision.empty()) html.text(fmt::format(" ({})", context.revision));
  html.text(fmt::format(" · snapshot {}", judgement.snapshot));
  if (context.reload.last_success) {
    html.text(" · configuration read ").text(page::absolute(*context.reload.last_success));
  }
  if (context.refresh_seconds > 0) {
    html.text(
        fmt::format(" · this page asks for itself again every {} s", context.refresh_seconds));
  }
  html.close("p");
  const auto links = html.scope("nav", {{"aria-label", "Other pages"}});
  html.element("a", {{"href", context.telemetry_path}}, "Metrics").text(" · ");
  html.element("a", {{"href", "/api/findings"}}, "Findings as JSON").text(" · ");
  html.element("a", {{"href", "/config"}}, "Configuration");
}

}  // namespace

std::string status_page(const Fleet& fleet, const Judgement& judgement,
                        const StatusPageContext& context) {
  const Headline headline = headline_of(judgement);
  Html html;
  html.raw("<!DOCTYPE html>\n");
  {
    const auto document = html.scope("html", {{"lang", "en"}});
    write_head(html, headline, context);
    const auto body = html.scope("body");
    write_banner(html, headline, judgement, context);
    {
      const auto main = html.scope("main");
      page::layers(html, judgement);
      page::routes(html, judgement);
      page::findings(html, judgement);
      page::mesh(html, fleet, judgement);
      page::etcd(html, fleet);
      page::storage(html, fleet);
      page::networks(html, fleet, judgement);
      page::sources(html, fleet);
    }
    write_footer(html, judgement, context);
  }
  html.raw("\n");
  return html.take();
}

}  // namespace shortcircuit
