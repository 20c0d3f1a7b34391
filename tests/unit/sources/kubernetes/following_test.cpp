// A whole poll that follows a cluster: what it costs, and that a server that is gone is missed.
#include "support/fake_kubernetes.h"
#include "unit/sources/kubernetes/poll.h"

using namespace shortcircuit;
using namespace shortcircuit::kubernetes;
using namespace shortcircuit::testing;

namespace {

struct Following {
  explicit Following(bool watch = true) : source(config(watch)) {}

  static Config config(bool watch) {
    Config config;
    config.endpoint.url = "http://api/";
    config.watch = watch;
    return config;
  }
  Result<State> poll(bool once = false, bool replay = false) {
    http.requests.clear();
    PollContext context{.http = http, .deadline = Deadline::after(60s), .stop = {}, .now = now()};
    context.once = once;
    context.replay = replay;
    auto state = source.poll(context);
    notes = context.notes;
    return state;
  }

  FakeKubernetes server;
  FollowableHttp http{server};
  Source source;
  std::vector<Error> notes;
};

}  // namespace

TEST_CASE("kubernetes: a poll of a steady cluster asks for the version alone", "[watch]") {
  Following following;
  REQUIRE(following.poll());
  const std::size_t kinds = following.http.requests.size() - 1;
  CHECK(kinds > 25);
  CHECK(following.server.watch_requests.size() == kinds);
  for (int i = 0; i < 3; ++i) {
    const auto state = following.poll();
    REQUIRE(state);
    CHECK(following.http.asked_for() == std::vector<std::string>{"version"});
    CHECK(state->version == "v1.33.5");
    CHECK(state->nodes.known());
    CHECK(state->pods.known());
    CHECK(following.notes.empty());
  }
}

TEST_CASE("kubernetes: objects that stay as they are, are shared by the states of all polls",
          "[watch]") {
  Following following(GENERATE(true, false));
  for (const char* name : {"a", "b", "c"}) following.server.set(name, "Running");
  const auto before = following.poll();
  REQUIRE(before);
  following.server.set("b", "Failed");
  following.server.set("a", "Running");  // told anew, but as it was
  following.server.set("bb", "Running");
  const auto after = following.poll();
  const auto later = following.poll();
  REQUIRE(after);
  REQUIRE(later);
  const auto& pods = after->pods.items;
  REQUIRE(pods.size() == 4);
  CHECK(pods[1].phase == "Failed");
  CHECK(before->pods.items[1].phase == "Running");
  CHECK(&pods[3] == &before->pods.items[2]);
  CHECK(&after->services.items[3] == &before->services.items[2]);
  for (std::size_t i = 0; i < pods.size(); ++i) CHECK(&later->pods.items[i] == &pods[i]);
}

TEST_CASE("kubernetes: watches are believed only while the server answers", "[watch]") {
  Following following;
  REQUIRE(following.poll());
  REQUIRE(following.poll());
  SECTION("a server that is gone, though no watch has noticed") {
    following.server.down = true;
    const auto state = following.poll();
    REQUIRE_FALSE(state);
    CHECK(state.error().failure == Failure::connect);
    CHECK(following.server.open_watches() == 0);
    following.server.down = false;
    CHECK(following.poll());
    CHECK(following.http.requests.size() > 25);  // nothing is resumed from before
  }
  SECTION("credentials that are not valid any more") {
    following.server.version_status = 401;
    following.server.list_status = 401;
    const auto state = following.poll();
    REQUIRE_FALSE(state);
    CHECK(state.error().failure == Failure::auth);
  }
  SECTION("a server that refuses to tell its version: lists") {
    following.server.version_status = 403;
    for (int i = 0; i < 3; ++i) {
      REQUIRE(following.poll());
      CHECK(following.http.requests.size() > 25);
      CHECK(following.notes.size() == 1);
    }
    CHECK(following.server.open_watches() == 0);
  }
  SECTION("something else answers in its place") {
    following.server.version_status = 404;
    following.server.list_status = 404;
    CHECK_FALSE(following.poll());
  }
}

TEST_CASE("kubernetes: what was read and is late now fails the poll twice, as a whole", "[watch]") {
  Following following(GENERATE(true, false));
  following.server.watch_status = 403;
  REQUIRE(following.poll());
  REQUIRE(following.poll());
  SECTION("late") {
    following.server.late.insert("services");
    for (int i = 0; i < 2; ++i) {
      const auto state = following.poll();
      REQUIRE_FALSE(state);
      CHECK(state.error().failure == Failure::timeout);
    }
    SECTION("until it is unknown") {
      for (int i = 0; i < 4; ++i) {
        const auto state = following.poll();
        REQUIRE(state);
        CHECK_FALSE(state->services.known());
        CHECK(state->nodes.known());
      }
      following.server.late.clear();
      const auto state = following.poll();
      REQUIRE(state);
      CHECK(state->services.known());
      following.server.late.insert("nodes");
      CHECK_FALSE(following.poll());
    }
    SECTION("others in turn are no reason to hold on to the past") {
      following.server.late = {"nodes"};
      CHECK(following.poll());
      following.server.late = {"services"};
      CHECK(following.poll());
    }
    SECTION("or it is back") {
      following.server.late.clear();
      CHECK(following.poll());
      following.server.late.insert("services");
      CHECK_FALSE(following.poll());
    }
  }
  SECTION("after two polls that read nothing") {
    following.server.down = true;
    CHECK_FALSE(following.poll());
    CHECK_FALSE(following.poll());
    following.server.down = false;
    following.server.late.insert("services");
    const auto state = following.poll();  // a third failure would make everything unknown
    REQUIRE(state);
    CHECK(state->nodes.known());
  }
}

TEST_CASE("kubernetes: a kind that is refused, or was never read, does not hold up others",
          "[watch]") {
  Following following;
  SECTION("refused from now on") {
    REQUIRE(following.poll());
    following.server.watch_status = 403;
    following.server.refused.insert("services");
    following.server.break_watches();
  }
  SECTION("late from the first poll on") { following.server.late.insert("services"); }
  for (int i = 0; i < 3; ++i) {
    const auto state = following.poll();
    REQUIRE(state);
    CHECK_FALSE(state->services.known());
    CHECK(state->nodes.known());
  }
}

TEST_CASE("kubernetes: in one round, or from a recording, a part is missed at once", "[watch]") {
  const bool once = GENERATE(true, false);
  Following following;
  REQUIRE(following.poll(once, !once));
  following.server.late.insert("services");
  const auto state = following.poll(once, !once);
  REQUIRE(state);
  CHECK_FALSE(state->services.known());
}

TEST_CASE("kubernetes: one round, a replay and `watch: false` list", "[watch]") {
  const int way = GENERATE(0, 1, 2);
  Following following(way != 0);
  for (int i = 0; i < 2; ++i) {
    REQUIRE(following.poll(way == 1, way == 2));
    CHECK(following.http.requests.size() > 25);
  }
  CHECK(following.server.watch_requests.empty());
}
