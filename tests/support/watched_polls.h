// Polls of one kind against a Kubernetes API server that a test directs, by a clock that it moves.
#pragma once

#include <fmt/format.h>

#include "sources/kubernetes/kinds.h"
#include "sources/kubernetes/watches.h"
#include "support/fake_kubernetes.h"

namespace shortcircuit::testing {

class WatchedPolls {
 public:
  // `name=phase` of each object, or the failure.
  std::string poll(Duration later = 15s) {
    time_ += std::chrono::duration_cast<std::chrono::steady_clock::duration>(later);
    server.time_passes();
    lists_before_ = http.rounds;
    kubernetes::ListOf<kubernetes::Pod> pods("pods", "/api/v1/pods", kubernetes::parse_pod,
                                             "app=x");
    PollContext context{.http = http, .deadline = Deadline::after(60s), .stop = {}, .now = now()};
    watches_.read(std::vector<kubernetes::List*>{&pods}, context, "http://api", server);
    watches_.forget_unread();
    notes_ = std::move(context.notes);
    if (pods.outcome == kubernetes::List::Outcome::not_found) return "not found";
    if (pods.outcome != kubernetes::List::Outcome::listed)
      return std::string(name_of(pods.error.failure));
    std::string text;
    for (const kubernetes::Pod& pod : pods.items) {
      text += fmt::format("{}{}={}", text.empty() ? "" : " ", pod.name.name, pod.phase);
    }
    return text;
  }
  [[nodiscard]] const std::vector<Error>& notes() const { return notes_; }  // of the last poll
  // Did the last poll list?
  [[nodiscard]] bool listed() const { return http.rounds > lists_before_; }
  void forget_unread() {
    watches_.forget_unread();
    watches_.forget_unread();
  }

  FakeKubernetes server;
  FollowableHttp http{server};

 private:
  std::chrono::steady_clock::time_point time_;
  std::vector<Error> notes_;
  int lists_before_ = 0;
  kubernetes::Watches watches_{5min, [this] { return time_; }, 1};
};

}  // namespace shortcircuit::testing
