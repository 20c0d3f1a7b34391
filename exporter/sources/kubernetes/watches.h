// Keeps lists as new as the server by following what changes, so that a poll need not list again.
//
// A kind is taken from its watch only while that watch is open at the poll; in every other case it
// is listed in the same poll. So a poll never says less than lists would, and an object is shown
// only while the server stands behind it.
//   - A watch that ended is resumed from the last version that it told: at once the first time,
//     then with growing, jittered pauses, during which every poll lists. The poll in which it opens
//     lists as well: that an answer has begun does not mean that it told what was missed.
//   - A version that is too old (410), a line that is no event, an object of the wrong shape: the
//     kind is listed anew in the same poll.
//   - A watch that is refused: lists, and another try after `Watches::rest`.
//   - So often as `full_list_interval` says, everything is listed whatever the watches said. What
//     the list shows and the watch had not told by the next poll, was withheld (a server that was
//     restored to an older version is silent; a proxy may hold answers back): the list counts, the
//     watch begins anew from it; the second time in a row it rests. A list that is older than what
//     was known before it was asked for: the watch begins anew from it, equal or not.
//   - A list that is late, or held back by the server (429, 5xx), while the watch is open: the kind
//     is taken from the watch twice, noted, and listed again in the next poll.
// A list that fails otherwise is forgotten: nothing is resumed from it.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "http/streams.h"
#include "sources/kubernetes/lists.h"

namespace shortcircuit::kubernetes {

class Watches {
 public:
  static constexpr auto rest = std::chrono::hours(1);
  static constexpr auto longest_pause = std::chrono::minutes(5);
  static constexpr int most_missed_lists = 2;  // in a row, that a watch outlives

  using SteadyTime = std::chrono::steady_clock::time_point;
  using Clock = std::function<SteadyTime()>;
  explicit Watches(Duration full_list_interval, Clock clock = std::chrono::steady_clock::now,
                   unsigned seed = std::random_device{}());

  // Settles each list as read_lists() would. `streams` outlives the object.
  void read(std::span<List* const> lists, PollContext& context, const std::string& base,
            Streams& streams);
  // Ends a poll: what it did not read is not followed any longer.
  void forget_unread();
  void clear() { followed_.clear(); }
  [[nodiscard]] bool follow_any() const;

 private:
  // A watch whose list showed more than it had told, until the next poll.
  struct Trial {
    std::unique_ptr<List> told;
    std::unique_ptr<Stream> stream;
    std::vector<ObjectName> suspects;
  };
  struct Followed {
    std::string kind;
    bool read = false;               // in this poll
    std::unique_ptr<List> known;     // null: is not followed, has to be listed
    std::unique_ptr<Stream> stream;  // of what changes after `known`
    bool open = false;
    bool fresh = false;    // was not open when the poll began: may not have told what it missed
    int missed_lists = 0;  // in a row, while the watch went on
    SteadyTime list_at;    // the next full list
    SteadyTime watch_at;   // no watch before
    SteadyTime failed_at;
    bool unfollowed_said = false;  // in the log
    int failures = 0;              // watches in a row that no poll after their first saw open
    int withheld = 0;              // times in a row that a list showed what was not told
    std::optional<Error> refusal;  // until a list shows that the kind is there
    std::optional<Trial> trial;
  };

  Followed* find(const List& list);
  void start(Followed& followed, const std::string& base, Streams& streams);
  void take_in(Followed& followed);
  void end(Followed& followed, const std::optional<Error>& error, bool list_anew);
  void stop_following(Followed& followed);
  void judge(Followed& followed);
  // Takes in a list that was read, and leaves in it what is to be shown.
  void learn(Followed& followed, List& list, PollContext& context);
  bool outlives(Followed& followed, List& list, PollContext& context);
  void say_refused();
  [[nodiscard]] Duration pause_after(int failures);
  double random_between(double least, double most);

  Duration full_list_interval_;
  Clock clock_;
  std::mt19937 random_;
  SteadyTime now_;  // of the running read()
  std::map<std::string, Followed> followed_;
  std::vector<std::string> refused_;  // kinds, in the running read()
  std::string refusal_;               // of the last of them
};

}  // namespace shortcircuit::kubernetes
