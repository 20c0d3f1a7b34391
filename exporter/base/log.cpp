#include "base/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <atomic>
#include <memory>

#include "base/json.h"
#include "base/time.h"

namespace shortcircuit {
namespace {

std::atomic<LogFormat> chosen_format{LogFormat::logfmt};

std::string quote_if_needed(std::string_view value) {
  const bool plain =
      !value.empty() && value.find_first_of(" =\"\\\t\r\n") == std::string_view::npos;
  return plain ? std::string(value) : json_quote(value);
}

void write_line(spdlog::level::level_enum level, std::string_view word, std::string_view event,
                LogFields fields) {
  const auto logger = spdlog::get("exporter");
  if (!logger || !logger->should_log(level)) return;
  std::string line;
  if (chosen_format.load(std::memory_order_relaxed) == LogFormat::json) {
    line = "{\"ts\":" + json_quote(format_rfc3339(now())) + ",\"level\":" + json_quote(word) +
           ",\"msg\":" + json_quote(event);
    for (const auto& [key, value] : fields) line += "," + json_quote(key) + ":" + json_quote(value);
    line += "}";
  } else {
    line = "ts=" + format_rfc3339(now()) + " level=" + std::string(word) +
           " msg=" + quote_if_needed(event);
    for (const auto& [key, value] : fields) {
      line += " " + std::string(key) + "=" + quote_if_needed(value);
    }
  }
  logger->log(level, "{}", line);
}

}  // namespace

void set_up_logging(LogLevel level, LogFormat format) {
  chosen_format = format;
  spdlog::drop("exporter");
  auto logger = std::make_shared<spdlog::logger>("exporter",
                                                 std::make_shared<spdlog::sinks::stderr_sink_mt>());
  logger->set_pattern("%v");
  constexpr std::array levels{spdlog::level::debug, spdlog::level::info, spdlog::level::warn,
                              spdlog::level::err};
  logger->set_level(levels[static_cast<std::size_t>(level)]);
  logger->flush_on(spdlog::level::debug);
  spdlog::register_logger(logger);
}

void log_debug(std::string_view event, LogFields fields) {
  write_line(spdlog::level::debug, "debug", event, fields);
}
void log_info(std::string_view event, LogFields fields) {
  write_line(spdlog::level::info, "info", event, fields);
}
void log_warn(std::string_view event, LogFields fields) {
  write_line(spdlog::level::warn, "warn", event, fields);
}
void log_error(std::string_view event, LogFields fields) {
  write_line(spdlog::level::err, "error", event, fields);
}

}  // namespace shortcircuit
