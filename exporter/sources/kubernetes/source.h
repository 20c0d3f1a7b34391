// Polls one Kubernetes cluster. See sources/source.h for the contract.
//
// One poll is a set of lists (kinds.h, lists.h), then the pods that these make necessary. Only GET,
// never Secrets. A kind that cannot be read is unknown in the State and noted; the poll fails when
// no kind could be read.
// Where answers can be followed, lists are kept as new as the server by watches (watches.h). While
// there are any, a poll asks for the server's version first: only while the server answers that are
// its watches believed; else everything is listed, so that a server that is gone is missed by the
// very poll.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "exposition/metric_set.h"
#include "fleet/observed.h"
#include "sources/kubernetes/config.h"
#include "sources/kubernetes/state.h"
#include "sources/kubernetes/watches.h"
#include "sources/source.h"

namespace shortcircuit::kubernetes {

class Source {
 public:
  explicit Source(Config config)
      : config_(std::move(config)), watches_(config_.full_list_interval) {}
  Result<State> poll(PollContext& context);

 private:
  Config config_;
  Watches watches_;
  bool server_answers_ = true;  // told its version in the last poll
};

Result<std::string> reduce_for_recording(std::string_view answer, std::string_view body);
void describe(const std::vector<Observed<State>>& targets, MetricSet& metrics);
std::span<const MetricDefinition> metric_definitions();

}  // namespace shortcircuit::kubernetes
