// The gate alone, before a handler that the test holds back: who gets in, who is closed, and when.
// No assertion is about how long something takes.
#include <fmt/format.h>

#include <atomic>

#include "base/text.h"
#include "unit/web/gate_world.h"

using namespace shortcircuit;
using namespace shortcircuit::testing;

TEST_CASE("gate: a head goes on when it is complete, the next one when the answer is sent") {
  GateWorld world;
  const Client client(world.address);
  client.send("a\r");
  client.send("\n\r\nb\r\n\r\nc\r\n");
  const Asked first = world.next();
  CHECK(first.head == "a\r\n\r\n");
  CHECK(first.remote == "127.0.0.1");
  CHECK(world.waiting() == 0);
  world.answer(first);
  CHECK(client.read(4) == "ok:a");
  const Asked second = world.next();
  CHECK(second.head == "b\r\n\r\n");
  world.answer(second, true);
  CHECK(client.rest() == "ok:b");  // and what came after a last answer is no request
  CHECK(world.waiting() == 0);
}

TEST_CASE("gate: a body is sent whole, however large") {
  GateWorld world;
  const Client client(world.address);
  client.send("a\n\n");
  const auto body = std::make_shared<const std::string>(20'000'000, 'x');
  world.gate->answer(world.next().ticket, {"head", body, true});
  CHECK(client.rest() == "head" + *body);
}

TEST_CASE("gate: a head that is too long is refused, and so is one that takes too long") {
  GateWorld narrow({.head_bytes = 100, .head_time = std::chrono::hours(1)});
  const Client loud(narrow.address);
  loud.send(std::string(1000, 'x'));
  CHECK(loud.rest().starts_with("HTTP/1.1 431 "));
  GateWorld hurried({.head_time = std::chrono::seconds(2)});
  const Client slow(hurried.address);
  slow.send("GET");
  const Client silent(hurried.address);
  CHECK(slow.rest().starts_with("HTTP/1.1 408 "));
  CHECK(silent.rest().empty());
}

TEST_CASE("gate: its limits are those that users are told") {
  const auto told = read_file(std::string(SHORTCIRCUIT_TESTS) + "/../deploy/tls/README.md");
  REQUIRE(told);
  const GateLimits limits;
  const auto row = [&](std::string_view what, const std::string& value) {
    CHECK_THAT(*told, Catch::Contains(fmt::format("\n| {} | {} | ", what, value)));
  };
  const auto time = [](Duration value) { return fmt::format("{:.0f} s", seconds(value)); };
  row("connections", fmt::to_string(limits.connections));
  row("connections of one address, with IPv6 of one /64",
      fmt::to_string(limits.connections_of_one_address));
  row("requests in work", fmt::to_string(limits.running));
  row("bytes of a request's head", fmt::format("{} KiB", limits.head_bytes >> 10));
  row("time for a head to arrive", time(limits.head_time));
  row("idle between two requests", time(limits.idle_time));
  row("without taking a byte of an answer", time(limits.stall_time));
  row("time to take an answer", time(limits.answer_time));
  row("answers that slow clients let wait", fmt::format("{} MiB", limits.unsent_bytes >> 20));
}

TEST_CASE("gate: its own answers have the headers of every answer, as they are now") {
  auto listeners = open_listeners({"127.0.0.1:0"});
  REQUIRE(listeners);
  const std::string address = listeners->front().address;
  std::atomic<int> asked = 0;
  ConnectionGate gate(
      std::move(*listeners), {.head_bytes = 100},
      [](ConnectionGate::Ticket, std::string_view, const std::string&) {}, nullptr,
      [&] { return fmt::format("X-Frame-Options: deny\r\nX-Asked: {}\r\n", ++asked); });
  gate.start();
  for (const char* times : {"1", "2"}) {
    const Client loud(address);
    loud.send(std::string(1000, 'x'));
    const std::string answer = loud.rest();
    const std::string head = answer.substr(0, answer.find("\r\n\r\n") + 2);
    CHECK_THAT(head, Catch::Contains("\r\nX-Frame-Options: deny\r\n"));
    CHECK_THAT(head, Catch::Contains(fmt::format("\r\nX-Asked: {}\r\n", times)));
  }
}

