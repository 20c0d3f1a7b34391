// The command line. The only door to the library that reads it.
//
// parse_options() does nothing but read words: no file is opened. Flags may stand before and
// after the command.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "base/log.h"
#include "base/time.h"

namespace shortcircuit {

enum class Command { serve, check, depends, capture };
enum class OutputFormat { table, json };

struct Options {
  Command command = Command::serve;
  std::string depends_on;         // of depends: name of a network, CIDR or address
  std::string capture_directory;  // of capture

  // "" in a replay: the recording's own (Recording::configuration_path()).
  std::string config_path;
  bool config_check = false;
  OutputFormat output = OutputFormat::table;

  std::string replay_directory;                  // "" = the network
  std::optional<Duration> replay_step_interval;  // serve; nothing = 30 s
  std::string replay_step;                       // "" = the last one

  LogLevel log_level = LogLevel::info;
  LogFormat log_format = LogFormat::logfmt;

  std::vector<std::string> listen_addresses{":10067"};  // `:port`, `host:port`, `[address]:port`
  bool systemd_socket = false;                          // listen on systemd's sockets instead
  std::string web_config_path;                          // "" = plain HTTP for everybody
  std::string telemetry_path = "/metrics";

  bool print_metrics = false;        // print the reference of the metrics and end
  bool print_configuration = false;  // likewise of the configuration
  bool print_checks = false;         // print the reference of the checks and end
  bool print_rbac = false;  // print the Kubernetes rights that the configuration needs, end
};

// The process is to end at once with this text: help, version, a reference, or a mistake.
struct Exit {
  int code = 0;
  std::string text_stdout;
  std::string text_stderr;
};

std::expected<Options, Exit> parse_options(int argc, const char* const* argv);

// The Markdown page exporter/COMMAND_LINE.md, made from the same list as the help.
std::string command_line_reference();

}  // namespace shortcircuit
