// Lists that are kept new by watches: always what listing would show, and never more than the
// server stands behind.
#include "sources/kubernetes/watches.h"

#include <fmt/format.h>
#include <sys/resource.h>

#include <random>

#include "support/catch.h"
#include "support/sanitized.h"
#include "support/watched_polls.h"

using namespace shortcircuit;
using namespace shortcircuit::testing;

using Polls = WatchedPolls;

TEST_CASE("watches: after one list, changes come without another", "[watch]") {
  Polls polls;
  polls.server.set("b", "Running");
  CHECK(polls.poll() == "b=Running");
  CHECK(polls.listed());
  REQUIRE(polls.server.watch_requests.size() == 1);
  CHECK(polls.server.watch_requests[0].starts_with(
      "http://api/api/v1/"
      "pods?watch=1&allowWatchBookmarks=true&resourceVersion=101&timeoutSeconds="));
  CHECK(polls.server.watch_requests[0].ends_with("&labelSelector=app%3Dx"));
  polls.server.set("a", "Pending");
  polls.server.set("b", "Failed");
  CHECK(polls.poll() == "a=Pending b=Failed");
  polls.server.remove("b");
  CHECK(polls.poll() == "a=Pending");
  CHECK(polls.poll() == "a=Pending");
  CHECK_FALSE(polls.listed());
  CHECK(polls.server.watch_requests.size() == 1);
}

TEST_CASE("watches: everything is listed again after the interval, at the latest", "[watch]") {
  Polls polls;
  polls.server.set("a", "Running");
  polls.poll();
  int lists = 0;
  for (int i = 0; i < 100; ++i) {  // 25 minutes
    CHECK(polls.poll() == "a=Running");
    if (polls.listed()) ++lists;
  }
  CHECK(lists >= 5);
  CHECK(lists <= 7);
  CHECK(polls.server.watch_requests.size() == 1);  // confirmed each time, it just goes on
}

TEST_CASE("watches: one that ended is resumed from the last version, and listed once", "[watch]") {
  Polls polls;
  polls.server.set("a", "Running");
  polls.poll();
  polls.poll();
  polls.server.set("b", "Running");
  if (GENERATE(true, false)) polls.poll();
  polls.server.bookmark();
  polls.server.slow_to_tell = GENERATE(true, false);
  if (GENERATE(true, false)) {
    polls.poll();
    polls.server.break_watches();
  } else {
    polls.poll();
    polls.server.end_watches();
  }
  polls.server.set("c", "Running");
  CHECK(polls.poll() == "a=Running b=Running c=Running");
  CHECK(polls.listed());  // what the watch has not told yet is not missed
  REQUIRE(polls.server.watch_requests.size() >= 2);
  CHECK(polls.server.watch_requests[1].contains("&resourceVersion=102&"));
  const std::size_t asked = polls.server.watch_requests.size();
  CHECK(asked == (polls.server.slow_to_tell ? 3 : 2));
  polls.server.set("c", "Failed");
  CHECK(polls.poll() == "a=Running b=Running c=Failed");
  CHECK_FALSE(polls.listed());
  CHECK(polls.server.watch_requests.size() == asked);
  CHECK(polls.server.open_watches() == 1);
}

TEST_CASE("watches: a bookmark moves the version, nothing else", "[watch]") {
  Polls polls;
  polls.server.set("a", "Running");
  polls.poll();
  polls.poll();
  polls.server.say(R"({"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"900"}}})");
  CHECK(polls.poll() == "a=Running");
  polls.server.break_watches();
  CHECK(polls.poll() == "a=Running");
  REQUIRE(polls.server.watch_requests.size() >= 2);
  CHECK(polls.server.watch_requests[1].contains("&resourceVersion=900&"));
}

TEST_CASE("watches: a version that is too old: listed in the same poll, followed anew", "[watch]") {
  Polls polls;
  polls.server.expired_in_event = GENERATE(true, false);
  polls.server.set("a", "Running");
  polls.poll();
  polls.poll();
  polls.server.break_watches();
  polls.server.set("b", "Running");
  polls.server.set("c", "Running");
  polls.server.compact();
  CHECK(polls.poll() == "a=Running b=Running c=Running");
  CHECK(polls.listed());
  CHECK(polls.server.watch_requests.back().contains("&resourceVersion=103&"));
  polls.server.remove("a");
  CHECK(polls.poll() == "b=Running c=Running");
  CHECK_FALSE(polls.listed());
}

