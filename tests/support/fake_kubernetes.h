// A Kubernetes API server that exists only in a test: one kind of object, versions, watches.
#pragma once

#include <fmt/format.h>

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "http/streams.h"
#include "support/fake_http.h"
#include "support/kubernetes_list.h"

namespace shortcircuit::testing {

class FakeKubernetes : public Streams {
 public:
  // What the server does wrong.
  bool down = false;              // no connection
  int watch_status = 200;         // of new watches
  int list_status = 200;          // of every list
  std::set<std::string> late;     // lists that are not there in time, by answer
  std::set<std::string> refused;  // lists that are answered 403
  int version_status = 200;       // of /version
  bool withhold = false;          // watches are open and silent
  bool slow_to_tell = false;      // new watches are open before they tell anything
  bool never_open = false;        // watches get no answer
  bool end_at_once = false;       // watches end in order as soon as they are open
  bool expired_in_event = true;   // 410: as an event, or as the status

  void set(const std::string& name, const std::string& phase) {
    const bool present = objects_.contains(name);
    ++version_;
    objects_[name] = body(name, phase);
    tell(present ? "MODIFIED" : "ADDED", objects_[name]);
  }
  void remove(const std::string& name) {
    if (objects_.erase(name) == 0) return;
    ++version_;
    tell("DELETED", body(name, "Gone"));
  }
  // After what each open watch has still to tell.
  void bookmark() {
    for (Watch* watch : watches_) watch->bookmark = true;
  }
  // A line for every open watch as it is.
  void say(const std::string& line) {
    for (Watch* watch : watches_) watch->extra.push_back(line);
  }
  void break_watches() { end_watches(Error{Failure::connect, "the connection broke"}); }
  void end_watches(std::optional<Error> error = std::nullopt) {
    for (Watch* watch : watches_) watch->end(error);
  }
  // Between two polls: what was slow has told.
  void time_passes() {
    for (Watch* watch : watches_) watch->silent = false;
  }
  // Changes so far can not be followed from their begin any more.
  void compact() { oldest_ = version_; }
  // The present, and the way back to it: versions begin again where they were then.
  [[nodiscard]] std::pair<int, std::map<std::string, std::string>> saved() const {
    return {version_, objects_};
  }
  void restore(const std::pair<int, std::map<std::string, std::string>>& then,
               bool connections_break = true) {
    if (connections_break) break_watches();
    std::tie(version_, objects_) = then;
    std::erase_if(events_, [&](const Event& event) { return event.version > version_; });
  }

  [[nodiscard]] const std::map<std::string, std::string>& objects() const { return objects_; }
  [[nodiscard]] std::size_t open_watches() const { return watches_.size(); }
  std::vector<std::string> watch_requests;  // URLs

  FakeHttp::Answer answers() {
    return [this](const HttpRequest& request) -> Result<HttpResponse> {
      if (down) return fail(Failure::connect, "cannot connect");
      if (request.answer == "version") {
        return HttpResponse{version_status, R"({"gitVersion":"v1.33.5"})", {}};
      }
      if (late.contains(request.answer)) return fail(Failure::timeout, "no answer in time");
      if (refused.contains(request.answer)) return HttpResponse{403, "", {}};
      if (list_status != 200) return HttpResponse{list_status, "", {}};
      std::string items;
      for (const auto& [name, object] : objects_) items += (items.empty() ? "" : ",") + object;
      return ok(list_body(list_kind_of_url(request.url),
                          fmt::format(R"("resourceVersion":"{}")", version_), items));
    };
  }

  std::unique_ptr<Stream> start(HttpRequest request, Deadline, Deadline) override {
    watch_requests.push_back(request.url);
    const auto begin = request.url.find("resourceVersion=") + 16;
    return std::make_unique<Watch>(*this, std::stoi(request.url.substr(begin)));
  }
  void settle(Deadline, std::stop_token) override { ++settled; }
  int settled = 0;

 private:
  struct Event {
    int version;
    std::string line;
  };

  struct Watch : Stream {
    Watch(FakeKubernetes& server, int version) : server_(server), told_(version) {
      server_.watches_.push_back(this);
      if (server.down) end(Error{Failure::connect, "cannot connect"});
      if (server.watch_status != 200) {
        end(Error{Failure::status, fmt::format("HTTP {}", server.watch_status),
                  server.watch_status});
      }
      if (version < server.oldest_) {
        if (!server.expired_in_event) end(Error{Failure::status, "HTTP 410", 410});
        extra.push_back(R"({"type":"ERROR","object":{"kind":"Status","code":410}})");
      }
      silent = server.slow_to_tell;
      if (server.end_at_once) end(std::nullopt);
    }
    ~Watch() override { std::erase(server_.watches_, this); }
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;

    void end(std::optional<Error> error) {
      ended = true;
      why = std::move(error);
    }

    Arrived take() override {
      Arrived arrived;
      if (server_.never_open && !ended) return arrived;
      arrived.phase = ended ? Phase::ended : Phase::open;
      arrived.error = why;
      if (ended) return arrived;
      if (silent) return arrived;
      for (const Event& event : server_.events_) {
        if (event.version > told_ && !server_.withhold) arrived.lines.push_back(event.line);
      }
      std::ranges::move(std::exchange(extra, {}), std::back_inserter(arrived.lines));
      if (server_.withhold) return arrived;
      if (std::exchange(bookmark, false)) {
        arrived.lines.push_back(fmt::format(
            R"({{"type":"BOOKMARK","object":{{"metadata":{{"resourceVersion":"{}"}}}}}})",
            std::max(told_, server_.version_)));
      }
      told_ = std::max(told_, server_.version_);
      return arrived;
    }

    FakeKubernetes& server_;
    int told_;
    bool ended = false;
    std::optional<Error> why;
    bool bookmark = false;
    bool silent = false;
    std::vector<std::string> extra;
  };

  [[nodiscard]] std::string body(const std::string& name, const std::string& phase) const {
    return fmt::format(R"({{"metadata":{{"namespace":"shop","name":"{}","resourceVersion":"{}"}},)"
                       R"("status":{{"phase":"{}"}}}})",
                       name, version_, phase);
  }
  void tell(const std::string& type, const std::string& object) {
    events_.push_back({version_, fmt::format(R"({{"type":"{}","object":{}}})", type, object)});
  }

  int version_ = 100;
  int oldest_ = 0;
  std::map<std::string, std::string> objects_;
  std::vector<Event> events_;
  std::vector<Watch*> watches_;
};

// An Http whose answers can be followed.
class FollowableHttp : public FakeHttp {
 public:
  explicit FollowableHttp(FakeKubernetes& server) : FakeHttp(server.answers()), server_(server) {}
  Streams* streams() override { return &server_; }

 private:
  FakeKubernetes& server_;
};

}  // namespace shortcircuit::testing
