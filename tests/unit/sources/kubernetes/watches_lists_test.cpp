// What a list does to the watch of its kind: one that is late, one that fails, one from the past.
#include "support/catch.h"
#include "support/watched_polls.h"

using namespace shortcircuit;
using namespace shortcircuit::testing;

using Polls = WatchedPolls;

namespace {

// Followed, and due for a full list with the next poll.
struct Due : Polls {
  Due() {
    server.set("a", "Running");
    poll();
    poll();
  }
  std::string poll_list() { return poll(5min); }
};

}  // namespace

TEST_CASE("watches: a list that is late does not end a watch that is right", "[watch]") {
  Due polls;
  const int status = GENERATE(0, 429, 500, 503);
  if (status == 0) polls.server.late.insert("pods");
  if (status != 0) polls.server.list_status = status;
  polls.server.set("a", "Failed");
  CHECK(polls.poll_list() == "a=Failed");
  CHECK(polls.notes().size() == 1);
  polls.server.set("b", "Running");
  CHECK(polls.poll() == "a=Failed b=Running");
  CHECK(polls.listed());  // asked for again at once
  CHECK(polls.notes().size() == 1);
  SECTION("twice: all is well again") {
    polls.server.late.clear();
    polls.server.list_status = 200;
    CHECK(polls.poll() == "a=Failed b=Running");
    CHECK(polls.listed());
    CHECK(polls.notes().empty());
    CHECK(polls.poll() == "a=Failed b=Running");
    CHECK_FALSE(polls.listed());
    CHECK(polls.server.watch_requests.size() == 1);
  }
  SECTION("three times: nobody confirms the watch") {
    CHECK(polls.poll() == (status == 0 ? "timeout" : "status"));
    CHECK(polls.server.open_watches() == 0);
    polls.server.late.clear();
    polls.server.list_status = 200;
    CHECK(polls.poll() == "a=Failed b=Running");
  }
}

TEST_CASE("watches: a list that fails for good is not covered by its watch", "[watch]") {
  Due polls;
  polls.server.list_status = GENERATE(401, 403);
  CHECK(polls.poll_list() == "auth");
  CHECK(polls.server.open_watches() == 0);
}

TEST_CASE("watches: neither is a late list, when the watch has ended too", "[watch]") {
  Due polls;
  polls.server.late.insert("pods");
  polls.server.set("b", "Running");
  SECTION("and is not resumed, as the list is due") {
    polls.server.break_watches();
    CHECK(polls.poll_list() == "timeout");
  }
  SECTION("or was resumed just now: what was missed may be still to come") {
    polls.server.break_watches();
    polls.server.slow_to_tell = GENERATE(true, false);
    CHECK(polls.poll() == "timeout");
    CHECK(polls.poll() == "a=Running b=Running");  // open since the poll before
    CHECK(polls.listed());
  }
  polls.server.late.clear();
  CHECK(polls.poll() == "a=Running b=Running");
}

TEST_CASE("watches: the list of a server that was set back, though it is equal", "[watch]") {
  Polls polls;
  polls.server.set("a", "Running");
  const auto then = polls.server.saved();
  for (int i = 0; i < 10; ++i) polls.server.set("other", std::to_string(i));
  polls.server.remove("other");
  polls.poll();
  polls.poll();
  polls.server.restore(then, GENERATE(true, false));
  CHECK(polls.poll(5min) == "a=Running");
  CHECK(polls.server.watch_requests.back().contains("&resourceVersion=101&"));
  polls.server.set("a", "Failed");
  CHECK(polls.poll() == "a=Failed");
  CHECK_FALSE(polls.listed());
}

TEST_CASE("watches: what is newer as a number, or no number at all, is not set back", "[watch]") {
  const std::string told = GENERATE("99", "101", "zz", "9");
  CAPTURE(told);
  Due polls;
  polls.server.say(fmt::format(
      R"({{"type":"BOOKMARK","object":{{"metadata":{{"resourceVersion":"{}"}}}}}})", told));
  CHECK(polls.poll_list() == "a=Running");
  CHECK(polls.listed());
  CHECK(polls.server.watch_requests.size() == 1);
}
