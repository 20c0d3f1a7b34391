// Says what a check could not see, in one form: `Kubernetes services: HTTP 403`.
#pragma once

#include <string>
#include <vector>

#include "checks/finding.h"
#include "fleet/fleet.h"

namespace shortcircuit {

// Adds an entry when the only target of a source is not known. `source` is its name for people.
// True when the state is there.
template <class State>
bool need(const std::vector<Observed<State>>& targets, std::string_view source, Verdict& verdict) {
  if (!targets.empty() && targets.front().state) return true;
  std::string why = "not read yet";
  if (!targets.empty() && targets.front().health.last_error) {
    why = targets.front().health.last_error->message;
  }
  verdict.unknown.push_back(std::string(source) + ": " + why);
  return false;
}

// The same for one list of a cluster that is known.
template <class Item>
bool need(const kubernetes::Listed<Item>& list, std::string_view kind, Verdict& verdict) {
  if (list.known()) return true;
  verdict.unknown.push_back("Kubernetes " + std::string(kind) + ": " + list.error.message);
  return false;
}

// What the last good poll of a target could not read of one answer: `etcd member a: metrics: no
// answer in time`. Nothing for an answer that is not there at all (404): that is known. True when
// the answer was read or is absent.
template <class State>
bool need_part(const Observed<State>& target, std::string_view answer, const std::string& source,
               std::vector<std::string>& unknown) {
  bool read = true;
  for (const Error& note : target.health.notes) {
    if (note.http_status == 404 || !note.message.starts_with(std::string(answer) + ":")) continue;
    unknown.push_back(source + ": " + note.message);
    read = false;
  }
  return read;
}

}  // namespace shortcircuit
