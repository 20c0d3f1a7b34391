#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

#include "base/text.h"
#include "web/status_page_parts.h"

namespace shortcircuit::page {
namespace {

constexpr std::size_t most_findings = 200;
constexpr std::size_t most_in_a_layer = 60;
constexpr std::size_t most_hosts = 12;
constexpr std::size_t longest_text = 1200;

Tone tone_of(Severity severity) {
  switch (severity) {
    case Severity::critical: return Tone::bad;
    case Severity::warning: return Tone::warn;
    case Severity::info: break;
  }
  return Tone::off;
}

void write_finding(Html& html, const Finding& finding, Time now) {
  const Tone tone = tone_of(finding.severity);
  const auto item = html.scope("li", {{"class", fmt::format("finding {}", class_of(tone))}});
  {
    const auto line = html.scope("div", {{"class", "finding-line"}});
    state(html, tone, name_of(finding.severity));
    html.text(" ").open("span", {{"class", "object"}}).text(finding.kind).text(" ");
    html.element("b", shortened(finding.object, longest_text)).close("span").text(" ");
    html.element("span", {{"class", "check"}}, fmt::format("{}/{}", finding.check, finding.reason));
    html.text(" ").open("span", {{"class", "since"}}).text("since ");
    moment(html, finding.since, now);
    html.close("span");
  }
  html.element("p", {{"class", "message"}}, shortened(finding.message, longest_text));
  if (!finding.hosts.empty()) {
    html.open("p", {{"class", "hosts"}}).element("span", {{"class", "key"}}, "takes down").text(" ");
    html.text(shortened(enumerate(finding.hosts, most_hosts), longest_text)).close("p");
  }
  if (!finding.cure.empty()) {
    html.open("div", {{"class", "cure"}}).element("span", {{"class", "key"}}, "cure").text(" ");
    html.element("code", shortened(finding.cure, longest_text)).close("div");
  }
}

void write_layer(Html& html, std::size_t number, const std::vector<const Finding*>& findings,
                 std::size_t shown, Time now) {
  const Layer layer = findings.front()->layer;
  html.open("h3", {{"id", fmt::format("layer-{}", name_of(layer))}});
  html.element("span", {{"class", "number"}}, fmt::format("{}", number)).text(" ");
  html.text(words(name_of(layer))).text(" ");
  html.element("span", {{"class", "beside"}}, count_of(findings.size(), "finding")).close("h3");
  {
    const auto list = html.scope("ol", {{"class", "findings"}, {"role", "list"}});
    for (std::size_t index = 0; index < shown; ++index) write_finding(html, *findings[index], now);
  }
  and_more(html, findings.size(), shown, "findings of this layer; /api/findings lists them all");
}

}  // namespace

void findings(Html& html, const Judgement& judgement) {
  if (judgement.findings.empty()) return;
  std::map<Layer, std::vector<const Finding*>> groups;  // in walking order
  for (const Finding& finding : judgement.findings) groups[finding.layer].push_back(&finding);
  const auto part = section(html, "findings", "Findings", "mend from the top");
  std::size_t room = most_findings;
  for (auto& [layer, members] : groups) {
    // The page cuts a layer's list, and what hurts most must not be what is cut.
    std::stable_sort(members.begin(), members.end(), [](const Finding* left, const Finding* right) {
      return left->severity < right->severity;
    });
    const std::size_t shown = std::min({members.size(), most_in_a_layer, room});
    room -= shown;
    write_layer(html, static_cast<std::size_t>(layer) + 1, members, shown, judgement.time);
  }
}

}  // namespace shortcircuit::page
