#include "sources/headscale/source.h"

#include <array>

#include "base/text.h"
#include "sources/headscale/parse.h"

namespace shortcircuit::headscale {
namespace {

HttpRequest request_for(const Config& config, std::string answer, std::string_view path) {
  HttpRequest request;
  request.answer = std::move(answer);
  request.url = without_slash(config.endpoint.url) + std::string(path);
  request.body_limit = 16U << 20;  // no pagination
  return request;
}

// The nodes are what everything else hangs on: without them the poll fails. An old server does not
// know the path (404) and has `machine` instead.
Result<NodeList> read_nodes(Result<HttpResponse> response, const HttpRequest& request,
                            const Config& config, PollContext& context) {
  HttpRequest asked = request;
  if (response && response->status == 404) {
    const HttpRequest old_request = request_for(config, "machine", "/api/v1/machine");
    auto old = fetch_one(context.http, old_request, context.deadline, context.stop);
    if (!old || old->status != 404) {
      asked = old_request;
      response = std::move(old);
    }
  }
  const auto success = expect_success(std::move(response), asked);
  if (!success) return std::unexpected(success.error());
  auto list = parse_nodes(success->body);
  if (!list) return std::unexpected(list.error().in(asked.answer));
  return list;
}

// Before 0.26 routes are a list of their own; a server that has neither is no failure.
void read_routes(NodeList& list, const Config& config, PollContext& context) {
  if (list.has_routes || list.nodes.empty()) return;
  const HttpRequest request = request_for(config, "routes", "/api/v1/routes");
  auto response = fetch_one(context.http, request, context.deadline, context.stop);
  if (response && response->status == 404) return;
  const auto success = expect_success(std::move(response), request);
  const auto read =
      success ? parse_routes(success->body, list.nodes) : std::unexpected(success.error());
  if (!read) context.note(success ? read.error().in(request.answer) : read.error());
}

template <class T>
void read_part(Result<HttpResponse> response, const HttpRequest& request,
               Result<std::vector<T>> (*parse)(std::string_view), std::vector<T>& into,
               PollContext& context) {
  const auto success = expect_success(std::move(response), request);
  if (!success) {
    context.note(success.error());
    return;
  }
  auto values = parse(success->body);
  if (values) {
    into = std::move(*values);
  } else {
    context.note(values.error().in(request.answer));
  }
}

}  // namespace

Result<State> Source::poll(PollContext& context) {
  const std::array<HttpRequest, 4> requests{
      request_for(config_, "node", "/api/v1/node"), request_for(config_, "health", "/health"),
      request_for(config_, "apikey", "/api/v1/apikey"),
      request_for(config_, "preauthkey", "/api/v1/preauthkey")};
  auto responses = context.http.fetch(requests, context.deadline, context.stop);

  auto list = read_nodes(std::move(responses[0]), requests[0], config_, context);
  if (!list) return std::unexpected(list.error());
  read_routes(*list, config_, context);
  State state;
  state.nodes = std::move(list->nodes);

  // A server whose database is gone answers 500 with a status of its own.
  if (!responses[1]) {
    context.note(responses[1].error().in("health"));
  } else if (const auto healthy = parse_health(responses[1]->body)) {
    state.healthy = *healthy && responses[1]->status == 200;
  } else if (responses[1]->status != 404) {
    context.note(healthy.error().in("health"));
  }
  read_part(std::move(responses[2]), requests[2], parse_api_keys, state.api_keys, context);
  read_part(std::move(responses[3]), requests[3], parse_pre_auth_keys, state.pre_auth_keys,
            context);
  return state;
}

}  // namespace shortcircuit::headscale
