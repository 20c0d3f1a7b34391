#include "sources/dns/source.h"

#include <algorithm>
#include <set>

#include "base/json.h"
#include "fleet/routes.h"
#include "fleet/snapshot.h"

namespace shortcircuit::dns {
namespace {

Result<Answer> parse_answer(Result<HttpResponse> response, const HttpRequest& request) {
  // A recording that never asked for this host answers 404: unknown, not "no such name".
  auto answered = expect_success(std::move(response), request);
  if (!answered) return std::unexpected(answered.error());
  Answer answer;
  auto read = read_json(answered->body, [&](JsonView root) {
    for (const std::string& text : root["addresses"].strings()) {
      const auto address = IpAddress::parse(text);
      if (!address) root["addresses"].wrong("IP addresses");
      answer.addresses.push_back(*address);
    }
    answer.absent = answer.addresses.empty();
  });
  if (!read) return std::unexpected(read.error().in(request.answer));
  std::sort(answer.addresses.begin(), answer.addresses.end());
  return answer;
}

}  // namespace

// The hosts come from the routes of the snapshot before this poll. Wildcards and patterns have no
// name to ask for.
Result<State> Source::poll(PollContext& context) {
  State state;
  const auto routes = known_routes(context.latest);
  if (!routes) return std::unexpected(routes.error());
  std::set<std::string> hosts;
  for (const Route& route : *routes) {
    if (is_plain_host(route.host)) hosts.insert(route.host);
  }
  std::vector<HttpRequest> requests;
  for (const std::string& host : hosts) {
    requests.push_back({.answer = host, .url = "dns:" + host});
  }
  if (requests.empty()) return state;
  auto responses = context.http.fetch(requests, context.deadline, context.stop);
  std::size_t failed = 0;
  for (std::size_t i = 0; i < requests.size(); ++i) {
    auto answer = parse_answer(std::move(responses[i]), requests[i]);
    if (!answer) {
      ++failed;
      context.note(answer.error());
    }
    state.hosts.emplace(requests[i].answer, std::move(answer));
  }
  if (failed == requests.size()) return std::unexpected(state.hosts.begin()->second.error());
  return state;
}

Result<std::string> reduce_for_recording(std::string_view, std::string_view body) {
  return keep_fields(body, {"addresses"});
}

void describe(const std::vector<Observed<State>>&, MetricSet&) {}
std::span<const MetricDefinition> metric_definitions() { return {}; }

}  // namespace shortcircuit::dns
