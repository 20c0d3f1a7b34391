// Polls one LINSTOR controller. See sources/source.h for the contract.
//
// Only the list of nodes is essential. Every other part may fail on its own: its last good value
// serves for two more polls (a hanging satellite makes the controller answer one 500, and a
// single missed poll says nothing), then the part is unknown. A poll without the nodes is a miss of
// every part.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "exposition/metric_set.h"
#include "fleet/observed.h"
#include "sources/linstor/config.h"
#include "sources/linstor/state.h"
#include "sources/source.h"

namespace shortcircuit::linstor {

class Source {
 public:
  explicit Source(Config config) : config_(std::move(config)) {}
  Result<State> poll(PollContext& context);

 private:
  // A part that may fail on its own.
  template <class T>
  struct Part {
    std::optional<T> value;
    int misses = 0;
  };
  struct Connections {
    std::vector<PairConnection> pairs;
    std::uint64_t read_in_poll = 0;
    int misses = 0;
  };

  void miss_everything();
  void read_resource_connections(PollContext& context, State& state);

  Config config_;
  std::uint64_t polls_ = 0;
  Part<std::vector<Resource>> resources_;
  Part<std::vector<StoragePool>> storage_pools_;
  Part<std::vector<ResourceDefinition>> definitions_;
  Part<std::vector<ResourceGroup>> groups_;
  Part<std::vector<PairConnection>> node_connections_;
  Part<ErrorReports> error_reports_;
  std::string version_;
  // By definition. Properties of a connection are changed by hand and seldom: with many
  // definitions each poll asks for some of them, the oldest first.
  std::map<std::string, Connections> connections_;
};

Result<std::string> reduce_for_recording(std::string_view answer, std::string_view body);
void describe(const std::vector<Observed<State>>& targets, MetricSet& metrics);
std::span<const MetricDefinition> metric_definitions();

}  // namespace shortcircuit::linstor
