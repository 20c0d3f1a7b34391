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

// Findings that differ only in their object are one card: twenty nodes with one fault are read,
// and mended, as one thing.
using Group = std::vector<const Finding*>;
constexpr std::size_t smallest_group = 3;

std::string replaced(std::string text, std::string_view what) {
  if (what.size() < 2) return text;
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) {
    text.replace(at, what.size(), "\x01");
  }
  return text;
}

bool same_but_for_object(const Finding& left, const Finding& right) {
  if (left.check != right.check || left.reason != right.reason || left.kind != right.kind ||
      left.severity != right.severity || left.hosts != right.hosts) {
    return false;
  }
  return left.cure == right.cure ||
         replaced(left.cure, left.object) == replaced(right.cure, right.object);
}

std::vector<Group> groups_of(const std::vector<const Finding*>& findings) {
  std::vector<Group> groups;
  for (std::size_t at = 0; at < findings.size();) {
    std::size_t end = at + 1;
    while (end < findings.size() && same_but_for_object(*findings[at], *findings[end])) ++end;
    if (end - at >= smallest_group) {
      groups.emplace_back(findings.begin() + static_cast<std::ptrdiff_t>(at),
                          findings.begin() + static_cast<std::ptrdiff_t>(end));
    } else {
      for (std::size_t index = at; index < end; ++index) groups.push_back({findings[index]});
    }
    at = end;
  }
  return groups;
}

void write_title(Html& html, const Group& group, Time now) {
  const Finding& first = *group.front();
  const auto line = html.scope("div", {{"class", "finding-line"}});
  state(html, tone_of(first.severity), name_of(first.severity));
  html.text(" ").open("span", {{"class", "object"}});
  if (group.size() == 1) {
    html.text(first.kind).text(" ").element("b", shortened(first.object, longest_text));
  } else {
    html.element("b", fmt::format("{} × {}", group.size(), first.kind));
  }
  html.close("span").text(" ");
  html.element("span", {{"class", "check"}}, fmt::format("{}/{}", first.check, first.reason));
  Time since = first.since;
  for (const Finding* finding : group) since = std::min(since, finding->since);
  html.text(" ").open("span", {{"class", "since"}}).text("since ");
  moment(html, since, now);
  html.close("span");
}

// The sentence, with its object standing out; before it, where the sentence does not name it.
void write_member(Html& html, const Finding& finding) {
  const auto item = html.scope("li");
  const std::string message = shortened(finding.message, longest_text);
  const std::size_t at = finding.object.empty() ? std::string::npos : message.find(finding.object);
  if (at == std::string::npos) {
    html.element("b", shortened(finding.object, longest_text)).text(": ").text(message);
    return;
  }
  const std::string_view view = message;
  html.text(view.substr(0, at)).element("b", view.substr(at, finding.object.size()));
  html.text(view.substr(at + finding.object.size()));
}

void write_group(Html& html, const Group& group, Time now) {
  const Finding& first = *group.front();
  const auto item =
      html.scope("li", {{"class", fmt::format("finding {}", class_of(tone_of(first.severity)))}});
  write_title(html, group, now);
  if (group.size() == 1) {
    html.element("p", {{"class", "message"}}, shortened(first.message, longest_text));
  } else {
    const auto list = html.scope("ul", {{"class", "members"}});
    for (const Finding* finding : group) write_member(html, *finding);
  }
  if (!first.hosts.empty()) {
    html.open("p", {{"class", "hosts"}})
        .element("span", {{"class", "key"}}, "takes down")
        .text(" ");
    html.text(shortened(enumerate(first.hosts, most_hosts), longest_text)).close("p");
  }
  if (first.cure.empty()) return;
  const bool alike = group.size() == 1 || group.back()->cure == first.cure;
  const auto cure = html.scope("div", {{"class", "cure"}});
  html.element("span", {{"class", "key"}}, alike ? "cure" : "cure, alike for each").text(" ");
  html.element("code", shortened(first.cure, longest_text));
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
    const auto end = findings.begin() + static_cast<std::ptrdiff_t>(shown);
    for (const Group& group : groups_of({findings.begin(), end})) write_group(html, group, now);
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
