#include "base/json.h"
#include "sources/traefik/parse.h"
#include "sources/traefik/source.h"
#include "support/catch.h"
#include "support/fake_http.h"

using namespace shortcircuit;
using namespace shortcircuit::traefik;

namespace {

const std::string night = SHORTCIRCUIT_RECORDINGS "/night/00-everything-broken/traefik";
const std::string layer3 = SHORTCIRCUIT_RECORDINGS "/layer3-middleware-broken/traefik";

struct Poll {
  explicit Poll(FakeHttp::Answer answer, bool replay = false) : http(std::move(answer)) {
    Config config;
    config.endpoint.url = "http://traefik:8080/";
    PollContext context{.http = http, .deadline = Deadline::after(5s), .stop = {}, .now = now()};
    context.replay = replay;
    state = Source(config).poll(context);
    notes = context.notes;
  }
  FakeHttp http;
  Result<State> state;
  std::vector<Error> notes;
};

std::string router(int number) {
  return R"({"name":"r)" + std::to_string(number) +
         R"x(@kubernetes","provider":"kubernetes","status":"enabled","rule":"Host(`a`)",)x"
         R"x("priority":99999999999999999999999})x";
}

// Three lists, two of them empty; routers in pages of one.
FakeHttp::Answer paged(int pages, int* refuse_page_once = nullptr) {
  return [=](const HttpRequest& request) -> Result<HttpResponse> {
    if (!request.answer.starts_with("http-routers")) {
      return request.answer.starts_with("http-")
                 ? ok("[]", {{"x-next-page", "1"}})
                 : (request.answer == "entrypoints"
                        ? ok("[]")
                        : ok(R"({"Version":"3.6.9","startDate":"2026-11-24T15:44:36.03Z",)"
                             R"("http":{},"providers":["KubernetesCRD"]})"));
    }
    const int page = std::stoi(request.url.substr(request.url.rfind('=') + 1));
    if (refuse_page_once != nullptr && *refuse_page_once == page) {
      *refuse_page_once = 0;
      return HttpResponse{400, R"({"message":"invalid request: page: 2, per_page: 100"})", {}};
    }
    const int next = page < pages ? page + 1 : 1;
    return ok("[" + router(page) + "]", {{"x-next-page", std::to_string(next)}});
  };
}

}  // namespace

TEST_CASE("traefik: the night's answers") {
  const Poll poll(answers_of(night));
  REQUIRE(poll.state);
  const State& state = *poll.state;
  CHECK(poll.notes.empty());
  CHECK_FALSE(state.version.empty());
  CHECK(state.started);
  CHECK(std::count(state.providers.begin(), state.providers.end(), "KubernetesIngress") == 1);
  CHECK(state.entry_points.size() >= 2);
  const auto count = [](const auto& items, std::int64_t expected) {
    return static_cast<std::int64_t>(items.size()) == expected;
  };
  CHECK(count(state.routers, state.router_counts.total));
  CHECK(count(state.services, state.service_counts.total));
  CHECK(count(state.middlewares, state.middleware_counts.total));
}

TEST_CASE("traefik: a missing middleware is the router's error") {
  const Poll poll(answers_of(layer3));
  REQUIRE(poll.state);
  int disabled = 0;
  for (const Router& router : poll.state->routers) {
    if (router.status != "disabled") continue;
    ++disabled;
    REQUIRE(router.errors.size() == 1);
    CHECK(router.errors[0].find("does not exist") != std::string::npos);
    CHECK(router.middlewares.size() == 1);
  }
  CHECK(disabled == poll.state->router_counts.errors);
  CHECK(disabled > 0);
}

TEST_CASE("traefik: what is served is asked for once, with the deadline, by GET") {
  const Poll poll(answers_of(night));
  CHECK(poll.http.rounds == 1);
  CHECK(poll.http.requests.size() == 6);
  for (const HttpRequest& request : poll.http.requests) {
    CHECK(request.method == Method::get);
    CHECK(request.url.starts_with("http://traefik:8080/api/"));
  }
}

