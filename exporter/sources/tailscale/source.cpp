#include "sources/tailscale/source.h"

#include <fmt/format.h>

#include <array>
#include <filesystem>

#include "sources/tailscale/parse.h"
#include "sources/tailscale/request.h"

namespace shortcircuit::tailscale {
namespace {

constexpr std::size_t most_status_bytes = 16U << 20;  // about 1.4 KB a peer
constexpr auto old_status_file = 10min;

// An older daemon lacks an answer: that is known and no failure.
template <class T, class Parse>
std::optional<T> optional_part(Result<HttpResponse> response, const HttpRequest& request,
                               Parse parse, PollContext& context) {
  if (response && response->status == 404) return std::nullopt;
  const auto success = expect_success(std::move(response), request);
  if (!success) {
    context.note(success.error());
    return std::nullopt;
  }
  auto value = parse(success->body);
  if (!value) {
    context.note(value.error().in(request.answer));
    return std::nullopt;
  }
  return std::move(*value);
}

// What `tailscale status --json` wrote. Nobody but its age tells when the writer has stopped: then
// it says nothing of now. Whoever looks once may have collected it for that look: it is read, and
// known to be old.
Result<State> read_status_file(const std::string& path, PollContext& context) {
  HttpRequest request;
  request.answer = "status";
  request.url = "file:" + path;
  request.body_limit = most_status_bytes;
  const auto response =
      expect_success(fetch_one(context.http, request, context.deadline, context.stop), request);
  if (!response) return std::unexpected(response.error());
  auto state = parse_status(response->body);
  if (!state) return std::unexpected(state.error().in(path));
  // The daemon says `null` of a network of one node, too, and there is nothing to say of that.
  if (state->peers.empty() && state->backend_state == "Running") {
    return fail(
        Failure::schema,
        fmt::format("{}: has no peers: it is written with `--peers=false`, or this node sees "
                    "nobody and there is nothing to watch; expected what `tailscale status "
                    "--json` says of others",
                    path));
  }
  std::error_code unknown;
  const auto written = std::filesystem::last_write_time(path, unknown);
  const auto age = std::filesystem::file_time_type::clock::now() - written;
  if (!unknown && age > old_status_file) {
    state->outdated = std::chrono::duration_cast<Duration>(age);
    Error old{
        Failure::timeout,
        fmt::format("{}: was written more than {} ago: is `tailscale status --json` still run?",
                    path, format_duration(old_status_file))};
    if (!context.once) return std::unexpected(std::move(old));
    context.note(std::move(old));
  }
  return state;
}

}  // namespace

Result<State> Source::poll(PollContext& context) {
  // A recording holds what the file said under the same name as the daemon's own answer.
  if (!config_.status_file.empty() && !context.replay) {
    return read_status_file(config_.status_file, context);
  }

  std::array<HttpRequest, 3> requests{local_api_request(config_, "status", "status"),
                                      local_api_request(config_, "prefs", "prefs"),
                                      local_api_request(config_, "usermetrics", "usermetrics")};
  requests[0].body_limit = most_status_bytes;
  requests[2].extension = "txt";
  auto responses = context.http.fetch(requests, context.deadline, context.stop);
  const auto status = expect_success(std::move(responses[0]), requests[0]);
  if (!status) return std::unexpected(status.error());
  auto state = parse_status(status->body);
  if (!state) return std::unexpected(state.error().in("status"));

  if (auto url = optional_part<std::string>(std::move(responses[1]), requests[1], parse_control_url,
                                            context)) {
    if (!url->empty()) state->control_url = std::move(*url);
  }
  using Bytes = std::map<std::pair<std::string, std::string>, double>;
  if (auto bytes =
          optional_part<Bytes>(std::move(responses[2]), requests[2], parse_path_bytes, context)) {
    state->path_bytes = std::move(*bytes);
  }
  if (config_.path_mtu) state->path_mtus = path_mtu_.measure(*state, config_, context);
  return state;
}

}  // namespace shortcircuit::tailscale
