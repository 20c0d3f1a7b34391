#include "sources/etcd/parse.h"

#include <algorithm>
#include <cmath>

#include "base/exposition_text.h"
#include "base/json.h"
#include "base/text.h"

namespace shortcircuit::etcd {
namespace {

std::string label(const Sample& sample, const char* name) {
  const auto found = sample.labels.find(name);
  return found == sample.labels.end() ? "" : found->second;
}

void read_round_trip(const Sample& sample, State& state) {
  const auto peer = parse_hexadecimal(label(sample, "To"));
  if (!peer) return;
  if (sample.name.ends_with("_sum")) state.round_trips[*peer].sum_seconds = sample.value;
  if (sample.name.ends_with("_count")) state.round_trips[*peer].count = sample.value;
}

void read_sample(const Sample& sample, State& state) {
  const std::string& name = sample.name;
  if (!std::isfinite(sample.value)) return;
  if (name == "etcd_server_id") {
    if (const auto id = parse_hexadecimal(label(sample, "server_id"))) state.id = id;
  } else if (name == "etcd_server_version") {
    state.version = label(sample, "server_version");
  } else if (name == "etcd_server_has_leader") {
    state.has_leader = sample.value != 0;
  } else if (name == "etcd_server_is_leader") {
    state.is_leader = sample.value != 0;
  } else if (name == "etcd_server_is_learner") {
    state.is_learner = sample.value != 0;
  } else if (name == "etcd_server_leader_changes_seen_total") {
    state.leader_changes = sample.value;
  } else if (name == "etcd_server_heartbeat_send_failures_total") {
    state.heartbeat_send_failures = sample.value;
  } else if (name == "etcd_mvcc_db_total_size_in_bytes") {
    state.database_bytes = sample.value;
  } else if (name == "etcd_debugging_mvcc_db_total_size_in_bytes") {  // until 3.3
    if (!state.database_bytes) state.database_bytes = sample.value;
  } else if (name == "etcd_server_quota_backend_bytes") {
    if (sample.value > 0) state.database_quota_bytes = sample.value;
  } else if (name == "etcd_disk_wal_fsync_duration_seconds_sum") {
    if (!state.wal_fsync) state.wal_fsync.emplace();
    state.wal_fsync->sum_seconds = sample.value;
  } else if (name == "etcd_disk_wal_fsync_duration_seconds_count") {
    if (!state.wal_fsync) state.wal_fsync.emplace();
    state.wal_fsync->count = sample.value;
  } else if (name == "process_start_time_seconds") {
    if (sample.value > 0) state.started = time_of_unix_seconds(sample.value);
  } else if (name.starts_with("etcd_network_peer_round_trip_time_seconds_")) {
    read_round_trip(sample, state);
  }
}

}  // namespace

const std::vector<std::string_view>& wanted_metrics() {
  static const std::vector<std::string_view> names{
      "etcd_server_id",
      "etcd_server_version",
      "etcd_server_has_leader",
      "etcd_server_is_leader",
      "etcd_server_is_learner",
      "etcd_server_leader_changes_seen_total",
      "etcd_server_heartbeat_send_failures_total",
      "etcd_server_quota_backend_bytes",
      "etcd_mvcc_db_total_size_in_bytes",
      "etcd_debugging_mvcc_db_total_size_in_bytes",
      "etcd_disk_wal_fsync_duration_seconds_sum",
      "etcd_disk_wal_fsync_duration_seconds_count",
      "etcd_network_peer_round_trip_time_seconds_sum",
      "etcd_network_peer_round_trip_time_seconds_count",
      "process_start_time_seconds",
  };
  return names;
}

Result<void> read_metrics(std::string_view body, State& state) {
  const auto samples = parse_exposition(body, wanted_metrics());
  if (!samples) return std::unexpected(samples.error());
  bool is_etcd = false;
  for (const auto& sample : *samples) {
    is_etcd = is_etcd || sample.name.starts_with("etcd_server_");
    read_sample(sample, state);
  }
  if (!is_etcd) {
    return fail(Failure::schema,
                "no etcd_server_ metric in the answer: is this the metrics port of etcd?");
  }
  return {};
}

std::string_view object_of(std::string_view body) {
  const auto end = body.rfind('}');
  return end == std::string_view::npos ? body : body.substr(0, end + 1);
}

Result<void> read_health(std::string_view body, State& state) {
  return read_json(object_of(body), [&](JsonView root) {
    const auto health = root["health"];
    if (health.is_string()) {
      const std::string word = health.string();
      if (word != "true" && word != "false") health.wrong("\"true\" or \"false\"");
      state.healthy = word == "true";
    } else {
      state.healthy = health.boolean();
    }
    state.health_reason = root["reason"].string_or("");
  });
}

Result<void> read_version(std::string_view body, State& state) {
  return read_json(body, [&](JsonView root) { state.version = root["etcdserver"].string_or(""); });
}

Result<void> read_status(std::string_view body, State& state) {
  return read_json(body, [&](JsonView root) {
    // The gateway leaves zeros out: a status without `leader` says that there is none.
    state.id = root["header"]["member_id"].unsigned_integer();
    state.leader_id = root["leader"].missing() ? 0 : root["leader"].unsigned_integer();
    if (!root["raftTerm"].missing()) state.raft_term = root["raftTerm"].unsigned_integer();
    if (!root["dbSize"].missing() && !state.database_bytes) {
      state.database_bytes = static_cast<double>(root["dbSize"].unsigned_integer());
    }
    if (!root["isLearner"].missing()) state.is_learner = root["isLearner"].boolean();
    const std::string version = root["version"].string_or("");
    if (!version.empty()) state.version = version;
  });
}

Result<std::vector<MemberInfo>> read_members(std::string_view body) {
  std::vector<MemberInfo> members;
  const auto read = read_json(body, [&](JsonView root) {
    for (const auto& item : root["members"].items()) {
      MemberInfo member;
      member.id = item["ID"].unsigned_integer();
      // Listed twice, it still is one in the quorum.
      if (std::ranges::find(members, member.id, &MemberInfo::id) != members.end()) continue;
      member.name = item["name"].string_or("");  // empty until a new member has started
      member.peer_urls = item["peerURLs"].strings();
      member.client_urls = item["clientURLs"].strings();
      member.is_learner = item["isLearner"].boolean_or(false);
      members.push_back(std::move(member));
    }
    if (members.empty()) root["members"].wrong("at least one member");
  });
  if (!read) return std::unexpected(read.error());
  return members;
}

Result<std::vector<Alarm>> read_alarms(std::string_view body) {
  std::vector<Alarm> alarms;
  const auto read = read_json(body, [&](JsonView root) {
    for (const auto& item : root["alarms"].items()) {
      const auto type = item["alarm"].string_or("NONE");
      if (type == "NONE") continue;
      const auto member = item["memberID"];
      alarms.push_back({member.missing() ? 0 : member.unsigned_integer(), type});
    }
  });
  if (!read) return std::unexpected(read.error());
  return alarms;
}

void settle(State& state) {
  if (!state.has_leader && state.leader_id) state.has_leader = *state.leader_id != 0;
  if (!state.is_leader && state.leader_id && state.id) {
    state.is_leader = *state.leader_id != 0 && *state.leader_id == *state.id;
  }
  // Without a quorum the last leader goes on calling itself one, in status and metrics alike; only
  // its health tells.
  if (to_lower(state.health_reason).contains("no leader")) state.has_leader = false;
}

}  // namespace shortcircuit::etcd
