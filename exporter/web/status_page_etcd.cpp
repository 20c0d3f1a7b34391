#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/text.h"
#include "fleet/etcd_cluster.h"
#include "web/status_page_parts.h"

namespace shortcircuit::page {
namespace {

constexpr std::size_t most_members = 40;
constexpr std::size_t most_trips = 8;
// What etcd's documentation on tuning asks for, and what the budget is made of.
constexpr double round_trips_in_an_election = 10;

std::pair<Tone, std::string> verdict_of(const EtcdMember& member) {
  switch (member.standing) {
    case EtcdStanding::agrees: return {Tone::good, "agrees"};
    case EtcdStanding::disagrees: return {Tone::bad, "answers, but disagrees"};
    case EtcdStanding::down: return {Tone::bad, "down"};
    case EtcdStanding::unknown: break;
  }
  return {Tone::unknown, member.configured ? "unknown" : "not configured here"};
}

std::string role_of(const EtcdMember& member) {
  if (member.learner) return "learner";
  if (member.state == nullptr) return "–";
  // A member without a quorum still calls itself leader; its word counts only while it agrees.
  if (member.standing != EtcdStanding::agrees) return "–";
  if (member.state->is_leader == true) return "leader";
  if (member.state->is_leader == false) return "follower";
  return "not said";
}

std::string database_of(const etcd::State& state) {
  if (!state.database_bytes) return "unknown";
  if (!state.database_quota_bytes || *state.database_quota_bytes <= 0)
    return bytes(*state.database_bytes);
  return fmt::format("{} of {} ({:.0f}%)", bytes(*state.database_bytes),
                     bytes(*state.database_quota_bytes),
                     100 * *state.database_bytes / *state.database_quota_bytes);
}

void write_trips(Html& html, const Fleet& fleet, const EtcdCluster& cluster,
                 const std::string& member) {
  std::vector<const EtcdRoundTrip*> trips;
  for (const EtcdRoundTrip& trip : cluster.round_trips) {
    if (trip.from == member) trips.push_back(&trip);
  }
  if (trips.empty()) html.text("unknown");
  for (std::size_t index = 0; index < std::min(trips.size(), most_trips); ++index) {
    const EtcdRoundTrip& trip = *trips[index];
    const std::string text =
        fmt::format("{:.1f} ms to {}", trip.mean_seconds * 1000, shortened(trip.to, 60));
    const auto& election = fleet.config.etcd_timings.election_timeout;
    if (!election || seconds(*election) <= 0) {
      html.element("div", text);
      continue;
    }
    const double used = trip.mean_seconds * round_trips_in_an_election / seconds(*election);
    const Tone tone = used > 1 ? Tone::warn : Tone::good;
    const auto line = html.scope("div", {{"class", class_of(tone)}});
    // Filled to the share of the budget; the number beside it says the same.
    html.open("span", {{"class", "bar"}, {"aria-hidden", "true"}});
    html.element("i", {{"style", fmt::format("width:{:.0f}%", std::clamp(used * 100, 2.0, 100.0))}},
                 "");
    html.close("span").text(fmt::format("{}, ", text));
    html.element("span", {{"class", used > 1 ? "state" : "plain"}},
                 fmt::format("{}{:.0f}% of the budget", used > 1 ? "▲ " : "", used * 100));
  }
}

void write_member(Html& html, const Fleet& fleet, const EtcdCluster& cluster,
                  const EtcdMember& member) {
  const auto row = html.scope("tr");
  html.element("th", {{"scope", "row"}}, shortened(member.name, 80));
  const auto [tone, word] = verdict_of(member);
  html.open("td");
  state(html, tone, word);
  if (!member.why.empty()) html.element("div", {{"class", "errors"}}, shortened(member.why, 240));
  html.close("td");
  html.element("td", role_of(member));
  if (member.state == nullptr) {
    html.element("td", {{"class", "none"}, {"colspan", "4"}}, "not known");
    return;
  }
  const etcd::State& of = *member.state;
  html.element("td", {{"class", "number-cell"}},
               of.raft_term ? fmt::format("{}", *of.raft_term) : "–");
  html.element("td", {{"class", "number-cell"}},
               of.leader_changes ? fmt::format("{:.0f}", *of.leader_changes) : "–");
  html.element("td", {{"class", "number-cell"}}, database_of(of));
  html.open("td", {{"class", "number-cell"}});
  write_trips(html, fleet, cluster, member.name);
  html.close("td");
}

std::string alarms_of(const EtcdCluster& cluster) {
  std::set<std::string> texts;
  for (const EtcdMember& member : cluster.members) {
    if (member.state == nullptr || !member.state->alarms) continue;
    for (const auto& alarm : *member.state->alarms) {
      texts.insert(fmt::format("{} at {}", alarm.type, cluster.name_of(alarm.member_id)));
    }
  }
  return enumerate({texts.begin(), texts.end()}, 6);
}

std::string quorum_of(const EtcdCluster& cluster) {
  std::string text = fmt::format("{} of {} voters agree", cluster.agreeing, cluster.voters);
  if (!cluster.margin) return text + ", the margin is unknown";
  if (*cluster.margin < 0) return text + ", the quorum is lost";
  return text + fmt::format(", {} more may fail", *cluster.margin);
}

std::string budget_of(const Fleet& fleet) {
  const auto& [heartbeat, election] = fleet.config.etcd_timings;
  if (!election) {
    return "The round trip budget is unknown until etcd.election_timeout is written in the "
           "configuration.";
  }
  std::string text = fmt::format(
      "The budget of a round trip is {:.0f} ms, a tenth of the election timeout ({:.0f} ms)",
      seconds(*election) * 1000 / round_trips_in_an_election, seconds(*election) * 1000);
  if (heartbeat)
    text += fmt::format("; the heartbeat interval is {:.0f} ms", seconds(*heartbeat) * 1000);
  return text + ".";
}

}  // namespace

void etcd(Html& html, const Fleet& fleet) {
  if (fleet.snapshot.etcd.empty()) return;
  const EtcdCluster cluster = etcd_cluster_of(fleet.snapshot);
  const auto part = section(html, "etcd", "etcd", quorum_of(cluster));
  if (const std::string alarms = alarms_of(cluster); !alarms.empty()) {
    html.element("p", {{"class", "notice bad"}},
                 fmt::format("✕ Alarms: {}.", shortened(alarms, 400)));
  }
  {
    const Table table(
        html, "Members and their round trips to each other",
        {"member", "standing", "role", "term", "leader changes", "database", "mean round trip"},
        "etcd");
    for (std::size_t index = 0; index < std::min(cluster.members.size(), most_members); ++index) {
      write_member(html, fleet, cluster, cluster.members[index]);
    }
  }
  and_more(html, cluster.members.size(), most_members, "members");
  html.element("p", {{"class", "hint"}}, budget_of(fleet));
}

}  // namespace shortcircuit::page
