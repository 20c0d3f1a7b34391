#include "sources/linstor/source.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/json.h"
#include "base/text.h"
#include "sources/linstor/parse.h"

namespace shortcircuit::linstor {
namespace {

using Answer = Result<HttpResponse>;

// An answer's last good value serves for so many polls that could not read it again.
constexpr int polls_that_may_miss = 2;
// Definitions whose connections are asked for in one poll, beyond those never read before.
constexpr std::size_t connections_per_poll = 32;
// Requests that are in flight together.
constexpr std::size_t requests_at_once = 16;
constexpr std::size_t body_limit = 16U << 20;  // about 5,000 replicas

HttpRequest get(std::string answer, std::string url) {
  HttpRequest request;
  request.answer = std::move(answer);
  request.url = std::move(url);
  // Anything without application/json makes the controller answer 500 and write an error report.
  request.headers = {{"Accept", "*/*"}};
  request.body_limit = body_limit;
  return request;
}

// Names may hold only letters, digits, `-` and `_`; anything else is written as %XX.
std::string path_segment(std::string_view name) {
  std::string escaped;
  for (const char c : name) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '_' || c == '.';
    escaped += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return escaped;
}

template <class T>
Result<T> read(const HttpRequest& request, Answer answer, Result<T> (*parse)(std::string_view)) {
  answer = expect_answer(std::move(answer), request);
  if (!answer) return std::unexpected(answer.error());
  auto value = parse(answer->body);
  if (!value) return std::unexpected(value.error().in(request.answer));
  return value;
}

// Takes the new value, or goes on with the last good one for a while.
template <class Part, class T>
std::optional<T> take(PollContext& context, Part& part, Result<T> value) {
  if (value) {
    part.value = std::move(*value);
    part.misses = 0;
    return part.value;
  }
  context.note(value.error());
  if (++part.misses > polls_that_may_miss) part.value.reset();
  return part.value;
}

Result<std::vector<PairConnection>> parse_node_connections(std::string_view body) {
  return parse_connections(body, "");
}

}  // namespace

Result<State> Source::poll(PollContext& context) {
  ++polls_;
  const std::string base = without_slash(config_.endpoint.url) + "/v1";
  const std::vector<HttpRequest> requests{
      get("nodes", base + "/nodes"),
      get("controller-version", base + "/controller/version"),
      get("view-resources", base + "/view/resources"),
      get("view-storage-pools", base + "/view/storage-pools?cached=true"),
      get("resource-definitions", base + "/resource-definitions"),
      get("resource-groups", base + "/resource-groups"),
      get("node-connections", base + "/node-connections"),
      // `since` and `to` count whole days, and a small limit gives the oldest ones.
      get("error-reports", base + "/error-reports?limit=10000"),
  };
  auto answers = context.http.fetch(requests, context.deadline, context.stop);
  const auto answer = [&](std::size_t index) { return std::move(answers[index]); };

  State state;
  auto nodes = read(requests[0], answer(0), parse_nodes);
  if (!nodes) {
    miss_everything();
    return std::unexpected(nodes.error());
  }
  state.nodes = std::move(*nodes);

  const auto version = read(requests[1], answer(1), parse_version);
  if (version) {
    version_ = *version;
  } else {
    context.note(version.error());
  }
  state.version = version_;
  state.resources = take(context, resources_, read(requests[2], answer(2), parse_resources));
  state.resources_are_old = resources_.misses > 0;
  state.storage_pools =
      take(context, storage_pools_, read(requests[3], answer(3), parse_storage_pools));
  state.definitions = take(context, definitions_, read(requests[4], answer(4), parse_definitions));
  state.groups = take(context, groups_, read(requests[5], answer(5), parse_groups));
  state.node_connections =
      take(context, node_connections_, read(requests[6], answer(6), parse_node_connections));
  const auto reports =
      take(context, error_reports_, read(requests[7], answer(7), parse_error_reports));
  if (reports) {
    state.error_reports = reports->count;
    state.newest_error_report = reports->newest;
  }
  if (state.definitions) read_resource_connections(context, state);
  return state;
}

// What was read before an outage is as old as the outage is long.
void Source::miss_everything() {
  const auto miss = [](auto&... parts) {
    ((++parts.misses > polls_that_may_miss ? parts.value.reset() : void()), ...);
  };
  miss(resources_, storage_pools_, definitions_, groups_, node_connections_, error_reports_);
  for (auto& [definition, known] : connections_) {
    if (++known.misses > polls_that_may_miss) known = {};
  }
}

void Source::read_resource_connections(PollContext& context, State& state) {
  std::vector<std::string> names;
  for (const auto& definition : *state.definitions) names.push_back(definition.name);
  std::sort(names.begin(), names.end());
  std::erase_if(connections_, [&](const auto& known) {
    return !std::binary_search(names.begin(), names.end(), known.first);
  });

  std::vector<std::string> wanted = names;
  std::stable_sort(wanted.begin(), wanted.end(), [&](const auto& left, const auto& right) {
    return connections_[left].read_in_poll < connections_[right].read_in_poll;
  });
  const auto never_read =
      static_cast<std::size_t>(std::count_if(wanted.begin(), wanted.end(), [&](const auto& name) {
        return connections_[name].read_in_poll == 0;
      }));
  wanted.resize(std::min(wanted.size(), never_read + connections_per_poll));

  const std::string base = without_slash(config_.endpoint.url) + "/v1/resource-definitions/";
  for (std::size_t first = 0; first < wanted.size(); first += requests_at_once) {
    std::vector<HttpRequest> requests;
    const std::size_t last = std::min(wanted.size(), first + requests_at_once);
    for (std::size_t i = first; i < last; ++i) {
      requests.push_back(get("resource-connections-" + wanted[i],
                             base + path_segment(wanted[i]) + "/resource-connections"));
    }
    auto answers = context.http.fetch(requests, context.deadline, context.stop);
    for (std::size_t i = first; i < last; ++i) {
      auto& known = connections_[wanted[i]];
      const auto& request = requests[i - first];
      auto answer = expect_answer(std::move(answers[i - first]), request);
      auto pairs = answer ? parse_connections(answer->body, wanted[i])
                          : Result<std::vector<PairConnection>>(std::unexpected(answer.error()));
      if (pairs) {
        known = {std::move(*pairs), polls_, 0};
        continue;
      }
      context.note(answer ? pairs.error().in(request.answer) : pairs.error());
      if (++known.misses > polls_that_may_miss) known = {};
    }
  }

  state.resource_connections.emplace();
  for (const auto& name : names) {
    const auto& known = connections_[name];
    if (known.read_in_poll == 0) state.connections_unknown.push_back(name);
    state.resource_connections->insert(state.resource_connections->end(), known.pairs.begin(),
                                       known.pairs.end());
  }
}

Result<std::string> reduce_for_recording(std::string_view answer, std::string_view body) {
  const auto kept = kept_fields(answer);
  if (!kept) return std::unexpected(kept.error());
  return keep_fields(body, *kept, [](std::string_view path, JsonView) {
    constexpr std::string_view auxiliary = "props/Aux/";
    constexpr std::string_view drbd = "props/DrbdOptions";  // shared-secret is one of them
    const bool keep =
        (!path.starts_with(auxiliary) || is_place(path.substr(auxiliary.find('A')))) &&
        (!path.starts_with(drbd) || path == "props/DrbdOptions/Resource/quorum");
    return JsonEdit{.keep = keep, .text = std::nullopt};
  });
}

}  // namespace shortcircuit::linstor
