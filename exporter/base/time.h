// Wall-clock times and durations as the exporter uses them.
//
// Wall time (Time) is for facts that people and other machines see: expiries, last success, since.
// Steady time (Deadline) is for waiting. The two never mix.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

namespace shortcircuit {

using Time = std::chrono::time_point<std::chrono::system_clock, std::chrono::nanoseconds>;
using Duration = std::chrono::nanoseconds;
using namespace std::chrono_literals;

// An absolute moment on the steady clock by which an operation must have ended.
struct Deadline {
  std::chrono::steady_clock::time_point at;

  static Deadline after(Duration duration) {
    return {std::chrono::steady_clock::now() +
            std::chrono::duration_cast<std::chrono::steady_clock::duration>(duration)};
  }
  [[nodiscard]] Duration remaining() const {
    return std::chrono::duration_cast<Duration>(at - std::chrono::steady_clock::now());
  }
};

// Sleeps until a moment, or until the process stops: false then. Any thread.
bool wait_until(std::chrono::steady_clock::time_point when, const std::stop_token& stop);

Time now();
// Only differences mean something. Goes on while the machine sleeps, which a steady clock does not.
Duration time_since_boot();

// Moments that upstreams name are kept from 1900 to 2260, so that the difference of any two fits
// into a Duration; what lies outside means "never" or "for ever", or nothing at all.

// RFC 3339, with or without fraction (any length), `Z` or a numeric offset. Nothing for anything
// else, and for Go's zero time (year 1), which means "never".
std::optional<Time> parse_rfc3339(std::string_view text);
// Is it a moment in that form, of whichever year?
bool is_rfc3339(std::string_view text);

// `2026-11-24T15:30:00Z`, in UTC, whole seconds.
std::string format_rfc3339(Time time);

// So many milliseconds or seconds after 1970; nothing for what is kept from no upstream (see
// above).
std::optional<Time> time_of_unix_milliseconds(std::int64_t milliseconds);
std::optional<Time> time_of_unix_seconds(double seconds);

// Did it begin less than `limit` before `now`? A begin that lies further than `limit` in the future
// says that its clock is wrong: nothing may hide behind that for as long as it is.
bool is_recent(Time begin, Time now, Duration limit);

double unix_seconds(Time time);
double seconds(Duration duration);

// `90s`, `10m`, `2h 5m`, `3d 4h`: for people.
std::string format_duration(Duration duration);

}  // namespace shortcircuit