TEST_CASE("gate: whoever has been idle longest makes room for a new client") {
  GateWorld world({.connections = 3, .head_time = std::chrono::hours(1)});
  const Client oldest(world.address);
  const Client asking(world.address);
  asking.send("a\n\n");
  const Asked asked = world.next();
  const Client idle(world.address);
  const Client fresh(world.address);
  fresh.send("b\n\n");
  const Asked other = world.next();
  CHECK(oldest.rest().empty());
  const Client last(world.address);
  last.send("c\n\n");
  const Asked third = world.next();
  CHECK(idle.rest().empty());
  for (const Asked& one : {asked, other, third}) world.answer(one, true);
  CHECK(asking.rest() == "ok:a");
  CHECK(fresh.rest() == "ok:b");
  CHECK(last.rest() == "ok:c");
}

TEST_CASE("gate: one address cannot take every place") {
  GateWorld world(
      {.connections = 100, .connections_of_one_address = 2, .head_time = std::chrono::hours(1)});
  const Client first(world.address);
  const Client second(world.address);
  const Client third(world.address);
  CHECK(first.rest().empty());
  second.send("b\n\n");
  third.send("c\n\n");
  world.answer(world.next(), true);
  world.answer(world.next(), true);
  CHECK(second.rest().starts_with("ok:"));
  CHECK(third.rest().starts_with("ok:"));
}

TEST_CASE("gate: only so many requests run at once, and the others wait for their turn") {
  GateWorld world({.running = 1});
  const Client first(world.address);
  first.send("a\n\n");
  const Asked running = world.next();
  const Client second(world.address);
  second.send("b\n\n");
  CHECK(world.waiting() == 0);
  world.answer(running, true);
  CHECK(first.rest() == "ok:a");
  world.answer(world.next(), true);
  CHECK(second.rest() == "ok:b");
}

TEST_CASE("gate: a client that takes nothing is cut") {
  GateWorld world({.stall_time = std::chrono::milliseconds(50)});
  const Client client(world.address);
  client.send("a\n\n");
  const auto body = std::make_shared<const std::string>(20'000'000, 'x');
  world.gate->answer(world.next().ticket, {"", body, true});
  std::weak_ptr<const std::string> watched = body;
  while (watched.use_count() > 1) usleep(1000);  // the gate lets go of it
  CHECK(client.rest().size() < body->size());
}

TEST_CASE("gate: pages that nobody else holds are bounded in all") {
  GateWorld world({.unsent_bytes = 30'000'000});
  const Client first(world.address);
  first.send("a\n\n");
  world.gate->answer(world.next().ticket,
                     {"", std::make_shared<const std::string>(20'000'000, 'x'), true});
  const Client second(world.address);
  second.send("b\n\n");
  world.gate->answer(world.next().ticket,
                     {"", std::make_shared<const std::string>(20'000'000, 'y'), true});
  CHECK(second.rest().size() == 20'000'000);
  CHECK(first.rest().size() < 20'000'000);
}

TEST_CASE("gate: answers for clients that have gone are forgotten, and it goes on") {
  GateWorld world;
  Asked asked;
  {
    const Client client(world.address);
    client.send("a\n\n");
    asked = world.next();
  }
  world.answer(asked);
  world.gate->answer(12345, {"nobody", nullptr, false});
  const Client client(world.address);
  client.send("b\n\n");
  world.answer(world.next(), true);
  CHECK(client.rest() == "ok:b");
}

TEST_CASE("gate: stopping sends what is under way and closes the rest") {
  GateWorld world({.stop_time = std::chrono::seconds(60)});
  const Client idle(world.address);
  const Client asking(world.address);
  asking.send("a\n\n");
  const Asked asked = world.next();
  std::thread stopper([&] { world.gate->stop(); });
  CHECK(idle.rest().empty());
  world.answer(asked);
  CHECK(asking.rest() == "ok:a");
  stopper.join();
}