TEST_CASE("traefik: a list is read in one piece, in small pages only where it is too large") {
  const auto serve = [](int limit) {
    return [limit](const HttpRequest& request) -> Result<HttpResponse> {
      if (!request.answer.starts_with("http-routers")) return paged(1)(request);
      const auto number = [&](std::string_view key) {
        return std::stoi(request.url.substr(request.url.find(key) + key.size()));
      };
      const int size = number("per_page=");
      const int page = number("&page=");
      if (size > limit) return fail(Failure::too_large, "more than 8388608 bytes");
      std::string body;
      for (int i = (page - 1) * size; i < std::min(250, page * size); ++i) {
        body += (body.empty() ? "" : ",") + router(i);
      }
      return ok("[" + body + "]",
                {{"x-next-page", std::to_string(page * size < 250 ? page + 1 : 1)}});
    };
  };
  const Poll whole(serve(10'000));
  REQUIRE(whole.state);
  CHECK(whole.state->routers.size() == 250);
  CHECK(whole.http.rounds == 1);
  const Poll in_pages(serve(100));
  REQUIRE(in_pages.state);
  CHECK(in_pages.state->routers.size() == 250);
  CHECK(in_pages.notes.empty());
  CHECK(in_pages.http.count("http-routers-page-3") == 1);
  const Poll never(serve(10));
  REQUIRE_FALSE(never.state);
  CHECK(never.state.error().failure == Failure::too_large);
}

TEST_CASE("traefik: pages are followed to the last one") {
  const Poll poll(paged(3));
  REQUIRE(poll.state);
  CHECK(poll.state->routers.size() == 3);
  CHECK(poll.http.count("http-routers-page-3") == 1);
  CHECK(poll.http.count("http-routers-page-4") == 0);
}

TEST_CASE("traefik: what stays as it is, is shared with the state before") {
  std::string routers = router(1) + "," + router(2);
  FakeHttp http([&](const HttpRequest& request) {
    return ok(request.answer == "http-routers" ? "[" + routers + "]"
              : request.answer == "version"    ? R"({"Version":"3.6.9"})"
                                               : "[]");
  });
  Source source(Config{});
  PollContext context{.http = http, .deadline = Deadline::after(5s), .stop = {}, .now = now()};
  const auto before = source.poll(context);
  REQUIRE(before);
  routers = router(2) + "," + router(3);
  const auto after = source.poll(context);
  REQUIRE(after);
  REQUIRE(after->routers.size() == 2);
  CHECK(&after->routers[0] == &before->routers[1]);
  CHECK(after->routers[1].name == "r3@kubernetes");
  CHECK(before->routers[0].name == "r1@kubernetes");
}

TEST_CASE("traefik: a page past the end starts the list over, once") {
  int refused = 2;
  const Poll again(paged(3, &refused));
  REQUIRE(again.state);
  CHECK(again.state->routers.size() == 3);
  CHECK(again.http.count("http-routers") == 2);

  const Poll never([](const HttpRequest& request) -> Result<HttpResponse> {
    if (request.answer.find("-page-2") != std::string::npos) return HttpResponse{400, "", {}};
    return ok("[]", {{"x-next-page", "2"}});
  });
  REQUIRE_FALSE(never.state);
  CHECK(never.state.error().failure == Failure::status);
  CHECK(never.http.count("http-routers") == 2);
}

TEST_CASE("traefik: a replay without further pages is one list") {
  const auto folder = answers_of(night);
  const Poll poll(
      [&](const HttpRequest& request) {
        auto response = folder(request);
        if (response->status == 200) response->headers = {{"x-next-page", "2"}};
        return response;
      },
      true);
  REQUIRE(poll.state);
  CHECK_FALSE(poll.state->routers.empty());
}

TEST_CASE("traefik: refusals say what to do") {
  const Poll unauthorized([](const HttpRequest&) { return HttpResponse{401, "", {}}; });
  REQUIRE_FALSE(unauthorized.state);
  CHECK(unauthorized.state.error().failure == Failure::auth);
  const Poll absent([](const HttpRequest&) { return HttpResponse{404, "", {}}; });
  REQUIRE_FALSE(absent.state);
  CHECK(absent.state.error().failure == Failure::status);
  CHECK(absent.state.error().message.find("api.insecure") != std::string::npos);
}

TEST_CASE("traefik: a list that is not read fails the poll, other answers are noted") {
  const Poll lists(answers_of(night, {{"http-services", fail(Failure::timeout, "too late")}}));
  REQUIRE_FALSE(lists.state);
  CHECK(lists.state.error().failure == Failure::timeout);
  const Poll rest(answers_of(night, {{"overview", HttpResponse{500, "", {}}}}));
  REQUIRE(rest.state);
  REQUIRE(rest.notes.size() == 1);
  CHECK(rest.notes[0].failure == Failure::status);
  CHECK(rest.state->providers.empty());
}

TEST_CASE("traefik: wrong shapes are errors that name the place") {
  State state;
  CHECK(parse_routers(R"({"routers":[]})", state).error().failure == Failure::schema);
  CHECK(parse_routers("null", state).error().failure == Failure::schema);
  CHECK(parse_routers(R"([{"name":7}])", state).error().message ==
        "[0].name: want a string, got number");
  CHECK(parse_routers("[", state).error().failure == Failure::syntax);
  CHECK(parse_overview("[]", state).error().failure == Failure::schema);
  CHECK(parse_version("{}", state).error().failure == Failure::schema);
  REQUIRE(parse_services(R"([{"name":"a@file","error":"one text","loadBalancer":
                             {"servers":[{"url":"http://user:s3cret@host/"}]}}])",
                         state));
  CHECK(state.services[0].provider == "file");
  CHECK(state.services[0].errors == std::vector<std::string>{"one text"});
  CHECK(state.services[0].server_urls == std::vector<std::string>{"http://host/"});
}

