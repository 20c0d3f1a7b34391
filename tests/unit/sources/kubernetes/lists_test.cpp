// Paging, refused and absent kinds, and what they leave unknown.
#include <sys/resource.h>

#include "support/sanitized.h"
#include "unit/sources/kubernetes/poll.h"

using namespace shortcircuit;
using namespace shortcircuit::kubernetes;

namespace {

std::string node(const std::string& name) { return R"({"metadata":{"name":")" + name + R"("}})"; }

std::string in_namespace(const std::string& name) {
  return R"({"metadata":{"namespace":"shop","name":")" + name + R"("}})";
}

const HttpResponse forbidden{403, R"({"kind":"Status","code":403})", {}};
const HttpResponse not_found{404, "404 page not found\n", {}};

std::string token_of(const HttpRequest& request) {
  const auto at = request.url.find("&continue=");
  return at == std::string::npos ? "" : request.url.substr(at + 10);
}

}  // namespace

TEST_CASE("kubernetes: lists are read page by page") {
  const auto others = empty_cluster();
  const Poll poll(
      [&](const HttpRequest& request) -> Result<HttpResponse> {
        if (!request.answer.starts_with("nodes")) return others(request);
        const std::string token = token_of(request);
        if (token.empty()) return list_of(node("a"), "two=/+");
        if (token == "two%3D%2F%2B") return list_of(node("b"), "three");
        return list_of(node("c"));
      },
      false);
  CHECK(poll.state().nodes.items.size() == 3);
  CHECK(poll.http.count("nodes-page-2") == 1);
  CHECK(poll.http.count("nodes-page-3") == 1);
  CHECK(poll.http.count("services") == 1);
  CHECK(poll.notes.empty());
}

TEST_CASE("kubernetes: only GET, never Secrets, pods by selector") {
  const Poll poll(empty_cluster(), false);
  for (const HttpRequest& request : poll.http.requests) {
    CHECK(request.method == Method::get);
    CHECK(request.url.starts_with("https://api:6443/"));
    CHECK(request.url.find("secret") == std::string::npos);
    if (request.answer.starts_with("pods")) {
      CHECK(request.url.find("&labelSelector=") != std::string::npos);
    }
    CHECK(request.timeout);
  }
  CHECK(poll.http.rounds == 1);
}

TEST_CASE("kubernetes: an expired continue starts the list over, once") {
  const auto others = empty_cluster();
  const HttpResponse expired{410, R"({"kind":"Status","metadata":{"continue":"rest"}})", {}};
  int expiries = 1;
  const auto answer = [&](const HttpRequest& request) -> Result<HttpResponse> {
    if (!request.answer.starts_with("nodes")) return others(request);
    if (token_of(request).empty()) return list_of(node("a"), "two");
    CHECK(token_of(request) == "two");
    if (expiries-- > 0) return expired;
    return list_of(node("b"));
  };
  const Poll poll(answer, false);
  CHECK(poll.state().nodes.items.size() == 2);
  CHECK(poll.http.count("nodes") == 2);

  expiries = 2;
  const Poll twice(answer, false);
  CHECK_FALSE(twice.state().nodes.known());
  CHECK(twice.state().nodes.items.empty());
  CHECK(twice.state().services.known());
}

TEST_CASE("kubernetes: what is no list of the kind makes that kind unknown, not empty") {
  const auto error_of = [](const std::string& body) {
    const Poll poll(empty_cluster({{"ingresses", ok(body)}}), false);
    CHECK(poll.state().services.known());
    CHECK_FALSE(poll.state().ingresses.known());
    CHECK(poll.state().ingresses.error.failure == Failure::schema);
    return poll.state().ingresses.error.message;
  };
  CHECK(error_of(R"({"kind":"IngressList","metadata":{}})") ==
        "ingresses: items: want a list of objects, got nothing");
  CHECK(error_of(R"({"kind":"PodList","metadata":{},"items":[]})") ==
        "ingresses: kind: want the kind of a list of ingresses, got string");
  CHECK(error_of(R"({"kind":"List","metadata":{},"items":[]})") ==
        "ingresses: kind: want the kind of a list of ingresses, got string");
  CHECK(error_of(R"({"metadata":{},"items":[]})") == "ingresses: kind: want a string, got nothing");
  CHECK(error_of(R"({"kind":"IngressList","metadata":{},"items":{}})") != "");
}

TEST_CASE("kubernetes: a list without end is given up") {
  const auto others = empty_cluster();
  const Poll poll(
      [&](const HttpRequest& request) {
        return request.answer.starts_with("nodes") ? Result<HttpResponse>(list_of(node("a"), "on"))
                                                   : others(request);
      },
      false);
  CHECK(poll.state().nodes.error.failure == Failure::too_large);
}

