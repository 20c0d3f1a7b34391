// `dns:` requests: A and AAAA records of public names, asked from DNS alone (no hosts file, no
// search domains). The only door to c-ares. Private to http/.
//
// Runs inside of the loop of its caller: add() names, then watch sockets() and call process().
// Results: {"addresses":[…]} sorted; empty when the name has none or does not exist. A resolver
// that fails is Failure::resolve, one that is silent Failure::timeout. An answer for one family
// stands when the other one's resolution fails, but an empty one does not: it could be wrong.
#pragma once

#include <poll.h>

#include <chrono>
#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "http/http.h"

struct ares_channeldata;

namespace shortcircuit {

class DnsLookup {
 public:
  // Once, before the first thread and after the last one.
  static void set_up();
  static void tear_down();

  // `servers`: `10.0.0.1:53,[fd00::1]:53`; "" = those of the system.
  explicit DnsLookup(std::string servers);
  ~DnsLookup();
  DnsLookup(const DnsLookup&) = delete;
  DnsLookup& operator=(const DnsLookup&) = delete;

  // `host` is looked up; its result comes out of take_finished() under `index`.
  void add(std::size_t index, const HttpRequest& request);
  [[nodiscard]] bool idle() const { return open_ == 0; }

  // For the caller's poll.
  [[nodiscard]] std::vector<pollfd> sockets() const;
  [[nodiscard]] std::chrono::milliseconds longest_wait(std::chrono::milliseconds limit) const;
  void process(const std::vector<pollfd>& ready);
  std::vector<std::pair<std::size_t, Result<HttpResponse>>> take_finished();

 private:
  struct Query;
  struct Lookup;
  static void on_answer(void* query, int status, int timeouts, void* addresses);
  bool open_channel();
  void start_waiting();
  void finish(Lookup& lookup);

  std::string servers_;
  ares_channeldata* channel_ = nullptr;
  std::deque<std::unique_ptr<Lookup>> lookups_;  // finished ones stay until the end
  std::size_t started_ = 0;                      // of lookups_, in order
  std::size_t under_way_ = 0;
  std::size_t open_ = 0;
  std::vector<std::pair<std::size_t, Result<HttpResponse>>> finished_;
};

}  // namespace shortcircuit
