#include "base/time.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <condition_variable>
#include <cstdint>
#include <ctime>
#include <mutex>

namespace shortcircuit {
namespace {

// The nanosecond clock covers 1678 to 2261, and 292 years between two moments.
constexpr int first_year = 1900;
constexpr int last_year = 2260;

std::optional<int> digits(std::string_view& text, std::size_t count) {
  if (text.size() < count) return std::nullopt;
  int value = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + count, value);
  if (code != std::errc{} || end != text.data() + count || text[0] == '-') return std::nullopt;
  text.remove_prefix(count);
  return value;
}

bool take(std::string_view& text, char wanted) {
  if (text.empty() || text.front() != wanted) return false;
  text.remove_prefix(1);
  return true;
}

std::optional<std::int64_t> fraction_nanoseconds(std::string_view& text) {
  std::int64_t value = 0;
  int count = 0;
  while (!text.empty() && text.front() >= '0' && text.front() <= '9') {
    if (count < 9) value = value * 10 + (text.front() - '0');
    ++count;
    text.remove_prefix(1);
  }
  if (count == 0) return std::nullopt;
  for (int i = count; i < 9; ++i) value *= 10;
  return value;
}

// A moment of any year from 0 to 9999; only those near ours fit into a Time.
struct Moment {
  std::chrono::year_month_day date;
  std::chrono::seconds of_day{0};  // in UTC; may lie outside of the day
  std::chrono::nanoseconds fraction{0};
};

std::optional<Moment> read_rfc3339(std::string_view text) {
  const auto year = digits(text, 4);
  if (!year || !take(text, '-')) return std::nullopt;
  const auto month = digits(text, 2);
  if (!month || !take(text, '-')) return std::nullopt;
  const auto day = digits(text, 2);
  if (!day || text.empty()) return std::nullopt;
  if (text.front() != 'T' && text.front() != 't' && text.front() != ' ') return std::nullopt;
  text.remove_prefix(1);
  const auto hour = digits(text, 2);
  if (!hour || !take(text, ':')) return std::nullopt;
  const auto minute = digits(text, 2);
  if (!minute || !take(text, ':')) return std::nullopt;
  const auto second = digits(text, 2);
  if (!second) return std::nullopt;
  std::int64_t nanoseconds = 0;
  if (take(text, '.')) {
    const auto fraction = fraction_nanoseconds(text);
    if (!fraction) return std::nullopt;
    nanoseconds = *fraction;
  }
  std::chrono::minutes offset{0};
  if (!take(text, 'Z') && !take(text, 'z')) {
    const bool negative = !text.empty() && text.front() == '-';
    if (!negative && (text.empty() || text.front() != '+')) return std::nullopt;
    text.remove_prefix(1);
    const auto hours = digits(text, 2);
    if (!hours || !take(text, ':')) return std::nullopt;
    const auto minutes = digits(text, 2);
    if (!minutes) return std::nullopt;
    offset = std::chrono::hours(*hours) + std::chrono::minutes(*minutes);
    if (negative) offset = -offset;
  }
  const std::chrono::year_month_day date{std::chrono::year(*year),
                                         std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!text.empty() || !date.ok() || *hour > 23 || *minute > 59 || *second > 60)
    return std::nullopt;
  return Moment{.date = date,
                .of_day = std::chrono::hours(*hour) + std::chrono::minutes(*minute) +
                          std::chrono::seconds(*second) - offset,
                .fraction = std::chrono::nanoseconds(nanoseconds)};
}

}  // namespace

Duration time_since_boot() {
  timespec time{};
  clock_gettime(CLOCK_BOOTTIME, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

bool wait_until(std::chrono::steady_clock::time_point when, const std::stop_token& stop) {
  std::mutex mutex;
  std::unique_lock lock(mutex);
  std::condition_variable_any never;
  never.wait_until(lock, stop, when, [] { return false; });
  return !stop.stop_requested();
}

Time now() { return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now()); }

std::optional<Time> parse_rfc3339(std::string_view text) {
  const auto moment = read_rfc3339(text);
  if (!moment) return std::nullopt;
  const int year = static_cast<int>(moment->date.year());
  if (year < first_year || year > last_year) return std::nullopt;
  return Time(std::chrono::sys_days(moment->date).time_since_epoch() + moment->of_day +
              moment->fraction);
}

bool is_rfc3339(std::string_view text) { return read_rfc3339(text).has_value(); }

std::optional<Time> time_of_unix_milliseconds(std::int64_t milliseconds) {
  using std::chrono::sys_days, std::chrono::year;
  constexpr sys_days first{year(first_year) / 1 / 1};
  constexpr sys_days end{year(last_year + 1) / 1 / 1};
  const std::chrono::milliseconds since(milliseconds);
  if (since < first.time_since_epoch() || since >= end.time_since_epoch()) return std::nullopt;
  return Time(since);
}

std::optional<Time> time_of_unix_seconds(double seconds) {
  constexpr double ten_thousand_years = 3.2e11;  // what fits into the milliseconds by far
  if (!(std::abs(seconds) < ten_thousand_years)) return std::nullopt;  // NaN as well
  return time_of_unix_milliseconds(std::llround(seconds * 1000));
}

std::string format_rfc3339(Time time) {
  const auto days = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date{days};
  const std::chrono::hh_mm_ss clock{std::chrono::floor<std::chrono::seconds>(time - days)};
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count());
}

bool is_recent(Time begin, Time now, Duration limit) {
  return std::chrono::abs(now - begin) < limit;
}

double unix_seconds(Time time) { return seconds(time.time_since_epoch()); }

double seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

std::string format_duration(Duration duration) {
  const auto total = std::chrono::duration_cast<std::chrono::seconds>(duration).count();
  if (total < 0) return "-" + format_duration(-duration);
  if (total < 120) return fmt::format("{}s", total);
  if (total < 2 * 3600) return fmt::format("{}m", total / 60);
  if (total < 48 * 3600) {
    const auto minutes = total / 60 % 60;
    return minutes == 0 ? fmt::format("{}h", total / 3600)
                        : fmt::format("{}h {}m", total / 3600, minutes);
  }
  const auto hours = total / 3600 % 24;
  return hours == 0 ? fmt::format("{}d", total / 86400)
                    : fmt::format("{}d {}h", total / 86400, hours);
}

}  // namespace shortcircuit