TEST_CASE("kubernetes: a page that is too large is asked for in smaller ones") {
  const auto others = empty_cluster();
  const Poll poll(
      [&](const HttpRequest& request) -> Result<HttpResponse> {
        if (request.answer != "configmaps") return others(request);
        if (request.url.ends_with("limit=100")) return fail(Failure::too_large, "over the limit");
        return list_of(R"({"metadata":{"name":"a"},"data":{"X_PROXY":"http://10.0.0.1:1"}})");
      },
      false);
  CHECK(poll.state().config_maps.items.size() == 1);
  CHECK(poll.http.requests.back().url.ends_with("limit=10"));
}

TEST_CASE("kubernetes: a page that a recording lacks ends the list") {
  const Poll poll(
      empty_cluster({{"nodes", list_of(node("a"), "two")}, {"nodes-page-2", not_found}}));
  CHECK(poll.state().nodes.items.size() == 1);
  const Poll live(
      empty_cluster({{"nodes", list_of(node("a"), "two")}, {"nodes-page-2", not_found}}), false);
  CHECK_FALSE(live.state().nodes.known());
}

TEST_CASE("kubernetes: what fails blinds its own kind only") {
  const Poll poll(empty_cluster({{"nodes", forbidden},
                                 {"ingresses", fail(Failure::timeout, "ingresses: too late")},
                                 {"services", HttpResponse{500, "", {}}},
                                 {"configmaps", ok("{}")}}),
                  false);
  const State& state = poll.state();
  CHECK(state.nodes.error.failure == Failure::auth);
  CHECK(state.nodes.error.http_status == 403);
  CHECK(state.ingresses.error.failure == Failure::timeout);
  CHECK(state.services.error.failure == Failure::status);
  CHECK(state.config_maps.error.failure == Failure::schema);
  CHECK(state.deployments.status == Listed<Workload>::Status::listed);
  CHECK(poll.notes.size() == 4);
  CHECK(state.blind.size() == 4);
  CHECK(state.blind.at("nodes").failure == Failure::auth);
}

TEST_CASE("kubernetes: nothing readable fails the poll with its reason") {
  const Poll unauthorized([](const HttpRequest&) { return HttpResponse{401, "", {}}; }, false);
  REQUIRE_FALSE(unauthorized.result);
  CHECK(unauthorized.result.error().failure == Failure::auth);
  const Poll refused(
      [](const HttpRequest&) -> Result<HttpResponse> { return fail(Failure::connect, "refused"); },
      false);
  REQUIRE_FALSE(refused.result);
  CHECK(refused.result.error().failure == Failure::connect);
  // Some other server.
  const Poll other([](const HttpRequest&) { return not_found; }, false);
  REQUIRE_FALSE(other.result);
  CHECK(other.result.error().failure == Failure::status);
}

TEST_CASE("kubernetes: an absent CRD is an empty list, an absent core kind is not") {
  std::map<std::string, Result<HttpResponse>> answers;
  for (const std::string plural : {"middlewares", "middlewaretcps", "ingressroutes",
                                   "ingressroutetcps", "ingressrouteudps", "traefikservices"}) {
    answers.emplace(plural, not_found);
    answers.emplace(plural + "-containous", not_found);
  }
  answers.emplace("statefulsets", not_found);
  answers.emplace("endpointslices", not_found);
  answers.emplace("endpointslices-v1beta1", not_found);
  answers.emplace("cronjobs", not_found);
  const Poll poll(empty_cluster(answers), false);
  const State& state = poll.state();
  CHECK(state.middlewares.status == Listed<Middleware>::Status::absent);
  CHECK(state.ingress_route_udps.status == Listed<IngressRoute>::Status::absent);
  CHECK(state.endpoint_slices.status == Listed<EndpointSlice>::Status::absent);
  CHECK(state.cron_jobs.status == Listed<Workload>::Status::listed);  // batch/v1beta1
  CHECK(state.stateful_sets.error.failure == Failure::status);
  REQUIRE(poll.notes.size() == 1);
  // A recording that lacks it: unknown as well, but nobody failed.
  const Poll replayed(empty_cluster(answers));
  CHECK_FALSE(replayed.state().stateful_sets.known());
  CHECK(replayed.notes.empty());
}

TEST_CASE("kubernetes: both groups of Traefik's kinds") {
  const HttpResponse two = list_of(in_namespace("a") + "," + in_namespace("b"));
  const HttpResponse one = list_of(in_namespace("a"));
  SECTION("both installed: the new one wins, the rest is marked") {
    const Poll poll(empty_cluster({{"middlewares", one}, {"middlewares-containous", two}}), false);
    const auto& items = poll.state().middlewares.items;
    REQUIRE(items.size() == 2);
    CHECK_FALSE(items[0].old_group);
    CHECK((items[1].name.name == "b" && items[1].old_group));
  }
  SECTION("only the old one") {
    const Poll poll(empty_cluster({{"middlewares", not_found}, {"middlewares-containous", two}}),
                    false);
    CHECK(poll.state().middlewares.items.size() == 2);
    CHECK(poll.state().middlewares.status == Listed<Middleware>::Status::listed);
  }
  SECTION("a role that does not know the old one") {
    const Poll poll(empty_cluster({{"middlewares", one}, {"middlewares-containous", forbidden}}),
                    false);
    CHECK(poll.state().middlewares.items.size() == 1);
    CHECK(poll.notes.empty());
  }
  SECTION("the new one is absent and the old one forbidden: unknown") {
    const Poll poll(
        empty_cluster({{"middlewares", not_found}, {"middlewares-containous", forbidden}}), false);
    CHECK_FALSE(poll.state().middlewares.known());
  }
  SECTION("one of them fails: unknown") {
    const Poll poll(empty_cluster({{"middlewares", one},
                                   {"middlewares-containous", HttpResponse{500, "", {}}}}),
                    false);
    CHECK_FALSE(poll.state().middlewares.known());
    CHECK(poll.state().middlewares.items.empty());
  }
}

TEST_CASE("kubernetes: pods of waiting claims and of webhooks are asked for as well") {
  std::map<std::string, Result<HttpResponse>> answers{
      {"persistentvolumeclaims",
       list_of(R"({"metadata":{"namespace":"shop","name":"data"},"status":{"phase":"Pending"}},
                  {"metadata":{"namespace":"calm","name":"data"},"status":{"phase":"Bound"}})")},
      {"validatingwebhookconfigurations",
       list_of(R"({"metadata":{"name":"guard"},"webhooks":[{"name":"a","clientConfig":
                   {"service":{"namespace":"guards","name":"guard"}}}]})")},
      {"services", list_of(R"({"metadata":{"namespace":"guards","name":"guard"},
                               "spec":{"selector":{"app":"guard","tier":"1"}}})")},
      {"pods", list_of(in_namespace("lb"))},
      {"pods-claims-shop", list_of(in_namespace("lb") + "," + in_namespace("user"))},
      {"pods-webhook-guards-guard", list_of(in_namespace("guard"))}};
  const Poll poll(empty_cluster(answers), false);
  CHECK(poll.state().pods.items.size() == 3);
  CHECK(poll.http.count("pods-claims-calm") == 0);
  CHECK(poll.http.requests.back().url ==
        "https://api:6443/api/v1/namespaces/guards/"
        "pods?limit=500&labelSelector=app%3Dguard%2Ctier%3D1");
  // What they would have held is unknown.
  answers.at("pods-claims-shop") = HttpResponse{500, "", {}};
  const Poll broken(empty_cluster(answers), false);
  CHECK_FALSE(broken.state().pods.known());
  CHECK(broken.state().pods.items.empty());
}

