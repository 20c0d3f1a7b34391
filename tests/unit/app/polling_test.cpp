// Polls in the background.
#include "app/polling.h"

#include <algorithm>
#include <mutex>

#include "support/catch.h"
#include "support/loopback_server.h"

using namespace shortcircuit;

namespace {

// Counts the polls by a request that each sends once.
class SlowHeadscale {
 public:
  testing::Script script() {
    return [this](testing::Connection& connection) {
      while (true) {
        const std::string request = connection.read_request();
        if (request.empty()) return;
        const bool counts = request.starts_with("GET /api/v1/node ");
        if (counts) began();
        if (!connection.pause(60ms)) return;  // three intervals
        if (counts) ended();                  // before the answer: the next poll may come at once
        if (!connection.send(testing::reply(200, R"({"nodes":[]})"))) return;
      }
    };
  }
  [[nodiscard]] int polls() const {
    const std::lock_guard lock(mutex_);
    return polls_;
  }
  [[nodiscard]] int most_at_once() const {
    const std::lock_guard lock(mutex_);
    return most_at_once_;
  }

 private:
  void began() {
    const std::lock_guard lock(mutex_);
    ++polls_;
    most_at_once_ = std::max(most_at_once_, ++at_once_);
  }
  void ended() {
    const std::lock_guard lock(mutex_);
    --at_once_;
  }
  mutable std::mutex mutex_;
  int polls_ = 0;
  int at_once_ = 0;
  int most_at_once_ = 0;
};

// Asked every 20 ms, and slow to answer.
struct PolledWorld {
  SlowHeadscale upstream;
  testing::LoopbackServer server{upstream.script()};
  Config config;
  Board board{asking_often()};

  [[nodiscard]] Pollers pollers() {
    return Pollers({.config = config, .board = board, .latest = nullptr});
  }

 private:
  const Config& asking_often() {
    headscale::Config target;
    target.endpoint.url = server.url("");
    target.interval = 20ms;
    target.timeout = 60s;
    config.headscale.push_back(target);
    return config;
  }
};

}  // namespace

TEST_CASE("polls of one target never overlap, though they take longer than its interval") {
  PolledWorld world;
  {
    const Pollers pollers = world.pollers();
    while (world.upstream.polls() < 10) std::this_thread::sleep_for(5ms);
  }
  CHECK(world.upstream.most_at_once() == 1);
}

TEST_CASE("a second poller of the same target would be seen") {
  PolledWorld world;
  const Pollers one = world.pollers();
  const Pollers two = world.pollers();
  while (world.upstream.most_at_once() < 2) std::this_thread::sleep_for(5ms);
  CHECK(world.upstream.most_at_once() == 2);
}