TEST_CASE("traefik: servers that its own health check calls DOWN are counted") {
  const std::string servers = R"("name":"a@kubernetes","loadBalancer":{"servers":[
      {"url":"http://user:s3cret@10.0.0.1:80"},{"url":"http://10.0.0.2:80"}]})";
  const auto down = [&](const std::string& status) {
    State state;
    REQUIRE(parse_services("[{" + servers + status + "}]", state));
    return state.services[0].servers_down;
  };
  const std::string all =
      R"(,"serverStatus":{"http://user:s3cret@10.0.0.1:80":"DOWN","http://10.0.0.2:80":"DOWN"})";
  CHECK(down(all) == 2);
  CHECK(down(R"(,"serverStatus":{"http://10.0.0.2:80":"DOWN","http://10.0.0.9:80":"DOWN"})") == 1);
  CHECK(down(R"(,"serverStatus":{"http://10.0.0.2:80":"UP"})") == 0);
  CHECK(down("") == 0);
  const auto kept = reduce_for_recording("http-services", "[{" + servers + all + "}]");
  REQUIRE(kept);
  CHECK(kept->find("s3cret") == std::string::npos);
  const auto strange =
      reduce_for_recording("http-services", R"([{"serverStatus":{"x":"s3cret"}}])");
  REQUIRE(strange);
  CHECK(strange->find("s3cret") == std::string::npos);
  State state;
  REQUIRE(parse_services(*kept, state));
  CHECK(state.services[0].servers_down == 2);
}

TEST_CASE("traefik: metrics count what is the user's, all statuses always") {
  auto state = std::make_shared<State>();
  state->version = "3.6.9";
  state->routers = {{.name = "a@file", .provider = "file", .status = "enabled"},
                    {.name = "b@file", .provider = "file", .status = "disabled"},
                    {.name = "ping@internal", .provider = "internal", .status = "enabled"}};
  MetricSet metrics;
  describe({Observed<State>{.state = state}}, metrics);
  const std::string text = render_text(metrics);
  CHECK(text.find("shortcircuit_traefik_routers{status=\"disabled\"} 1\n") != std::string::npos);
  CHECK(text.find("shortcircuit_traefik_routers{status=\"enabled\"} 1\n") != std::string::npos);
  CHECK(text.find("shortcircuit_traefik_routers{status=\"warning\"} 0\n") != std::string::npos);
  CHECK(text.find("shortcircuit_traefik_info{version=\"3.6.9\"} 1\n") != std::string::npos);
  MetricSet unknown;
  describe({Observed<State>{}}, unknown);
  CHECK(unknown.families().empty());
}

TEST_CASE("traefik: errors quote no secret, and say all the rest") {
  const auto shown = [](const std::string& text) { return shown_error(text); };
  CHECK(shown("error parsing BasicUser: admin:$apr1$s3cret") ==
        "error parsing BasicUser (withheld)");
  CHECK(shown("middleware \"x@file\": error parsing DigestUser: u:r:s3cret") ==
        "middleware \"x@file\": error parsing DigestUser (withheld)");
  CHECK(shown("parse \"http://user:s3cret@host:80x\": invalid port") ==
        "parse \"http://host:80x\": invalid port");
  CHECK(shown("error while parsing rule Header(`X`, `s3cret`) && Hots(`a`): unknown") ==
        "error while parsing rule Header(`X`, `withheld`) && Hots(`a`): unknown");
  for (const std::string innocent :
       {"middleware \"web-auth@kubernetescrd\" does not exist", "the service \"x@file\" is missing",
        "invalid CIDR address: 10.0.0.0/99"}) {
    CHECK(shown(innocent) == innocent);
  }
  // In whatever form the answer has them: findings, pages and recordings are made of these.
  State state;
  REQUIRE(parse_middlewares(R"x([{"name":"a@file","error":["error parsing BasicUser: u:s3cret"]},)x"
                            R"x({"name":"b@file","error":"error parsing BasicUser: u:s3cret"}])x",
                            state));
  for (const auto& middleware : state.middlewares) {
    CHECK(middleware.errors == std::vector<std::string>{"error parsing BasicUser (withheld)"});
  }
}

TEST_CASE("traefik: a recording keeps rules and errors without their secrets") {
  const std::string items =
      R"x([{"name":"a@file","error":["error parsing BasicUser: u:s3cret"],)x"
      R"x("rule":"Host(`h`) && Header(`X`, `s3cret`)"},)x"
      R"x({"name":"b@file","error":"error parsing DigestUser: u:s3cret","rule":"Host(`k`)"}])x";
  for (const auto* answer : {"http-routers", "http-services", "http-middlewares-page-2"}) {
    CAPTURE(answer);
    const auto kept = reduce_for_recording(answer, items);
    REQUIRE(kept);
    CHECK_FALSE(kept->contains("s3cret"));
    CHECK(kept->contains("error parsing BasicUser (withheld)"));
    CHECK(kept->contains("Host(`k`)") == std::string_view(answer).starts_with("http-routers"));
  }
}

TEST_CASE("traefik: a router has TLS, with or without anything in it, and in a recording too") {
  const std::string routers =
      R"([{"name":"a@file","tls":{}},{"name":"b@file"},{"name":"c@file","tls":null},
          {"name":"d@file","tls":{"options":"strict@file","certResolver":"s3cret"}}])";
  const auto kept = reduce_for_recording("http-routers", routers);
  REQUIRE(kept);
  CHECK_FALSE(kept->contains("s3cret"));
  for (const std::string& body : {routers, *kept}) {
    State state;
    REQUIRE(parse_routers(body, state));
    REQUIRE(state.routers.size() == 4);
    CHECK(state.routers[0].tls);
    CHECK_FALSE(state.routers[1].tls);
    CHECK_FALSE(state.routers[2].tls);
    CHECK(state.routers[3].tls);
  }
}

TEST_CASE("traefik: a recording replays alike and keeps no secret") {
  const auto folder = answers_of(night);
  const Poll poll([&](const HttpRequest& request) {
    auto response = folder(request);
    auto reduced = reduce_for_recording(request.answer, response->body);
    REQUIRE(reduced);
    response->body = *reduced;
    return response;
  });
  const Poll original(folder);
  REQUIRE(poll.state);
  CHECK(poll.state->routers.size() == original.state->routers.size());
  CHECK(poll.state->services.size() == original.state->services.size());
  CHECK(poll.state->providers == original.state->providers);
  CHECK(poll.state->version == original.state->version);

  const std::string planted = "s3cret";
  for (const std::string answer :
       {"http-middlewares", "http-middlewares-page-2", "http-services"}) {
    const auto reduced = reduce_for_recording(
        answer,
        R"([{"name":"auth@file","basicAuth":{"users":["a:s3cret"]},"headers":{"X":"s3cret"},
             "loadBalancer":{"servers":[{"url":"http://u:s3cret@h/"}],"sticky":{"cookie":"s3cret"}}}])");
    REQUIRE(reduced);
    CHECK(reduced->find(planted) == std::string::npos);
  }
  CHECK_FALSE(reduce_for_recording("unknown", "{}"));
}

TEST_CASE("traefik: the legs of services that hand requests on") {
  const std::string services = R"([
      {"name":"w@file","weighted":{"services":[{"name":"a","weight":1},{"name":"b@docker"},
          {"name":"idle","weight":0}]}},
      {"name":"h@file","highestRandomWeight":{"services":[{"name":"a","weight":3}]}},
      {"name":"m@file","mirroring":{"service":"a","mirrors":[{"name":"copy"}]}},
      {"name":"f@file","failover":{"service":"a","fallback":"b"}},
      {"name":"a@file","loadBalancer":{"servers":[{"url":"http://10.0.0.1"}]}}])";
  const auto kept = reduce_for_recording("http-services", services);
  REQUIRE(kept);
  for (const std::string& body : {services, *kept}) {
    State state;
    REQUIRE(parse_services(body, state));
    std::vector<std::vector<std::string>> legs;
    for (const auto& service : state.services) legs.push_back(service.legs);
    CHECK(legs ==
          std::vector<std::vector<std::string>>{{"a", "b@docker"}, {"a"}, {"a"}, {"a", "b"}, {}});
  }
}
