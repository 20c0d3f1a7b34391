#include "sources/kubernetes/lists.h"

#include <fmt/format.h>

#include "base/text.h"

namespace shortcircuit::kubernetes {
namespace {

constexpr std::size_t page_limit_bytes = 16U << 20;
constexpr int most_pages = 2000;

std::string encoded(std::string_view text) {
  std::string result;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '_' || c == '.' || c == '~';
    if (plain) {
      result += c;
    } else {
      result += fmt::format("%{:02X}", byte);
    }
  }
  return result;
}

// `IngressList` of `ingresses`.
bool is_list_of(std::string_view kind, std::string_view resource) {
  constexpr std::string_view ending = "List";
  if (!kind.ends_with(ending)) return false;
  kind.remove_suffix(ending.size());
  const std::string singular = to_lower(kind);
  return resource == singular || resource == singular + "s" || resource == singular + "es";
}

HttpRequest request_of(const List& list, const std::string& base) {
  HttpRequest request;
  request.answer = list.page == 1 ? list.answer : fmt::format("{}-page-{}", list.answer, list.page);
  request.url = base + list.path;
  if (list.limit > 0) request.url += fmt::format("?limit={}", list.limit);
  if (!list.selector.empty()) request.url += "&labelSelector=" + encoded(list.selector);
  if (!list.continue_token.empty()) request.url += "&continue=" + encoded(list.continue_token);
  request.headers = {{"Accept", "application/json"}};
  request.body_limit = page_limit_bytes;
  return request;
}

void start_over(List& list) {
  list.clear();
  list.page = 1;
  list.continue_token.clear();
}

void give_up(List& list, Error error) {
  list.clear();
  list.outcome = List::Outcome::failed;
  list.error = std::move(error);
}

// Statuses that are part of the protocol; true when the list is settled or asks anew.
bool took_status(List& list, int status, bool replay) {
  if (status == 404 && list.page > 1 && replay) {  // a recording holds the list in one piece
    list.outcome = List::Outcome::listed;
    return true;
  }
  if (status == 404 && list.page == 1) {
    if (list.fallback_path.empty()) {
      list.outcome = List::Outcome::not_found;
    } else {
      list.path = std::exchange(list.fallback_path, "");
      list.answer += "-" + list.fallback_suffix;
    }
    return true;
  }
  if (status == 410 && list.page > 1 && !list.started_over) {
    list.started_over = true;
    start_over(list);
    return true;
  }
  return false;
}

void take(List& list, const HttpRequest& request, const Result<HttpResponse>& response,
          bool replay) {
  if (response && took_status(list, response->status, replay)) return;
  const auto answer = expect_success(response, request);
  if (!answer) {
    constexpr int smaller = 10;
    if (answer.error().failure == Failure::too_large && !list.made_smaller) {
      list.made_smaller = true;
      list.limit /= smaller;
      start_over(list);
      return;
    }
    return give_up(list, answer.error());
  }
  auto token = list.read(answer->body);
  if (!token) return give_up(list, token.error().in(request.answer));
  if (token->empty()) {
    list.outcome = List::Outcome::listed;
  } else if (list.page == most_pages || *token == list.continue_token) {
    give_up(list, {Failure::too_large, fmt::format("{}: the list has no end", list.answer)});
  } else {
    list.continue_token = std::move(*token);
    ++list.page;
  }
}

}  // namespace

std::vector<std::size_t> by_name(Order& order) {
  std::ranges::sort(order);
  std::vector<std::size_t> places;
  places.reserve(order.size());
  for (const auto& [name, place] : order) places.push_back(place);
  return places;
}

Result<std::string> List::read(std::string_view body) {
  std::string token;
  const auto parsed = read_json(body, [&](JsonView root) {
    const std::string resource = path.substr(path.rfind('/') + 1);
    if (!is_list_of(root["kind"].string(), resource))
      root["kind"].wrong(fmt::format("the kind of a list of {}", resource));
    // An answer without them is no list: nothing is there only where it says so.
    if (!root.has("items")) root["items"].wrong("a list of objects");
    for (const JsonView& object : root["items"].items()) add(object);
    token = root["metadata"]["continue"].string_or("");
    const JsonView version = root["metadata"]["resourceVersion"];
    resource_version = version.is_string() ? version.string() : "";
  });
  if (!parsed) return std::unexpected(parsed.error());
  return token;
}

std::vector<ObjectName> List::unexplained(const List& listed) const {
  using Items = std::map<ObjectName, std::vector<const void*>>;
  const auto items_of = [](const List& list) {
    Items items;
    for (const auto& [name, item] : list.elements()) items[name].push_back(item);
    return items;
  };
  const Items here = items_of(*this);
  const Items there = items_of(listed);
  std::vector<ObjectName> names;
  for (const auto& [name, items] : here) {
    const auto found = there.find(name);
    const bool same = found != there.end() &&
                      std::ranges::equal(items, found->second,
                                         [&](const void* a, const void* b) { return equal(a, b); });
    if (!same && !awaits(name)) names.push_back(name);
  }
  for (const auto& [name, items] : there) {
    if (!here.contains(name) && !awaits(name)) names.push_back(name);
  }
  return names;
}

Result<std::string> VersionAnswer::read(std::string_view body) {
  const auto parsed = read_json(body, [&](JsonView root) { add(root); });
  if (!parsed) return std::unexpected(parsed.error());
  return "";
}

void read_lists(std::span<List* const> lists, PollContext& context, const std::string& base) {
  while (true) {
    std::vector<List*> asked;
    std::vector<HttpRequest> requests;
    for (List* list : lists) {
      if (list->outcome != List::Outcome::asking) continue;
      asked.push_back(list);
      requests.push_back(request_of(*list, base));
      requests.back().timeout = context.deadline.remaining() * 2 / 3;
    }
    if (requests.empty()) return;
    auto responses = context.http.fetch(requests, context.deadline, context.stop);
    for (std::size_t i = 0; i < asked.size(); ++i) {
      take(*asked[i], requests[i], responses[i], context.replay);
      if (responses[i]) std::string().swap(responses[i]->body);
    }
  }
}

HttpRequest watch_request(const List& list, const std::string& base, std::chrono::seconds lasting) {
  HttpRequest request;
  request.answer = list.answer + "-watch";
  request.url = fmt::format(
      "{}{}?watch=1&allowWatchBookmarks=true&resourceVersion={}"
      "&timeoutSeconds={}",
      base, list.path, encoded(list.resource_version), lasting.count());
  if (!list.selector.empty()) request.url += "&labelSelector=" + encoded(list.selector);
  request.headers = {{"Accept", "application/json"}};
  return request;
}

}  // namespace shortcircuit::kubernetes
