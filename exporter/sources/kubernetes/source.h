// Polls one Kubernetes cluster. See sources/source.h for the contract.
//
// One poll is a set of lists (kinds.h, lists.h), then the pods that these make necessary. Only GET,
// never Secrets. A kind that cannot be read is unknown in the State and noted; the poll fails when
// no kind could be read. It also fails, twice in a row, when a kind that was read before is late or
// broken (not: refused): the last State stays as a whole, since one kind of another moment beside
// the others would make present objects look absent.
// Where answers can be followed, lists are kept as new as the server by watches (watches.h). While
// there are any, a poll asks for the server's version first: only while the server answers that are
// its watches believed; else everything is listed, so that a server that is gone is missed by the
// very poll.
#pragma once

#include <map>
#include <memory>
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
  const Error* missed(std::span<List* const> lists, const PollContext& context);

  Config config_;
  Watches watches_;
  bool server_answers_ = true;  // told its version in the last poll
  int missed_ = 0;              // polls in a row that could not read what was read before
  std::map<std::string, std::unique_ptr<List>> listed_;  // what the last State holds, by name
};

Result<std::string> reduce_for_recording(std::string_view answer, std::string_view body);
void describe(const std::vector<Observed<State>>& targets, MetricSet& metrics);
std::span<const MetricDefinition> metric_definitions();

}  // namespace shortcircuit::kubernetes