TEST_CASE("kubernetes: 5,000 pods in pages stay small in memory") {
  // A pod as kubelets make them: about 5 KB, most of it managed fields and environment.
  const std::string filler(1500, 'x');
  std::string page_items;
  for (int i = 0; i < 500; ++i) {
    page_items += i == 0 ? "" : ",";
    page_items +=
        R"({"metadata":{"namespace":"shop","name":"pod-NNNN-)" + std::to_string(i) +
        R"(","labels":{"app":"shop"},"managedFields":[{"x":")" + filler +
        R"("}]},"spec":{"nodeName":"n","containers":[{"name":"c","env":[{"name":"A","value":")" +
        filler + R"("}],"args":[")" + filler + R"("]}]},"status":{"phase":"Running"}})";
  }
  const auto others = empty_cluster();
  rusage before{};
  getrusage(RUSAGE_SELF, &before);
  const Poll poll(
      [&](const HttpRequest& request) -> Result<HttpResponse> {
        if (request.answer != "pods" && !request.answer.starts_with("pods-page")) {
          return others(request);
        }
        const std::string token = token_of(request);
        const int page = token.empty() ? 1 : std::stoi(token);
        std::string items = page_items;
        const std::string number = std::to_string(1000 + page);
        for (std::size_t at = 0; (at = items.find("NNNN", at)) != std::string::npos;) {
          items.replace(at, 4, number);
        }
        return list_of(items, page == 10 ? "" : std::to_string(page + 1));
      },
      false);
  CHECK(poll.state().pods.items.size() == 5000);
  rusage after{};
  getrusage(RUSAGE_SELF, &after);
  CHECK((shortcircuit::testing::sanitized || after.ru_maxrss - before.ru_maxrss < 64 * 1024));
}

TEST_CASE("kubernetes: an entry of an Ingress's TLS without hosts means every host") {
  const auto others = empty_cluster();
  const auto read = [&](const std::string& tls, bool recorded) {
    const Poll poll(
        [&](const HttpRequest& request) -> Result<HttpResponse> {
          if (!request.answer.starts_with("ingresses")) return others(request);
          auto response = list_of(
              R"({"metadata":{"namespace":"shop","name":"front"},"spec":{"tls":)" + tls + "}}");
          if (recorded) response.body = reduce_for_recording("ingresses", response.body).value();
          return response;
        },
        false);
    return poll.state().ingresses.items[0];
  };
  for (const bool recorded : {false, true}) {
    CHECK(read(R"([{"hosts":["a.example"]},{"secretName":"own"}])", recorded).tls_for_every_host);
    const Ingress named = read(R"([{"hosts":["a.example","*.b.example"]}])", recorded);
    CHECK_FALSE(named.tls_for_every_host);
    CHECK(named.tls_hosts == std::vector<std::string>{"a.example", "*.b.example"});
    CHECK_FALSE(read("[]", recorded).tls_for_every_host);
  }
}
