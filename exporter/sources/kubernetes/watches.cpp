#include "sources/kubernetes/watches.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/log.h"
#include "sources/kubernetes/watch_event.h"

namespace shortcircuit::kubernetes {
namespace {

// Who may not watch is not asked again soon; 404 is found out by the list.
bool is_refusal(int status) {
  return status >= 400 && status < 500 && status != 401 && status != 408 && status != 410 &&
         status != 429;
}

// A list that is only late or held back says nothing against the watch of its kind.
bool may_pass(const Error& error) {
  return error.failure == Failure::timeout || error.failure == Failure::connect ||
         error.http_status == 429 || error.http_status >= 500;
}

// Versions are opaque, but those of a real server are numbers that grow. A list that is older than
// what was known before it was asked for comes from a server that was set back.
bool is_older(const std::string& version, const std::string& than) {
  const auto is_number = [](const std::string& text) {
    return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
  };
  if (!is_number(version) || !is_number(than)) return false;
  return version.size() != than.size() ? version.size() < than.size() : version < than;
}

}  // namespace

Watches::Watches(Duration full_list_interval, Clock clock, unsigned seed)
    : full_list_interval_(full_list_interval), clock_(std::move(clock)), random_(seed) {}

void Watches::read(std::span<List* const> lists, PollContext& context, const std::string& base,
                   Streams& streams) {
  now_ = clock_();
  for (const List* list : lists) {
    Followed* const followed = find(*list);
    if (followed == nullptr) continue;
    followed->read = true;
    take_in(*followed);
    followed->fresh = !followed->open;
    if (followed->open) {
      followed->failures = 0;
      followed->unfollowed_said = false;
    }
    judge(*followed);
    const bool broken = followed->known && !followed->stream;
    if (broken && now_ < followed->list_at) start(*followed, base, streams);
  }
  // A list has to fit into the rest of the time, should a watch not open.
  streams.settle(Deadline::after(context.deadline.remaining() / 3), context.stop);
  std::vector<List*> asked;
  for (List* list : lists) {
    Followed* const followed = find(*list);
    if (followed != nullptr) {
      take_in(*followed);
      if (followed->stream && !followed->open) {
        end(*followed, Error{Failure::timeout, "no answer in time"}, false);
      }
      // The head of an answer comes before what was missed: a watch that opened just now is not
      // believed yet.
      if (followed->known && followed->open && !followed->fresh && now_ < followed->list_at) {
        followed->known->apply();
        list->become(*followed->known);
        continue;
      }
    }
    asked.push_back(list);
  }
  read_lists(asked, context, base);
  for (List* list : asked) {
    Followed* const followed = find(*list);
    if (followed == nullptr) continue;
    learn(*followed, *list, context);
    if (followed->known && !followed->stream) start(*followed, base, streams);
  }
  say_refused();
}

void Watches::forget_unread() {
  std::erase_if(followed_, [](const auto& entry) { return !entry.second.read; });
  for (auto& [name, followed] : followed_) followed.read = false;
}

bool Watches::follow_any() const {
  return std::ranges::any_of(
      followed_, [](const auto& entry) { return static_cast<bool>(entry.second.stream); });
}

Watches::Followed* Watches::find(const List& list) {
  // By what is asked for: a list may be read from a fallback's path later.
  const std::string name = list.name();
  const auto found = followed_.find(name);
  if (found != followed_.end()) return &found->second;
  if (!list.copy()) return nullptr;  // it cannot be followed
  return &followed_.emplace(name, Followed{.kind = list.kind}).first->second;
}

void Watches::start(Followed& followed, const std::string& base, Streams& streams) {
  constexpr auto open_within = 10s;
  constexpr auto grace = 30s;
  // All watches of a start must not end at one moment.
  const std::chrono::seconds lasting(static_cast<int>(random_between(240, 480)));
  followed.stream = streams.start(watch_request(*followed.known, base, lasting),
                                  Deadline::after(open_within), Deadline::after(lasting + grace));
  followed.open = false;
}

void Watches::take_in(Followed& followed) {
  if (!followed.stream) return;
  const Stream::Arrived arrived = followed.stream->take();
  for (const std::string& line : arrived.lines) {
    const auto taken = take_event(*followed.known, line);
    if (!taken) return end(followed, taken.error(), true);
  }
  followed.open = arrived.phase == Stream::Phase::open;
  if (arrived.phase == Stream::Phase::ended) end(followed, arrived.error, false);
}

void Watches::end(Followed& followed, const std::optional<Error>& error, bool list_anew) {
  followed.stream.reset();
  followed.open = false;
  // One that broke and cannot be resumed in the same poll failed once.
  if (followed.failures == 0 || followed.failed_at != now_) ++followed.failures;
  followed.failed_at = now_;
  const int status = error && !list_anew ? error->http_status : 0;
  // A server that said no is not asked again at once.
  if (status >= 400 && status != 410) followed.failures = std::max(followed.failures, 2);
  Duration pause = pause_after(followed.failures);
  if (is_refusal(status)) {
    pause = rest;
    followed.refusal = error;
  } else if (followed.failures >= 2 && !followed.unfollowed_said) {
    followed.unfollowed_said = true;
    log_warn("a kind cannot be followed: it is listed until it can",
             {{"source", "kubernetes"},
              {"kind", followed.kind},
              {"error", error ? error->message : "the watch ends as soon as it begins"}});
  }
  followed.watch_at = now_ + std::chrono::duration_cast<SteadyTime::duration>(pause);
  if (list_anew || status == 410 || pause > Duration::zero()) stop_following(followed);
}

void Watches::stop_following(Followed& followed) {
  followed.stream.reset();
  followed.open = false;
  followed.known.reset();
}

void Watches::judge(Followed& followed) {
  if (!followed.trial) return;
  const Trial trial = *std::exchange(followed.trial, std::nullopt);
  if (!followed.known) return;
  const Stream::Arrived arrived = trial.stream->take();
  for (const std::string& line : arrived.lines) {
    if (!take_event(*trial.told, line)) return;
  }
  if (arrived.phase != Stream::Phase::open) return;  // what it would have told is not known
  followed.known->apply();
  std::vector<ObjectName> names = trial.told->unexplained(*followed.known);
  std::erase_if(names, [&](const ObjectName& name) {
    return std::ranges::find(trial.suspects, name) == trial.suspects.end();
  });
  if (names.empty()) {
    followed.withheld = 0;
    return;
  }
  ++followed.withheld;
  log_warn("a watch withheld changes that a full list shows",
           {{"source", "kubernetes"},
            {"kind", followed.kind},
            {"objects", std::to_string(names.size())},
            {"first", names.front().text()}});
  if (followed.withheld < 2) return;
  followed.withheld = 0;
  followed.watch_at = now_ + rest;
  stop_following(followed);
}

// False when the watch goes on without a list that could not be had just now.
bool Watches::outlives(Followed& followed, List& list, PollContext& context) {
  if (!followed.known || !may_pass(list.error)) return false;
  take_in(followed);
  if (!followed.open || ++followed.missed_lists > most_missed_lists) return false;
  followed.list_at = now_;  // asked for again in the next poll
  if (followed.fresh) return true;
  context.note(list.error);
  followed.known->apply();
  list.become(*followed.known);
  return true;
}

void Watches::learn(Followed& followed, List& list, PollContext& context) {
  const auto refusal = std::exchange(followed.refusal, std::nullopt);
  if (list.outcome == List::Outcome::not_found) {  // when it comes, it is new
    followed = Followed{.kind = followed.kind, .read = true};
    return;
  }
  if (refusal && list.outcome == List::Outcome::listed && !followed.unfollowed_said) {
    followed.unfollowed_said = true;
    refused_.push_back(followed.kind);
    refusal_ = refusal->message;
  }
  if (list.outcome == List::Outcome::failed && outlives(followed, list, context)) return;
  const std::string version = followed.known ? followed.known->resource_version : "";
  if (followed.known) take_in(followed);  // what the watch told while the list was read
  if (list.outcome != List::Outcome::listed || list.resource_version.empty() ||
      now_ < followed.watch_at) {
    stop_following(followed);
    followed.trial.reset();
    return;
  }
  followed.missed_lists = 0;
  followed.list_at = now_ + std::chrono::duration_cast<SteadyTime::duration>(
                                full_list_interval_ * random_between(0.8, 1));
  if (is_older(list.resource_version, version)) {
    // The watch waits for a version that lies ahead now, and would be silent until then.
    stop_following(followed);
  }
  if (followed.known && followed.open) {
    auto suspects = followed.known->unexplained(list);
    if (suspects.empty()) {  // the list confirms the watch, which goes on
      followed.known->apply();
      list.become(*followed.known);
      return;
    }
    followed.trial = Trial{.told = std::move(followed.known),
                           .stream = std::move(followed.stream),
                           .suspects = std::move(suspects)};
    followed.open = false;
  }
  list.apply();
  followed.known = list.copy();
}

void Watches::say_refused() {
  if (refused_.empty()) return;
  log_warn("watches are refused: these kinds are listed in every poll",
           {{"source", "kubernetes"},
            {"kinds", fmt::format("{}", fmt::join(refused_, ", "))},
            {"error", refusal_}});
  refused_.clear();
}

Duration Watches::pause_after(int failures) {
  if (failures < 2) return Duration::zero();
  constexpr int most_doublings = 6;
  const Duration pause = 15s * (1 << std::min(failures - 2, most_doublings));
  return std::chrono::duration_cast<Duration>(std::min<Duration>(pause, longest_pause) *
                                              random_between(0.5, 1));
}

double Watches::random_between(double least, double most) {
  return std::uniform_real_distribution<double>(least, most)(random_);
}

}  // namespace shortcircuit::kubernetes
