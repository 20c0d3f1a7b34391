// Pure readers of one etcd member's answers: each fills its part of a State.
//
// Errors: Failure::syntax or schema with the answer's path. A part that an answer lacks stays
// empty. No reader keeps anything that is not in State.
#pragma once

#include <string_view>
#include <vector>

#include "base/result.h"
#include "sources/etcd/state.h"

namespace shortcircuit::etcd {

// The families that are read from /metrics; K3s serves its whole registry there, and the API
// server's own `etcd_request_…` families are not the member's.
const std::vector<std::string_view>& wanted_metrics();

// Failure::schema when there is no family of an etcd server: some other program's port.
Result<void> read_metrics(std::string_view body, State& state);
// {"health":"true"}; a 503 carries the same with "false".
Result<void> read_health(std::string_view body, State& state);
Result<void> read_version(std::string_view body, State& state);
Result<void> read_status(std::string_view body, State& state);
Result<std::vector<MemberInfo>> read_members(std::string_view body);
Result<std::vector<Alarm>> read_alarms(std::string_view body);

// What several answers say together: who has a leader, and which word wins.
void settle(State& state);

// `{…}` of a body that has something behind it (a status line that a recording tool appended).
std::string_view object_of(std::string_view body);

}  // namespace shortcircuit::etcd
