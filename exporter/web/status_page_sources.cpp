#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "web/status_page_parts.h"

namespace shortcircuit::page {
namespace {

constexpr std::size_t most_targets = 120;
constexpr std::size_t longest_error = 400;
constexpr std::size_t most_notes = 8;

struct Line {
  std::string_view source;
  std::string_view target;
  const TargetHealth* health;
  bool known;  // there is a state to judge from
  std::vector<std::string> blind;
};

template <class State>
void add_blind(const State&, std::vector<std::string>&) {}

void add_blind(const kubernetes::State& state, std::vector<std::string>& blind) {
  for (const auto& [kind, error] : state.blind) {
    blind.push_back(fmt::format("cannot read {}: {}", kind, error.message));
  }
}

template <class State>
void add_lines(std::string_view source, const std::vector<Observed<State>>& targets,
               std::vector<Line>& lines) {
  for (const Observed<State>& observed : targets) {
    Line line{source, observed.target, &observed.health, observed.state != nullptr, {}};
    if (observed.state) add_blind(*observed.state, line.blind);
    lines.push_back(std::move(line));
  }
}

std::pair<Tone, std::string> verdict_of(const Line& line) {
  if (line.health->up) {
    if (line.health->notes.empty() && line.blind.empty()) return {Tone::good, "read"};
    return {Tone::warn, "read in part"};
  }
  if (line.health->polls == 0) return {Tone::unknown, "not asked yet"};
  return {Tone::bad, line.known ? "failing, last answer is used" : "cannot be read"};
}

void write_errors(Html& html, const Line& line) {
  std::vector<std::string> errors;
  if (line.health->last_error) {
    errors.push_back(fmt::format("{}: {}", name_of(line.health->last_error->failure),
                                 line.health->last_error->message));
  }
  for (const std::string& blind : line.blind) errors.push_back(blind);
  for (const Error& note : line.health->notes) {
    // What a blind kind says already stands there once.
    const bool said =
        std::any_of(line.blind.begin(), line.blind.end(), [&](const std::string& text) {
          return text.ends_with(note.message) || note.message.ends_with(text);
        });
    if (!said) errors.push_back(note.message);
  }
  if (line.health->accepts_any_certificate) {
    html.element("div", "accepts any certificate (insecure_skip_verify)");
  }
  for (std::size_t index = 0; index < std::min(errors.size(), most_notes); ++index) {
    html.element("div", shortened(errors[index], longest_error));
  }
  if (errors.size() > most_notes) {
    html.element("div", fmt::format("and {} more", errors.size() - most_notes));
  }
}

void write_line(Html& html, const Line& line, Time now) {
  const auto row = html.scope("tr");
  html.element("th", {{"scope", "row"}},
               line.target.empty() ? std::string(line.source)
                                   : fmt::format("{} / {}", line.source, line.target));
  const auto [tone, word] = verdict_of(line);
  html.open("td");
  state(html, tone, word);
  html.close("td").open("td", {{"class", "number-cell"}});
  if (line.health->last_success) {
    moment(html, *line.health->last_success, now);
  } else {
    html.text("never");
  }
  html.close("td");
  html.element("td", {{"class", "number-cell"}},
               fmt::format("{:.0f} ms", seconds(line.health->last_duration) * 1000));
  html.open("td", {{"class", "errors"}});
  write_errors(html, line);
  html.close("td");
}

}  // namespace

void sources(Html& html, const Fleet& fleet) {
  std::vector<Line> lines;
#define SHORTCIRCUIT_SOURCE(name) add_lines(#name, fleet.snapshot.name, lines);
#include "sources/sources.def"
#undef SHORTCIRCUIT_SOURCE
  if (lines.empty()) return;
  const auto failing = static_cast<std::size_t>(
      std::count_if(lines.begin(), lines.end(), [](const Line& line) { return !line.health->up; }));
  std::stable_sort(lines.begin(), lines.end(), [](const Line& left, const Line& right) {
    return static_cast<int>(left.health->up) < static_cast<int>(right.health->up);
  });
  const auto part = section(html, "sources", "Sources",
                            fmt::format("{} of {} cannot be read", failing, lines.size()));
  {
    const Table table(html, "What the exporter reads, and how that goes",
                      {"source", "state", "last read", "took", "errors"}, "sources");
    for (std::size_t index = 0; index < std::min(lines.size(), most_targets); ++index) {
      write_line(html, lines[index], fleet.snapshot.time);
    }
  }
  and_more(html, lines.size(), most_targets, "targets");
}

}  // namespace shortcircuit::page
