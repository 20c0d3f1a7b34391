#include "sources/traefik/parse.h"

#include "base/json.h"
#include "base/matched_values.h"
#include "base/text.h"

namespace shortcircuit::traefik {
namespace {

// One text or a list of them.
std::vector<std::string> errors_of(JsonView object) {
  const JsonView error = object["error"];
  std::vector<std::string> errors =
      error.is_string() ? std::vector{error.string()} : error.strings();
  for (std::string& text : errors) text = shown_error(text);
  return errors;
}

// `name@provider` when the answer has no provider of its own (Traefik 2.0).
std::string provider_of(JsonView object, const std::string& name) {
  const std::string provider = object["provider"].string_or("");
  const auto at = name.rfind('@');
  return provider.empty() && at != std::string::npos ? name.substr(at + 1) : provider;
}

// What routers, services and middlewares have in common.
template <class Item>
Item named(JsonView object) {
  Item item;
  item.name = object["name"].string();
  item.provider = provider_of(object, item.name);
  item.status = object["status"].string_or("");
  item.errors = errors_of(object);
  return item;
}

std::vector<std::string> legs_of(JsonView service) {
  std::vector<std::string> legs;
  const auto add = [&](JsonView name) {
    const std::string text = name.string_or("");
    if (!text.empty()) legs.push_back(text);
  };
  for (const char* type : {"weighted", "highestRandomWeight"}) {
    for (const JsonView& leg : service[type]["services"].items()) {
      if (leg["weight"].integer_or(1) != 0) add(leg["name"]);
    }
  }
  add(service["mirroring"]["service"]);
  add(service["failover"]["service"]);
  add(service["failover"]["fallback"]);
  return legs;
}

Counts counts(JsonView view) {
  return {.total = view["total"].integer_or(0),
          .warnings = view["warnings"].integer_or(0),
          .errors = view["errors"].integer_or(0)};
}

void each(JsonView list, const std::function<void(JsonView)>& read) {
  if (!list.is_array()) list.wrong("a list");
  for (const JsonView& item : list.items()) read(item);
}

}  // namespace

std::string shown_error(std::string_view error) {
  std::string text = without_matched_values(without_userinfos(error));
  for (const std::string_view before : {"error parsing BasicUser", "error parsing DigestUser"}) {
    const auto found = text.find(before);
    if (found != std::string::npos) text = text.substr(0, found + before.size()) + " (withheld)";
  }
  return text;
}

Result<void> parse_version(std::string_view body, State& state) {
  return read_json(body, [&](JsonView root) {
    state.version = root["Version"].string();
    state.started = root["startDate"].time();
  });
}

Result<void> parse_overview(std::string_view body, State& state) {
  return read_json(body, [&](JsonView root) {
    const JsonView http = root["http"];
    if (!http.is_object()) http.wrong("an object");
    state.router_counts = counts(http["routers"]);
    state.service_counts = counts(http["services"]);
    state.middleware_counts = counts(http["middlewares"]);
    state.providers = root["providers"].strings();
  });
}

Result<void> parse_entry_points(std::string_view body, State& state) {
  return read_json(body, [&](JsonView root) {
    each(root, [&](JsonView item) {
      state.entry_points.push_back(
          {.name = item["name"].string(), .address = item["address"].string_or("")});
    });
  });
}

Result<void> parse_routers(std::string_view body, State& state) {
  return read_json(body, [&](JsonView root) {
    each(root, [&](JsonView item) {
      auto router = named<Router>(item);
      router.rule = item["rule"].string_or("");
      router.service = item["service"].string_or("");
      router.entry_points = item["entryPoints"].strings();
      router.middlewares = item["middlewares"].strings();
      router.tls = !item["tls"].missing();  // `{}` is all that there mostly is
      state.routers.push_back(std::move(router));
    });
  });
}

Result<void> parse_services(std::string_view body, State& state) {
  return read_json(body, [&](JsonView root) {
    each(root, [&](JsonView item) {
      auto service = named<Service>(item);
      service.type = item["type"].string_or("");
      for (const JsonView& server : item["loadBalancer"]["servers"].items()) {
        const std::string url = server["url"].string_or("");
        if (item["serverStatus"][url].string_or("") == "DOWN") ++service.servers_down;
        service.server_urls.push_back(without_userinfo(url));
      }
      service.legs = legs_of(item);
      state.services.push_back(std::move(service));
    });
  });
}

Result<void> parse_middlewares(std::string_view body, State& state) {
  return read_json(body, [&](JsonView root) {
    each(root, [&](JsonView item) {
      auto middleware = named<Middleware>(item);
      middleware.type = item["type"].string_or("");
      state.middlewares.push_back(std::move(middleware));
    });
  });
}

}  // namespace shortcircuit::traefik
