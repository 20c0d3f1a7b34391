#include "app/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/text.h"

namespace shortcircuit {
namespace {

class Painter {
 public:
  explicit Painter(const ReportStyle& style) : style_(style) {}
  [[nodiscard]] std::string red(std::string_view text) const { return paint("31;1", text); }
  [[nodiscard]] std::string yellow(std::string_view text) const { return paint("33", text); }
  [[nodiscard]] std::string green(std::string_view text) const { return paint("32", text); }
  [[nodiscard]] std::string grey(std::string_view text) const { return paint("2", text); }
  [[nodiscard]] std::string bold(std::string_view text) const { return paint("1", text); }

  // Words wrapped to the width; lines after the first are indented. `first` counts as printed.
  [[nodiscard]] std::string wrap(std::string_view text, std::size_t indent) const {
    std::string out;
    std::size_t column = indent;
    for (const std::string& word : split(text, ' ')) {
      if (column > indent && column + 1 + word.size() > style_.width) {
        out += "\n" + std::string(indent, ' ');
        column = indent;
      } else if (column > indent) {
        out += ' ';
        ++column;
      }
      out += word;
      column += word.size();
    }
    return out;
  }

 private:
  [[nodiscard]] std::string paint(std::string_view code, std::string_view text) const {
    return style_.colour ? fmt::format("\x1b[{}m{}\x1b[0m", code, text) : std::string(text);
  }
  const ReportStyle& style_;
};

std::string severity_word(const Painter& painter, Severity severity) {
  switch (severity) {
    case Severity::critical: return painter.red("critical");
    case Severity::warning: return painter.yellow("warning");
    case Severity::info: break;
  }
  return painter.grey("info");
}

std::string layer_lines(const Judgement& judgement, const Painter& painter) {
  std::string out = painter.bold("LAYERS") + "\n";
  int number = 0;
  for (const LayerState& state : judgement.layers) {
    ++number;
    std::string word;
    switch (state.status) {
      case LayerStatus::ok: word = painter.green("ok"); break;
      case LayerStatus::broken: word = painter.red(count_of(state.findings, "finding")); break;
      case LayerStatus::unknown: word = painter.yellow("unknown"); break;
      case LayerStatus::off: word = painter.grey("not configured"); break;
    }
    out += fmt::format("  {:>2}  {:<17} {}\n", number, name_of(state.layer), word);
    if (!state.unknown.empty()) {
      out += fmt::format("        {}{}\n", painter.yellow("cannot judge: "),
                         painter.wrap(enumerate(state.unknown, 3), 22));
    }
  }
  return out;
}

std::string finding_lines(const Judgement& judgement, const Painter& painter) {
  if (judgement.findings.empty()) return "";
  std::string out = "\n" + painter.bold("FINDINGS") + " (in walking order: mend from the top)\n";
  std::size_t number = 0;
  for (const Finding& finding : judgement.findings) {
    out += fmt::format("{:>3}. {} {} {} {}\n", ++number, severity_word(painter, finding.severity),
                       painter.bold(fmt::format("{} {}", finding.kind, finding.object)),
                       painter.grey("·"), fmt::format("{}/{}", finding.check, finding.reason));
    out += "     " + painter.wrap(finding.message, 5) + "\n";
    // Never wrapped: pasted with a line break in it, the rest of its comment would be run.
    out += "     " + painter.green("cure: ") + finding.cure + "\n";
    if (!finding.hosts.empty()) {
      out += "     takes down: " + painter.wrap(enumerate(finding.hosts, 8), 17) + "\n";
    }
    if (finding.since < judgement.time) {
      out += fmt::format("     since {} ({} ago)\n", format_rfc3339(finding.since),
                         format_duration(judgement.time - finding.since));
    }
  }
  return out;
}

std::string route_lines(const Judgement& judgement, const Painter& painter) {
  if (judgement.routes.empty()) return "";
  std::size_t host_width = 8;
  for (const RouteWalk& walk : judgement.routes) {
    host_width = std::max(host_width, walk.route.host.size() + walk.route.path.size());
  }
  host_width = std::min<std::size_t>(host_width, 48);
  std::string out = "\n" + painter.bold("ROUTES") + "\n";
  for (const RouteWalk& walk : judgement.routes) {
    const std::string name = (walk.route.host.empty() ? "*" : walk.route.host) + walk.route.path;
    std::string verdict;
    if (walk.status() == LinkStatus::ok) {
      verdict = painter.green("ok");
    } else if (walk.cause) {
      std::vector<std::string> broken;
      for (const RouteLink& link : walk.links) {
        if (link.status != LinkStatus::broken) continue;
        auto text = fmt::format("{} {}", name_of(link.layer), link.reason);
        if (std::find(broken.begin(), broken.end(), text) == broken.end()) broken.push_back(text);
      }
      verdict = painter.red("down") + "  " + join(broken, ", then ");
    } else {
      std::vector<std::string> unknown;
      for (const RouteLink& link : walk.links) {
        if (link.status != LinkStatus::unknown) continue;
        unknown.push_back(link.text.empty() ? link.link
                                            : fmt::format("{} ({})", link.link, link.text));
      }
      verdict = painter.yellow("unknown") + "  " + join(unknown, ", ");
    }
    out += fmt::format("  {:<{}}  {}\n", name, host_width, verdict);
  }
  return out;
}

template <class State>
void source_line(std::string_view source, const std::vector<Observed<State>>& targets,
                 const Painter& painter, std::string& out) {
  for (const Observed<State>& observed : targets) {
    const std::string name = observed.target.empty()
                                 ? std::string(source)
                                 : fmt::format("{}/{}", source, observed.target);
    if (observed.health.last_error) {
      out += fmt::format("  {} {}: {}\n", painter.red("cannot read"), name,
                         painter.wrap(observed.health.last_error->message, 14));
    }
    for (const Error& note : observed.health.notes) {
      out += fmt::format("  {} {}: {}\n", painter.yellow("in part"), name,
                         painter.wrap(note.message, 10));
    }
  }
}

std::string source_lines(const Snapshot& snapshot, const Painter& painter) {
  std::string lines;
#define SHORTCIRCUIT_SOURCE(name) source_line(#name, snapshot.name, painter, lines);
#include "sources/sources.def"
#undef SHORTCIRCUIT_SOURCE
  return lines.empty() ? "" : "\n" + painter.bold("SOURCES THAT CANNOT BE READ") + "\n" + lines;
}

}  // namespace

std::string check_report(const Fleet& fleet, const Judgement& judgement, const ReportStyle& style) {
  const Painter painter(style);
  std::map<Severity, std::size_t> counts;
  for (const Finding& finding : judgement.findings) ++counts[finding.severity];
  std::string verdict;
  const auto unknown = static_cast<std::size_t>(
      std::count_if(judgement.layers.begin(), judgement.layers.end(),
                    [](const LayerState& state) { return !state.unknown.empty(); }));
  std::vector<std::string> parts;
  for (const auto& [severity, count] : counts) {
    parts.push_back(fmt::format("{} {}", count, name_of(severity)));
  }
  switch (overall_of(judgement)) {
    case Overall::found: verdict = painter.red(join(parts, ", ")); break;
    case Overall::nothing_judged:
      verdict = painter.yellow("nothing is judged: no source is configured that a layer needs");
      break;
    case Overall::in_part: verdict = painter.yellow("nothing found in what could be read"); break;
    case Overall::fine: verdict = painter.green("nothing found"); break;
  }
  if (overall_of(judgement) != Overall::found && !parts.empty()) {
    verdict += fmt::format(" ({})", join(parts, ", "));
  }
  if (unknown > 0)
    verdict += ", " + painter.yellow(count_of(unknown, "layer") + " not (fully) judged");
  if (const auto routes = unknown_routes(judgement); routes > 0)
    verdict += ", " + painter.yellow(count_of(routes, "route") + " not judged");
  return fmt::format("{} at {}: {}\n\n", painter.bold("ShortCircuit check"),
                     format_rfc3339(judgement.time), verdict) +
         layer_lines(judgement, painter) + finding_lines(judgement, painter) +
         route_lines(judgement, painter) + source_lines(fleet.snapshot, painter);
}

std::string dependents_report(const std::string& wanted, const std::vector<Dependent>& dependents,
                              const std::vector<std::string>& unknown, const ReportStyle& style) {
  const Painter painter(style);
  std::string out;
  if (dependents.empty()) {
    out = unknown.empty() ? fmt::format("Nothing depends on {}.\n", wanted)
                          : fmt::format("Nothing that could be read depends on {}.\n", wanted);
  } else {
    out = fmt::format("{} on {}\n",
                      painter.red(count_of(dependents.size(), "thing") +
                                  (dependents.size() == 1 ? " depends" : " depend")),
                      wanted);
  }
  // Grouped by kind of dependency, then by object: 15 paths of one node are one line.
  std::map<std::string, std::map<std::string, std::vector<const Dependent*>>> groups;
  for (const Dependent& dependent : dependents) {
    const std::string object = dependent.dependency == "tailscale_path"
                                   ? dependent.object.substr(0, dependent.object.find(" → "))
                                   : dependent.object;
    groups[dependent.dependency][dependent.kind + " " + object].push_back(&dependent);
  }
  for (const auto& [dependency, objects] : groups) {
    std::size_t count = 0;
    for (const auto& [object, items] : objects) count += items.size();
    out += fmt::format("\n{} ({})\n", painter.bold(dependency), count);
    std::string last_breaks;
    for (const auto& [object, items] : objects) {
      std::vector<std::string> addresses;
      for (const Dependent* item : items) addresses.push_back(item->address);
      std::sort(addresses.begin(), addresses.end());
      addresses.erase(std::unique(addresses.begin(), addresses.end()), addresses.end());
      out += fmt::format("  {} {} {}\n", object, painter.grey(fmt::format("({})", items.size())),
                         painter.wrap(enumerate(addresses, 6), 4));
      if (items.front()->breaks != last_breaks) {
        last_breaks = items.front()->breaks;
        out += "    without it: " + painter.wrap(last_breaks, 16) + "\n";
        out += "    " + painter.green("to move it: ") + items.front()->cure + "\n";
      }
    }
  }
  if (!unknown.empty()) {
    out += "\n" + painter.yellow("Could not be asked: ") + painter.wrap(enumerate(unknown, 6), 20) +
           "\n";
  }
  return out;
}

}  // namespace shortcircuit
