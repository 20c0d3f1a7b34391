#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.h"
#include "web/status_page_parts.h"

namespace shortcircuit::page {
namespace {

constexpr std::size_t most_routes = 150;
constexpr std::size_t most_links = 24;
constexpr std::size_t longest_link = 160;

Tone tone_of(LinkStatus status) {
  switch (status) {
    case LinkStatus::ok: return Tone::good;
    case LinkStatus::broken: return Tone::bad;
    case LinkStatus::unknown: break;
  }
  return Tone::unknown;
}

std::string_view word_of(LinkStatus status) {
  switch (status) {
    case LinkStatus::ok: return "ok";
    case LinkStatus::broken: return "broken";
    case LinkStatus::unknown: break;
  }
  return "unknown";
}

void write_link(Html& html, const RouteLink& link, bool cause) {
  const Tone tone = tone_of(link.status);
  const auto item = html.scope(
      "li", {{"class", fmt::format("link {}{}", class_of(tone), cause ? " cause" : "")}});
  const auto chip = html.scope("div");
  symbol(html, tone);
  html.text(" ").element("span", {{"class", "link-name"}}, words(link.link)).text(" ");
  html.element("span", {{"class", "hidden"}}, fmt::format("{}: ", word_of(link.status)));
  html.element("span", {{"class", "link-text"}}, shortened(link.text, longest_link));
  if (link.status == LinkStatus::broken) {
    html.text(" ").open("span", {{"class", "reason"}});
    html.open("a", {{"href", fmt::format("#layer-{}", name_of(link.layer))}});
    html.text(fmt::format("{}: {}", words(name_of(link.layer)), words(link.reason)));
    html.close("a").close("span");
  }
  if (cause) html.text(" ").element("strong", {{"class", "tag"}}, "cause");
}

void write_route(Html& html, const RouteWalk& walk) {
  const LinkStatus status = walk.status();
  const auto item =
      html.scope("li", {{"class", fmt::format("route {}", class_of(tone_of(status)))}});
  {
    const auto line = html.scope("div", {{"class", "route-line"}});
    const auto heading = html.scope("h3");
    state(html, tone_of(status),
          status == LinkStatus::ok       ? "up"
          : status == LinkStatus::broken ? "down"
                                         : "unknown");
    html.text(" ").element(
        "span", {{"class", "route-name"}},
        shortened(walk.route.host.empty() ? "*" : walk.route.host, longest_link) +
            shortened(walk.route.path, longest_link));
    html.text(" ").element("span", {{"class", "beside"}},
                           fmt::format("{} {}", walk.route.kind, walk.route.object.text()));
  }
  const auto chain = html.scope("ol", {{"class", "chain"}, {"role", "list"}});
  for (std::size_t index = 0; index < std::min(walk.links.size(), most_links); ++index) {
    write_link(html, walk.links[index], walk.cause == index);
  }
  if (walk.links.size() > most_links) {
    html.element("li", {{"class", "link"}},
                 fmt::format("and {} more", walk.links.size() - most_links));
  }
}

}  // namespace

void routes(Html& html, const Judgement& judgement) {
  if (judgement.routes.empty()) return;
  std::array<std::size_t, 3> counts{};
  std::vector<const RouteWalk*> walks;
  for (const RouteWalk& walk : judgement.routes) {
    walks.push_back(&walk);
    ++counts[static_cast<std::size_t>(walk.status())];
  }
  // What is down first, then what is unknown: a cut list never hides a fault behind what works.
  std::stable_sort(walks.begin(), walks.end(), [](const RouteWalk* left, const RouteWalk* right) {
    constexpr std::array<int, 3> ranks{2, 0, 1};
    return ranks[static_cast<std::size_t>(left->status())] <
           ranks[static_cast<std::size_t>(right->status())];
  });
  const auto part =
      section(html, "routes", "Routes",
              fmt::format("{} down, {} unknown, {} up", counts[1], counts[2], counts[0]));
  html.element("p", {{"class", "hint"}},
               "Each chain is walked from the entry to the backend. The first broken link is the "
               "cause; links broken behind it stay broken when the cause is mended.");
  {
    const auto list = html.scope("ol", {{"class", "routes"}, {"role", "list"}});
    for (std::size_t index = 0; index < std::min(walks.size(), most_routes); ++index) {
      write_route(html, *walks[index]);
    }
  }
  and_more(html, walks.size(), most_routes, "routes; /api/findings lists them all");
}

}  // namespace shortcircuit::page
