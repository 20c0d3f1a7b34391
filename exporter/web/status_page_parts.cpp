#include "web/status_page_parts.h"

#include <fmt/format.h>

#include <array>

namespace shortcircuit::page {

std::string_view class_of(Tone tone) {
  constexpr std::array<std::string_view, 5> classes{"good", "bad", "warn", "unknown", "off"};
  return classes[static_cast<std::size_t>(tone)];
}

std::string_view symbol_of(Tone tone) {
  constexpr std::array<std::string_view, 5> symbols{"✓", "✕", "▲", "?", "–"};
  return symbols[static_cast<std::size_t>(tone)];
}

void symbol(Html& html, Tone tone) {
  html.element("span", {{"class", "symbol"}, {"aria-hidden", "true"}}, symbol_of(tone));
}

void state(Html& html, Tone tone, std::string_view word) {
  const auto scope = html.scope("span", {{"class", fmt::format("state {}", class_of(tone))}});
  symbol(html, tone);
  html.text(" ").text(word);
}

Html::Scope section(Html& html, std::string_view id, std::string_view title,
                    std::string_view beside) {
  html.open("section", {{"id", id}, {"aria-labelledby", fmt::format("{}-title", id)}});
  html.open("h2", {{"id", fmt::format("{}-title", id)}}).text(title);
  if (!beside.empty()) html.text(" ").element("span", {{"class", "beside"}}, beside);
  html.close("h2");
  return {html, "section"};
}

void and_more(Html& html, std::size_t all, std::size_t shown, std::string_view things) {
  if (all <= shown) return;
  html.element("p", {{"class", "more"}}, fmt::format("… and {} more {}.", all - shown, things));
}

Table::Table(Html& html, std::string_view caption, std::initializer_list<std::string_view> columns,
             std::string_view class_name)
    : html_(html) {
  html.open("div",
            {{"class", "scroll"}, {"role", "region"}, {"aria-label", caption}, {"tabindex", "0"}});
  html.open("table", {{"class", class_name}}).element("caption", caption);
  html.open("thead").open("tr");
  for (const std::string_view column : columns) html.element("th", {{"scope", "col"}}, column);
  html.close("tr").close("thead").open("tbody");
}

Table::~Table() { html_.close("tbody").close("table").close("div"); }

std::string words(std::string_view name) {
  std::string out(name);
  for (char& character : out) {
    if (character == '_') character = ' ';
  }
  if (out.ends_with(" mtu")) out.replace(out.size() - 3, 3, "MTU");
  return out;
}

std::string absolute(Time time) {
  std::string text = format_rfc3339(time);  // 2026-11-24T15:30:00Z
  if (text.size() == 20) text.replace(10, 1, " ").replace(19, 1, " UTC");
  return text;
}

void moment(Html& html, Time time, Time now) {
  html.element("time", {{"datetime", format_rfc3339(time)}}, absolute(time));
  if (time > now) {
    html.text(fmt::format(" (in {})", format_duration(time - now)));
  } else {
    html.text(fmt::format(" ({} ago)", format_duration(now - time)));
  }
}

std::string bytes(double count) {
  constexpr std::array<std::string_view, 6> units{"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
  std::size_t unit = 0;
  while (count >= 1024 && unit + 1 < units.size()) {
    count /= 1024;
    ++unit;
  }
  return unit == 0 || count >= 100 ? fmt::format("{:.0f} {}", count, units[unit])
                                   : fmt::format("{:.1f} {}", count, units[unit]);
}

std::string label_of(const Network& network) {
  const std::string_view kind = network_kind_names[static_cast<std::size_t>(network.kind)];
  std::string inside;
  if (kind != network.name) inside = kind;
  if (network.retired) inside += inside.empty() ? "retired" : ", retired";
  return inside.empty() ? network.name : fmt::format("{} ({})", network.name, inside);
}

}  // namespace shortcircuit::page