TEST_CASE("watches: what is no event, or of the wrong shape, is listed anew", "[watch]") {
  const std::string line = GENERATE(
      R"({"type":"ADDED","object":{"metadata":{"name":"x","resourceVersion":"500"},"status":7}})",
      "garbage", R"({"kind":"PodList","items":[]})", R"({"type":"ERROR","object":{"code":500}})");
  Polls polls;
  polls.server.set("a", "Running");
  polls.poll();
  polls.poll();
  polls.server.set("b", "Running");
  polls.server.say(R"({"type":"DELETED","object":{"metadata":{"namespace":"shop","name":"a",)"
                   R"("resourceVersion":"400"}}})");
  polls.server.say(line);
  CHECK(polls.poll() == "a=Running b=Running");  // not half of what came before
  CHECK(polls.listed());
  // While the list fails as well, the kind is not known, old objects are not shown.
  polls.poll();
  polls.server.say(line);
  polls.server.list_status = 500;
  CHECK(polls.poll() == "status");
  CHECK(polls.poll() == "status");
  polls.server.list_status = 200;
  CHECK(polls.poll() == "a=Running b=Running");
}

TEST_CASE("watches: refused ones are lists, and asked for again an hour later", "[watch]") {
  Polls polls;
  polls.server.watch_status = GENERATE(400, 403, 404, 405);
  for (int i = 0; i < 20; ++i) {
    polls.server.set("a", std::to_string(i));
    CHECK(polls.poll() == fmt::format("a={}", i));
    CHECK(polls.listed());
  }
  CHECK(polls.server.watch_requests.size() == 1);
  polls.server.watch_status = 200;
  polls.poll(1h);
  CHECK(polls.server.watch_requests.size() == 2);
  polls.poll();
  CHECK_FALSE(polls.listed());
}

TEST_CASE("watches: those that fail again and again are tried at growing distances", "[watch]") {
  Polls polls;
  const int way = GENERATE(0, 1, 2, 3);
  polls.server.watch_status = way == 0 ? 503 : 200;
  polls.server.end_at_once = way == 1;
  polls.server.never_open = way == 2;
  std::vector<int> tries;
  for (int i = 0; i < 240; ++i) {  // an hour
    const std::size_t before = polls.server.watch_requests.size();
    polls.server.set("a", std::to_string(i));
    if (way == 3) polls.server.compact();  // each version is too old when it is asked for
    CHECK(polls.poll() == fmt::format("a={}", i));
    if (i > 1) CHECK(polls.listed());
    if (polls.server.watch_requests.size() > before) tries.push_back(i);
    if (way == 3) polls.server.say(R"({"type":"ERROR","object":{"code":410}})");
  }
  CHECK(tries.size() >= 12);
  CHECK(tries.size() <= 40);
  CHECK(tries.back() - tries[tries.size() - 2] >= 8);  // more than two minutes
  polls.server.watch_status = 200;
  polls.server.end_at_once = false;
  polls.server.never_open = false;
  for (int i = 0; i < 25; ++i) polls.poll();
  CHECK_FALSE(polls.listed());
}

TEST_CASE("watches: a server that is gone is missed by the very poll", "[watch]") {
  Polls polls;
  polls.server.set("a", "Running");
  polls.poll();
  polls.poll();
  polls.server.down = true;
  polls.server.break_watches();
  CHECK(polls.poll() == "connect");
  CHECK(polls.poll() == "connect");
  polls.server.down = false;
  polls.server.set("a", "Failed");
  CHECK(polls.poll() == "a=Failed");
  CHECK(polls.listed());
}

TEST_CASE("watches: a silent one is found out by the list, and rests the second time", "[watch]") {
  Polls polls;
  polls.server.set("a", "0");
  polls.poll();
  polls.poll();
  polls.server.withhold = true;
  polls.server.set("a", "1");
  int old = 0;
  while (polls.poll() == "a=0") ++old;
  CHECK(old <= 20);  // five minutes
  CHECK(polls.listed());
  CHECK(polls.server.open_watches() == 2);  // the old one may still tell
  polls.poll();
  CHECK(polls.server.open_watches() == 1);
  CHECK_FALSE(polls.listed());  // once is not enough for distrust
  polls.server.set("a", "2");
  while (polls.poll() == "a=1") {}
  polls.poll();
  CHECK(polls.server.open_watches() == 0);
  for (int i = 3; i < 100; ++i) {
    polls.server.set("a", std::to_string(i));
    CHECK(polls.poll() == fmt::format("a={}", i));
  }
  polls.server.withhold = false;
  polls.poll(1h);
  polls.poll();
  CHECK_FALSE(polls.listed());
}

