// Polls one etcd member. See sources/source.h for the contract.
//
// With a full API: metrics, health, version and the JSON gateway (POST, but reads). With
// `metrics_url` alone: metrics, and health where the same port has it. A poll fails only when
// neither metrics nor health nor status answered. A gateway that is absent (404: K3s, etcd started
// from a configuration file) is no failure: what it would say stays unknown.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "exposition/metric_set.h"
#include "fleet/observed.h"
#include "sources/etcd/config.h"
#include "sources/etcd/state.h"
#include "sources/source.h"

namespace shortcircuit::etcd {

class Source {
 public:
  explicit Source(Config config) : config_(std::move(config)) {}
  Result<State> poll(PollContext& context);

 private:
  Config config_;
  // The gateway's prefix that this member answers to; older ones call it /v3beta.
  std::string gateway_ = "/v3";
  bool gateway_decided_ = false;
  // The last member list that was read: without a quorum nobody can change it, and some versions
  // cannot say it then.
  std::optional<std::vector<MemberInfo>> known_members_;
};

Result<std::string> reduce_for_recording(std::string_view answer, std::string_view body);
void describe(const std::vector<Observed<State>>& targets, MetricSet& metrics);
std::span<const MetricDefinition> metric_definitions();

}  // namespace shortcircuit::etcd
