// Numbers that cannot be: the kind is unknown then, and the place is named. Half a list, or a port
// that was cut to 16 bits, would be an answer.
#include "unit/sources/kubernetes/poll.h"

using namespace shortcircuit;
using namespace shortcircuit::kubernetes;

namespace {

struct Number {
  std::string kind;
  std::string object;  // with @ for the number
  std::string place;
  long long most;  // the largest that can be
};

std::vector<std::string> unknown_kinds(const State& state) {
  std::vector<std::string> kinds;
  for (const auto& [kind, error] : state.blind) kinds.push_back(kind);
  return kinds;
}

HttpResponse with(const Number& number, const std::string& value) {
  std::string object = number.object;
  object.replace(object.find('@'), 1, value);
  return list_of(R"({"metadata":{"namespace":"shop","name":"a"},)" + object + "}");
}

}  // namespace

TEST_CASE("kubernetes: a number that cannot be makes its kind unknown and is named") {
  constexpr long long port = 65535;
  constexpr long long count = 2147483647;
  const auto number = GENERATE(values<Number>({
      {"services", R"("spec":{"ports":[{"port":@}]})", "items[0].spec.ports[0].port", port},
      {"endpoints", R"("subsets":[{"ports":[{"port":@}]}])", "items[0].subsets[0].ports[0].port",
       port},
      {"endpointslices", R"("ports":[{"port":@}])", "items[0].ports[0].port", port},
      {"ingresses",
       R"("spec":{"rules":[{"host":"h","http":{"paths":[{"path":"/","backend":{"service":{"name":"s","port":{"number":@}}}}]}}]})",
       "items[0].spec.rules[0].http.paths[0].backend.service.port.number", port},
      {"validatingwebhookconfigurations",
       R"("webhooks":[{"name":"w","clientConfig":{"service":{"namespace":"n","name":"s","port":@}}}])",
       "items[0].webhooks[0].clientConfig.service.port", port},
      {"pods", R"("spec":{"containers":[{"name":"c","ports":[{"hostPort":@}]}]},"status":{})",
       "items[0].spec.containers[0].ports[0].hostPort", port},
      {"deployments", R"("spec":{"replicas":@},"status":{})", "items[0].spec.replicas", count},
      {"daemonsets", R"("spec":{},"status":{"desiredNumberScheduled":@})",
       "items[0].status.desiredNumberScheduled", count},
  }));
  for (const std::string& value :
       {std::to_string(number.most + 1), std::string("70000000000"), std::string("-1")}) {
    INFO(number.kind << " " << value);
    const Poll poll(empty_cluster({{number.kind, with(number, value)}}));
    bool named = false;
    for (const Error& note : poll.notes) {
      INFO(note.message);
      CHECK(note.failure == Failure::schema);
      named = named || note.message.find(number.kind + ": " + number.place) != std::string::npos;
      CHECK(note.message.find(value) == std::string::npos);
    }
    CHECK(named);
    CHECK(unknown_kinds(poll.state()) == std::vector{number.kind});
  }
  for (const std::string& value : {std::to_string(number.most), std::string("0")}) {
    INFO(number.kind << " " << value);
    const Poll poll(empty_cluster({{number.kind, with(number, value)}}));
    CHECK(poll.notes.empty());
    CHECK(unknown_kinds(poll.state()).empty());
  }
}
