// Structured log lines. The only door to the logging library.
//
// A line is an event and its fields; text of upstreams is escaped, secrets never get here.
// Thread rules: every function may be called from any thread once set_up_logging() has returned.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace shortcircuit {

enum class LogLevel { debug, info, warn, error };
enum class LogFormat { logfmt, json };

// Lines go to standard error.
void set_up_logging(LogLevel level, LogFormat format);

using LogFields = std::initializer_list<std::pair<std::string_view, std::string>>;
void log_debug(std::string_view event, LogFields fields = {});
void log_info(std::string_view event, LogFields fields = {});
void log_warn(std::string_view event, LogFields fields = {});
void log_error(std::string_view event, LogFields fields = {});

}  // namespace shortcircuit
