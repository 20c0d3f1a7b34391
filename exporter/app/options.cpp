#include "app/options.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>

#include "base/address.h"
#include "base/text.h"
#include "base/version.h"
#include "config/scalars.h"
#include "web/listen_address.h"

namespace shortcircuit {
namespace {

struct Flag {
  std::string_view name;
  std::string_view value;  // placeholder; "" = a switch
  std::string_view help;
};

// The one list: help, reference and parser are made from it.
constexpr std::array flags{
    Flag{"--config", "FILE", "configuration (YAML); in a replay the recording's own by default"},
    Flag{"--config.check", "", "read the configuration, say what is wrong with it, end"},
    Flag{"--output", "table|json", "what check and depends print (default table)"},
    Flag{"--replay", "DIR", "read a recording, or one step of it, instead of the network"},
    Flag{"--replay.step", "NAME", "check, depends: judge at this step (default the last)"},
    Flag{"--replay.step-interval", "DURATION", "serve: how long each step stands (default 30s)"},
    Flag{"--web.listen-address", "ADDRESS",
         "where serve answers HTTP (default :10067); repeatable"},
    Flag{"--web.systemd-socket", "", "listen on the sockets that systemd hands over instead"},
    Flag{"--web.telemetry-path", "PATH", "path of the metrics (default /metrics)"},
    Flag{"--web.config.file", "FILE",
         "TLS, users, headers and rate limit, in the format of Prometheus exporters: "
         "deploy/tls/README.md"},
    Flag{"--log.level", "LEVEL", "debug, info, warn or error (default info)"},
    Flag{"--log.format", "FORMAT", "logfmt or json (default logfmt)"},
    Flag{"--print.metrics", "", "print the reference of all metrics, end"},
    Flag{"--print.configuration", "", "print the reference of the configuration, end"},
    Flag{"--print.checks", "", "print the reference of all checks and their reasons, end"},
    Flag{"--print.rbac", "", "print the Kubernetes rights that the configuration needs, end"},
    Flag{"--print.command-line", "", "print the reference of the command line, end"},
    Flag{"--version", "", "print version and revision, end"},
    Flag{"--help", "", "print this, end"},
};

struct CommandHelp {
  std::string_view usage;
  std::string_view help;
};
constexpr std::array commands{
    CommandHelp{"serve", "poll in the background, serve metrics and the status page (default)"},
    CommandHelp{"check",
                "look once, print layers and findings with their cures; exit 0 nothing to mend, 1 "
                "findings, 2 nothing found but not everything could be judged, or could not look"},
    CommandHelp{
        "depends NETWORK|CIDR",
        "print everything that depends on a network; exit 0 nothing does, 1 something does, 2 "
        "not all could be asked, or could not look"},
    CommandHelp{"capture DIR",
                "write every answer of one poll to a recording, without secrets; exit 0 when at "
                "least one target answered, else 2"},
};

std::string usage_of(const Flag& flag) {
  return flag.value.empty() ? std::string(flag.name) : fmt::format("{} {}", flag.name, flag.value);
}

std::string help_text() {
  std::string text =
      "Names what is broken in a Kubernetes cluster over an overlay mesh, all layers at once.\n\n"
      "usage: shortcircuit-exporter [serve|check|depends|capture] --config FILE "
      "[flags]\n\ncommands:\n";
  for (const auto& [usage, help] : commands) text += fmt::format("  {:<22} {}\n", usage, help);
  text += "\nflags (before or after the command):\n";
  for (const Flag& flag : flags) text += fmt::format("  {:<34} {}\n", usage_of(flag), flag.help);
  text +=
      "\nFor a start: shortcircuit-exporter check --config FILE\n"
      "Every key of the configuration: --print.configuration\n";
  return text;
}

std::unexpected<Exit> mistake(const std::string& what) {
  return std::unexpected(Exit{2, "", fmt::format("shortcircuit-exporter: {}; see --help\n", what)});
}

template <class Enum, std::size_t Count>
std::optional<Enum> one_of(std::string_view text,
                           const std::array<std::string_view, Count>& names) {
  const auto found = std::find(names.begin(), names.end(), text);
  if (found == names.end()) return std::nullopt;
  return static_cast<Enum>(found - names.begin());
}

std::string unknown_word(const std::vector<std::string>& extras) {
  const std::string word = extras.front().substr(0, extras.front().find('='));
  const std::array<std::string, 4> words{"serve", "check", "depends", "capture"};
  if (std::find(words.begin(), words.end(), word) != words.end()) {
    return fmt::format("{} beside another command; give one", word);
  }
  std::vector<std::string> known(words.begin(), words.end());
  for (const Flag& flag : flags) known.emplace_back(flag.name);
  const auto near = nearest(word, known);
  return fmt::format("unknown {} {}{}", word.starts_with('-') ? "flag" : "word", word,
                     near ? fmt::format(", did you mean {}?", *near) : "");
}

// The library's own sentences speak of types and counts; these say what to do.
std::string mistake_of(const CLI::ParseError& error) {
  std::string text = error.what();
  const std::string flag = text.substr(0, text.find(':'));
  if (dynamic_cast<const CLI::ArgumentMismatch*>(&error) != nullptr && flag.starts_with("--")) {
    return text.contains("received") ? flag + " is given more than once" : flag + " wants a value";
  }
  if (dynamic_cast<const CLI::ConversionError*>(&error) != nullptr) {
    const auto start = text.find("--");
    if (start != std::string::npos) {
      return text.substr(start, text.find_first_of(" =", start) - start) + " takes no value";
    }
  }
  return text;
}

// What is fine word by word and makes no sense together; "" when all does.
std::string contradiction(const Options& options, bool output_given) {
  const bool one_shot = options.command == Command::check || options.command == Command::depends;
  if (!options.replay_directory.empty() && options.command == Command::capture) {
    return "capture asks the network, so it takes no --replay";
  }
  if (options.replay_directory.empty() && !options.replay_step.empty()) {
    return "--replay.step without --replay: say which recording";
  }
  if (options.replay_directory.empty() && options.replay_step_interval) {
    return "--replay.step-interval without --replay: say which recording";
  }
  if (options.command == Command::serve && !options.replay_step.empty()) {
    return "--replay.step is for check and depends; serve plays every step, or takes one step's "
           "directory as --replay";
  }
  if (options.command != Command::serve && options.replay_step_interval) {
    return "--replay.step-interval is for serve alone";
  }
  if (output_given && !one_shot) return "--output is for check and depends";
  return "";
}

// A network's name is anything; what looks like a CIDR has to be one.
std::string depends_mistake(const std::string& network) {
  if (!network.contains('/')) return "";
  const auto loose = Prefix::parse(network);
  if (!loose) {
    return fmt::format("depends {}: want a network's name, or a CIDR such as 10.0.0.0/8", network);
  }
  if (Prefix::parse(network, true)) return "";
  return fmt::format("depends {}: want a network without host bits, did you mean {}?", network,
                     loose->text());
}

}  // namespace

std::expected<Options, Exit> parse_options(int argc, const char* const* argv) {
  Options options;
  std::string output = "table";
  std::string log_level = "info";
  std::string log_format = "logfmt";
  std::string step_interval;
  bool help = false;
  bool show_version = false;
  bool print_configuration = false;
  bool print_command_line = false;

  CLI::App parser;
  parser.set_help_flag();
  parser.allow_extras();
  parser.fallthrough();
  parser.require_subcommand(0, 1);
  parser.add_option("--config,--config.file", options.config_path);
  parser.add_flag("--config.check", options.config_check);
  const auto* output_given = parser.add_option("--output", output);
  parser.add_option("--replay", options.replay_directory);
  parser.add_option("--replay.step", options.replay_step);
  parser.add_option("--replay.step-interval", step_interval);
  // One address each time: otherwise the library takes "[a,b]" for a list and the brackets off
  // IPv6.
  const auto* listen_given =
      parser.add_option("--web.listen-address", options.listen_addresses)->allow_extra_args(false);
  parser.add_flag("--web.systemd-socket", options.systemd_socket);
  parser.add_option("--web.telemetry-path", options.telemetry_path);
  parser.add_option("--web.config.file", options.web_config_path);
  parser.add_option("--log.level", log_level);
  parser.add_option("--log.format", log_format);
  parser.add_flag("--print.metrics", options.print_metrics);
  parser.add_flag("--print.configuration", print_configuration);
  parser.add_flag("--print.checks", options.print_checks);
  parser.add_flag("--print.rbac", options.print_rbac);
  parser.add_flag("--print.command-line", print_command_line);
  parser.add_flag("--version", show_version);
  parser.add_flag("-h,--help", help);
  parser.add_subcommand("serve")->set_help_flag();
  auto* check = parser.add_subcommand("check");
  auto* depends = parser.add_subcommand("depends");
  auto* capture = parser.add_subcommand("capture");
  for (auto* command : {check, depends, capture}) command->set_help_flag();
  depends->add_option("network", options.depends_on);
  capture->add_option("directory", options.capture_directory);
  try {
    parser.parse(argc, argv);
  } catch (const CLI::ParseError& error) { return mistake(mistake_of(error)); }
  if (help) return std::unexpected(Exit{0, help_text(), ""});
  if (show_version) {
    return std::unexpected(
        Exit{0, fmt::format("shortcircuit-exporter {} ({})\n", version(), revision()), ""});
  }
  if (const auto extras = parser.remaining(true); !extras.empty()) {
    return mistake(unknown_word(extras));
  }
  if (print_command_line) return std::unexpected(Exit{0, command_line_reference(), ""});
  options.print_configuration = print_configuration;
  if (*check) options.command = Command::check;
  if (*depends) options.command = Command::depends;
  if (*capture) options.command = Command::capture;

  const auto chosen_output = one_of<OutputFormat, 2>(output, {"table", "json"});
  if (!chosen_output) return mistake(fmt::format("--output {}: want table or json", output));
  options.output = *chosen_output;
  const auto level = one_of<LogLevel, 4>(log_level, {"debug", "info", "warn", "error"});
  if (!level)
    return mistake(fmt::format("--log.level {}: want debug, info, warn or error", log_level));
  options.log_level = *level;
  const auto format = one_of<LogFormat, 2>(log_format, {"logfmt", "json"});
  if (!format) return mistake(fmt::format("--log.format {}: want logfmt or json", log_format));
  options.log_format = *format;
  if (!step_interval.empty()) {
    const auto interval = parse_duration({step_interval, step_interval, true});
    if (!interval) return mistake(fmt::format("--replay.step-interval: {}", interval.error()));
    options.replay_step_interval = *interval;
  }
  if (!options.telemetry_path.starts_with('/') || options.telemetry_path == "/") {
    return mistake(fmt::format("--web.telemetry-path {}: want a path such as /metrics",
                               options.telemetry_path));
  }
  if (options.systemd_socket && listen_given->count() > 0) {
    return mistake("--web.systemd-socket beside --web.listen-address; give one");
  }
  for (const std::string& address : options.listen_addresses) {
    if (const auto parsed = parse_listen_address(address); !parsed) {
      return mistake("--web.listen-address " + parsed.error());
    }
  }
  if (options.command == Command::depends && options.depends_on.empty()) {
    return mistake("depends: say on what: a network's name or a CIDR");
  }
  if (options.command == Command::capture && options.capture_directory.empty()) {
    return mistake("capture: say where to: a directory that does not exist yet");
  }
  if (const std::string wrong = depends_mistake(options.depends_on); !wrong.empty()) {
    return mistake(wrong);
  }
  if (const std::string wrong = contradiction(options, output_given->count() > 0); !wrong.empty()) {
    return mistake(wrong);
  }
  const bool needs_configuration = !options.print_metrics && !options.print_configuration &&
                                   !options.print_checks && options.replay_directory.empty();
  if (needs_configuration && options.config_path.empty()) {
    return mistake("give --config FILE (or --replay DIR)");
  }
  return options;
}

std::string command_line_reference() {
  std::string text =
      "# Command line\n\n"
      "Generated by `shortcircuit-exporter --print.command-line`; a test compares this file with "
      "the program.\n\n"
      "`shortcircuit-exporter [serve|check|depends|capture] --config FILE [flags]`\n\n"
      "| command | does |\n|---|---|\n";
  const auto cell = [](std::string_view plain) { return join(split(plain, '|'), "\\|"); };
  for (const auto& [usage, help] : commands)
    text += fmt::format("| `{}` | {} |\n", cell(usage), help);
  text += "\n| flag | meaning |\n|---|---|\n";
  for (const Flag& flag : flags)
    text += fmt::format("| `{}` | {} |\n", cell(usage_of(flag)), flag.help);
  return text;
}

}  // namespace shortcircuit
