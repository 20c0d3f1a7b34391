// What is read of Traefik's objects, from the API server and from what is recorded of it alike.
#include "unit/sources/kubernetes/poll.h"

using namespace shortcircuit;
using namespace shortcircuit::kubernetes;

namespace {

// The same list with what a recording keeps of it.
HttpResponse as_recorded(const std::string& kind, const HttpResponse& answer) {
  const auto reduced = reduce_for_recording(kind, answer.body);
  REQUIRE(reduced);
  return ok(*reduced);
}

// One answer of a cluster that is otherwise empty; the two readings are compared.
State read_twice(const std::string& kind, const std::string& items) {
  const HttpResponse answer = list_of(items);
  const Poll asked(empty_cluster({{kind, answer}}));
  const Poll recorded(empty_cluster({{kind, as_recorded(kind, answer)}}));
  CHECK(asked.state() == recorded.state());
  CHECK(asked.notes.empty());
  return asked.state();
}

std::vector<std::string> idle_names(const std::vector<ServiceReference>& references) {
  std::vector<std::string> names;
  for (const ServiceReference& reference : references) {
    if (reference.idle) names.push_back(reference.name);
  }
  return names;
}

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("kubernetes: legs that nobody waits for") {
  const State state = read_twice(
      "traefikservices",
      R"({"metadata":{"namespace":"shop","name":"weighted"},"spec":{"weighted":{"services":[
           {"name":"a","port":80,"weight":3},{"name":"b","port":80,"weight":0},
           {"name":"c","port":80}]}}},
         {"metadata":{"namespace":"shop","name":"none"},"spec":{"weighted":{"services":[
           {"name":"a","port":80,"weight":0}]}}},
         {"metadata":{"namespace":"shop","name":"mirroring"},"spec":{"mirroring":{
           "name":"a","port":80,"mirrors":[{"name":"b","port":80,"percent":10},
           {"name":"c","kind":"TraefikService"}]}}},
         {"metadata":{"namespace":"shop","name":"failover"},"spec":{"failover":{
           "service":{"name":"a","port":80},"fallback":{"name":"b","port":80}}}})");
  const auto& items = state.traefik_services.items;
  REQUIRE(items.size() == 4);
  CHECK(idle_names(items[0].services) == Names{"b"});
  CHECK(idle_names(items[1].services).empty());  // there is no other
  CHECK(idle_names(items[2].services) == Names{"b", "c"});
  CHECK(idle_names(items[3].services) == Names{"b"});
}

TEST_CASE("kubernetes: one Service of a route gets its requests whatever its weight is") {
  const State state =
      read_twice("ingressroutes",
                 R"--({"metadata":{"namespace":"shop","name":"front"},"spec":{"routes":[
           {"match":"Host(`a.example`)","services":[{"name":"a","port":80,"weight":0}]},
           {"match":"Host(`b.example`)","services":[{"name":"a","port":80},
             {"name":"b","port":80,"weight":0}]}]}})--");
  const auto& rules = state.ingress_routes.items[0].rules;
  CHECK(idle_names(rules[0].services).empty());
  CHECK(idle_names(rules[1].services) == Names{"b"});
}

TEST_CASE("kubernetes: what Middlewares ask, without what may be a secret") {
  const auto middleware = [](const std::string& address) {
    const State state = read_twice(
        "middlewares",
        R"({"metadata":{"namespace":"a","name":"m"},"spec":{"forwardAuth":{"address":")" + address +
            R"("},"errors":{"status":["500"],"service":{"name":"pages","port":80}}}})");
    return state.middlewares.items[0];
  };
  const Middleware plain =
      middleware("http://authelia.auth.svc.cluster.local/api/verify?rd=secret");
  CHECK(plain.forward_address == "http://authelia.auth.svc.cluster.local");
  REQUIRE(plain.error_pages);
  CHECK(plain.error_pages->name == "pages");
  CHECK(plain.error_pages->port == "80");
  CHECK(middleware("https://user:secret@10.67.0.3:9091/x").forward_address ==
        "https://10.67.0.3:9091");
  CHECK(middleware("http://[fd00::3]:9091/x").forward_address == "http://[fd00::3]:9091");
  for (const auto* address : {"http://user:12/secret@10.67.0.3", "secret", "", "http://"}) {
    CHECK(middleware(address).forward_address.empty());
  }
  const auto reduced = reduce_for_recording(
      "middlewares",
      R"({"items":[{"metadata":{"name":"m"},"spec":{"forwardAuth":{"address":"http://u:secret@h/secret?secret#secret",
      "authRequestHeaders":["secret"],"tls":{"caSecret":"secret"}},"basicAuth":{"secret":"secret"}}}]})");
  REQUIRE(reduced);
  CHECK(reduced->find("http://h") != std::string::npos);
  CHECK(reduced->find("secret") == std::string::npos);
}