TEST_CASE("watches: events that were only late are no reason for distrust", "[watch]") {
  Polls polls;
  polls.server.set("a", "0");
  polls.poll();
  for (int i = 1; i < 10; ++i) {
    polls.poll();
    // Withheld while the list is read, told before the next poll.
    polls.server.withhold = true;
    polls.server.set("a", std::to_string(i));
    CHECK(polls.poll(5min) == fmt::format("a={}", i));
    polls.server.withhold = false;
    CHECK(polls.poll() == fmt::format("a={}", i));
    CHECK_FALSE(polls.listed());
    CHECK(polls.server.open_watches() == 1);
  }
}

TEST_CASE("watches: a server that was restored to an older version heals with the list",
          "[watch]") {
  Polls polls;
  polls.server.set("a", "old");
  const auto then = polls.server.saved();
  for (int i = 0; i < 10; ++i) polls.server.set("a", "new");
  polls.poll();
  polls.poll();
  polls.server.restore(then);
  int wrong = 0;
  while (polls.poll() == "a=new") ++wrong;
  CHECK(wrong <= 20);
  polls.server.set("b", "Running");
  CHECK(polls.poll() == "a=old b=Running");
  CHECK_FALSE(polls.listed());
}

TEST_CASE("watches: a kind that goes and comes", "[watch]") {
  Polls polls;
  polls.server.set("a", "Running");
  polls.poll();
  polls.poll();
  polls.server.break_watches();
  polls.server.watch_status = 404;
  polls.server.list_status = 404;
  CHECK(polls.poll() == "not found");
  CHECK(polls.poll() == "not found");
  polls.server.watch_status = 200;
  polls.server.list_status = 200;
  CHECK(polls.poll() == "a=Running");
  CHECK(polls.poll() == "a=Running");
  CHECK_FALSE(polls.listed());
}

TEST_CASE("watches: a kind that no poll reads any more is let go", "[watch]") {
  Polls polls;
  polls.server.set("a", "Running");
  polls.poll();
  CHECK(polls.server.open_watches() == 1);
  polls.forget_unread();
  CHECK(polls.server.open_watches() == 0);
  CHECK(polls.poll() == "a=Running");
  CHECK(polls.listed());
}

TEST_CASE("watches: 5,000 pods fit, also while a list is compared with what was told", "[watch]") {
  Polls polls;
  for (int i = 0; i < 5000; ++i) polls.server.set(fmt::format("pod-{}", i), "Running");
  rusage before{};
  getrusage(RUSAGE_SELF, &before);
  polls.poll();
  polls.poll();
  polls.server.withhold = true;
  polls.server.set("pod-0", "Failed");
  const std::string shown = polls.poll(5min);
  CHECK(shown.starts_with("pod-0=Failed "));
  CHECK(polls.server.open_watches() == 2);
  CHECK(polls.poll() == shown);
  rusage after{};
  getrusage(RUSAGE_SELF, &after);
  CHECK((sanitized || after.ru_maxrss - before.ru_maxrss < 64 * 1024));
}

TEST_CASE("watches: random changes and breaks show what listing would show", "[watch]") {
  const unsigned seed = GENERATE(range(1U, 21U));
  CAPTURE(seed);
  std::mt19937 random(seed);  // NOLINT: the same run every time
  Polls polls;
  int polls_without_list = 0;
  for (int step = 0; step < 400; ++step) {
    const std::string name = "pod-" + std::to_string(random() % 20);
    switch (random() % 24) {
      case 0: polls.server.break_watches(); break;
      case 1: polls.server.end_watches(); break;
      case 2: polls.server.compact(); break;
      case 3: polls.server.bookmark(); break;
      case 4: polls.server.say("garbage"); break;
      case 5: polls.server.expired_in_event = random() % 2 == 0; break;
      case 6:
      case 7: polls.server.remove(name); break;
      default: polls.server.set(name, std::to_string(step)); break;
    }
    polls.server.watch_status = random() % 20 == 0 ? 503 : 200;
    polls.server.never_open = random() % 20 == 0;
    polls.server.slow_to_tell = random() % 2 == 0;
    const bool late = random() % 10 == 0;
    polls.server.late.clear();
    if (late) polls.server.late.insert("pods");
    polls.server.down = random() % 40 == 0;
    if (random() % 3 != 0) continue;
    std::string wanted;
    for (const auto& [key, body] : polls.server.objects()) {
      const auto at = body.find(R"("phase":")") + 9;
      wanted += fmt::format("{}{}={}", wanted.empty() ? "" : " ", key,
                            body.substr(at, body.find('"', at) - at));
    }
    const std::string shown = polls.poll();
    // A server that cannot be asked is either still followed, or not known.
    if (polls.server.down && shown == "connect") continue;
    if (late && shown == "timeout") continue;
    CHECK(shown == wanted);
    if (!polls.listed()) ++polls_without_list;
  }
  CHECK(polls_without_list > 20);
}
