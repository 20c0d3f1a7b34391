#include "sources/traefik/source.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <set>

#include "base/text.h"
#include "sources/traefik/parse.h"

namespace shortcircuit::traefik {
namespace {

// All in one piece, so that nothing moves between two pages and is missed: measured, Traefik gives
// 500 routers in one page of 10,000 as fast as in five. What does not fit is read in small ones.
constexpr int whole_list = 10'000;
constexpr int small_page = 100;
constexpr std::size_t list_limit = 8U << 20;
constexpr int most_pages = 1000;

using Parse = Result<void> (*)(std::string_view, State&);

// One answer, or one list that may have several pages.
struct Part {
  std::string_view answer;
  std::string_view path;
  bool list = false;
  Parse parse = nullptr;

  int per_page = whole_list;
  int page = 1;
  bool started_over = false;
  bool done = false;
  State read = {};  // only this part's fields
  std::optional<Error> error = std::nullopt;
};

HttpRequest request_of(const Part& part, const std::string& base) {
  HttpRequest request;
  request.answer =
      part.page == 1 ? std::string(part.answer) : fmt::format("{}-page-{}", part.answer, part.page);
  request.url = base + std::string(part.path);
  if (part.list) {
    request.url += fmt::format("?per_page={}&page={}", part.per_page, part.page);
    request.body_limit = list_limit;
  }
  request.headers = {{"Accept", "application/json"}};
  return request;
}

// The page that follows, 0 after the last one (Traefik says 1 then).
int next_page(const HttpResponse& response, int page) {
  const std::string header = response.header("x-next-page");
  int next = 0;
  std::from_chars(header.data(), header.data() + header.size(), next);
  return next > page ? next : 0;
}

Error explained(const Error& error) {
  if (error.http_status == 404) {
    return {error.failure,
            fmt::format("{}, which is not Traefik's API: enable it (api.insecure serves it on the "
                        "entry point `traefik`), or give the URL and host name of the router that "
                        "serves api@internal",
                        error.message),
            error.http_status};
  }
  return error;
}

void take(Part& part, const HttpRequest& request, const Result<HttpResponse>& response,
          bool replay) {
  const int status = response ? response->status : 0;
  if (part.page > 1 && replay && status == 404) {  // a recording may hold the list in one piece
    part.done = true;
    return;
  }
  if (part.page > 1 && status == 400 && !part.started_over) {  // routers vanished between pages
    part.read = {};
    part.page = 1;
    part.started_over = true;
    return;
  }
  const bool too_large = !response && response.error().failure == Failure::too_large;
  if (part.list && too_large && part.per_page != small_page) {
    part.read = {};
    part.page = 1;
    part.per_page = small_page;
    return;
  }
  part.done = true;
  const auto answer = expect_success(response, request);
  if (!answer) {
    part.error = explained(answer.error());
    return;
  }
  if (const auto parsed = part.parse(answer->body, part.read); !parsed) {
    part.error = parsed.error().in(request.answer);
    return;
  }
  const int next = part.list ? next_page(*answer, part.page) : 0;
  if (next > most_pages) {
    part.error =
        Error{Failure::too_large, fmt::format("{}: more than {} pages", part.answer, most_pages)};
  } else if (next > 0) {
    part.page = next;
    part.done = false;
  }
}

// An object that moved between two pages is seen twice.
template <class Item>
SharedVector<Item> once_each(SharedVector<Item> items, const SharedVector<Item>& before) {
  SharedWith<Item> shared(before,
                          [](const Item& item) { return std::hash<std::string>{}(item.name); });
  SharedVector<Item> each;
  std::set<std::string> seen;
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (seen.insert(items[i].name).second) shared.add(each, std::move(items[i]));
  }
  return each;
}

}  // namespace

// The three lists are needed: a router that was not read must not look like one that is missing.
// Without one of the others the rest is still worth having.
Result<State> Source::poll(PollContext& context) {
  const std::string base = without_slash(config_.endpoint.url);
  std::array parts{Part{"http-routers", "/api/http/routers", true, parse_routers},
                   Part{"http-services", "/api/http/services", true, parse_services},
                   Part{"http-middlewares", "/api/http/middlewares", true, parse_middlewares},
                   Part{"version", "/api/version", false, parse_version},
                   Part{"overview", "/api/overview", false, parse_overview},
                   Part{"entrypoints", "/api/entrypoints", false, parse_entry_points}};
  while (true) {
    std::vector<Part*> asked;
    std::vector<HttpRequest> requests;
    for (Part& part : parts) {
      if (part.done) continue;
      asked.push_back(&part);
      requests.push_back(request_of(part, base));
      // One that hangs must leave time for the further pages of the lists.
      if (!part.list) requests.back().timeout = context.deadline.remaining() * 2 / 3;
    }
    if (requests.empty()) break;
    const auto responses = context.http.fetch(requests, context.deadline, context.stop);
    for (std::size_t i = 0; i < asked.size(); ++i) {
      take(*asked[i], requests[i], responses[i], context.replay);
    }
  }
  for (std::size_t i = 0; i < 3; ++i) {
    if (parts[i].error) return std::unexpected(*parts[i].error);
  }
  for (std::size_t i = 3; i < parts.size(); ++i) {
    const auto& error = parts[i].error;
    if (error && !(context.replay && error->http_status == 404)) context.note(*error);
  }
  State state;
  state.routers = once_each(std::move(parts[0].read.routers), last_.routers);
  state.services = once_each(std::move(parts[1].read.services), last_.services);
  state.middlewares = once_each(std::move(parts[2].read.middlewares), last_.middlewares);
  state.version = parts[3].read.version;
  state.started = parts[3].read.started;
  state.providers = parts[4].read.providers;
  state.router_counts = parts[4].read.router_counts;
  state.service_counts = parts[4].read.service_counts;
  state.middleware_counts = parts[4].read.middleware_counts;
  state.entry_points = std::move(parts[5].read.entry_points);
  last_ = state;
  return state;
}

}  // namespace shortcircuit::traefik
