// Soak: the recorded night again and again under random faults. Does memory stay flat, do series
// stay bounded while peers come and go, and is everything found again after the storm?
//
// One cycle plays all steps of the night; its second half is calm, and at its end the exporter must
// say what it said at the end of the first cycle, but for the guests' names. README.md has the last
// figures.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <set>

#include "soak/fleet.h"
#include "soak/live_bytes.h"

using namespace shortcircuit;
using namespace shortcircuit::soak;

namespace {

constexpr int ticks_of_a_step = 40;
constexpr int calm_ticks = 200;  // more than the ten minutes for which states are kept
constexpr int ticks_between_guests = 20;
constexpr int guests_at_once = 5;
// How many old states are kept at the end of a cycle depends on which polls failed: single cycles
// were seen to differ by 180 kB. Of a mean of several it is less.
constexpr double slack_of_one_cycle_bytes = 256 << 10;

std::size_t series_of(const Publication& publication) {
  std::size_t series = 0;
  bool comment = false;
  bool begin = true;
  for (const char c : *publication.metrics_text) {
    if (begin) comment = c == '#';
    begin = c == '\n';
    if (begin && !comment) ++series;
  }
  return series;
}

// What is found of everything but guests, and of how many guests.
std::multiset<std::string> found_by(const Publication& publication) {
  std::multiset<std::string> found;
  for (const Finding& finding : publication.judgement.findings) {
    const auto guest = finding.object.find("guest-");
    found.insert(
        fmt::format("{} {} {}", finding.check, finding.reason, finding.object.substr(0, guest)));
  }
  return found;
}

struct EndOfCycle {
  double bytes = 0;
  std::size_t series = 0;
  bool as_first = true;  // series and findings
};

double mean_bytes(const std::vector<EndOfCycle>& ends, std::size_t first, std::size_t count) {
  double sum = 0;
  for (std::size_t i = first; i < first + count; ++i) sum += ends[i].bytes;
  return sum / static_cast<double>(count);
}

bool report(const std::vector<EndOfCycle>& ends, std::size_t most_series, int guests,
            const Weather& weather) {
  std::uint64_t faults = 0;
  for (const auto& [kind, count] : weather.faults) faults += count;
  // The first cycle fills what stays (memory of webhooks, static tables).
  const std::size_t quarter = std::max<std::size_t>(1, (ends.size() - 1) / 4);
  const double early = mean_bytes(ends, 1, quarter);
  const double late = mean_bytes(ends, ends.size() - quarter, quarter);
  fmt::print("{} cycles, {} faults of {} kinds, {} different guests\n", ends.size(), faults,
             weather.faults.size(), guests);
  fmt::print("bytes held after a cycle: {:.0f} in the first quarter, {:.0f} in the last\n", early,
             late);
  fmt::print("series after a cycle: {}; most ever: {}\n", ends.front().series, most_series);
  bool good = true;
  const auto expect = [&](bool holds, std::string_view what) {
    if (!holds) fmt::print("FAILED  {}\n", what);
    good = good && holds;
  };
  const double slack = slack_of_one_cycle_bytes / std::sqrt(static_cast<double>(quarter));
  expect(late <= early + slack, "memory is flat");
  expect(most_series <= ends.front().series * 2, "series are bounded");
  for (std::size_t i = 1; i < ends.size(); ++i) {
    expect(ends[i].as_first, fmt::format("cycle {} ends as the first one", i + 1));
  }
  expect(faults > 0 && guests > guests_at_once, "it was a test at all");
  return good;
}

bool run(int snapshots, std::uint64_t seed) {
  Weather weather(seed);
  LivingFleet fleet(SHORTCIRCUIT_RECORDINGS "/night", weather);
  const int cycle = static_cast<int>(fleet.steps()) * ticks_of_a_step;
  if (snapshots < 3 * cycle) {
    throw std::runtime_error(fmt::format("want at least {} snapshots, three cycles", 3 * cycle));
  }
  std::vector<EndOfCycle> ends;
  ends.reserve(static_cast<std::size_t>(snapshots / cycle));
  std::multiset<std::string> found_at_first;
  std::size_t most_series = 0;
  int guests = 0;
  for (int i = 0; i < snapshots; ++i) {
    const int tick = i % cycle;
    weather.calm = tick >= cycle - calm_ticks;
    const int newest = i / ticks_between_guests;
    guests = newest + guests_at_once;
    const auto publication =
        fleet.tick(static_cast<std::size_t>(tick / ticks_of_a_step), newest, guests);
    const std::size_t series = series_of(*publication);
    most_series = std::max(most_series, series);
    if (tick + 1 < cycle) continue;
    const auto bytes = static_cast<double>(live_bytes());
    auto found = found_by(*publication);
    if (ends.empty()) found_at_first = found;
    const bool as_first = found == found_at_first && (ends.empty() || series == ends[0].series);
    ends.push_back({bytes, series, as_first});
    fmt::print("snapshot {}: {:.0f} bytes, {} series, {} findings\n", i + 1, bytes, series,
               found.size());
    std::fflush(stdout);
  }
  return report(ends, most_series, guests, weather);
}

// usage: soak [SNAPSHOTS [SEED]]
int number(const char* text) {
  int value = 0;
  const std::string_view whole(text);
  const auto [end, code] = std::from_chars(whole.data(), whole.data() + whole.size(), value);
  if (code != std::errc{} || end != whole.data() + whole.size() || value <= 0) {
    throw std::runtime_error(fmt::format("{}: want a number above 0", text));
  }
  return value;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const int snapshots = argc > 1 ? number(argv[1]) : 20'000;
    const int seed = argc > 2 ? number(argv[2]) : 1;
    return run(snapshots, static_cast<std::uint64_t>(seed)) ? 0 : 1;
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 2;
  }
}
