// The parsers against answers of real servers.
#include <filesystem>

#include "unit/sources/kubernetes/poll.h"

using namespace shortcircuit;
using namespace shortcircuit::kubernetes;

namespace {

template <class T>
const T* find(const Listed<T>& listed, const std::string& name) {
  for (const T& item : listed.items) {
    if (item.name.text() == name) return &item;
  }
  return nullptr;
}

}  // namespace

TEST_CASE("kubernetes: the night's first step") {
  const Poll poll(answers_of(recorded("night/00-everything-broken")));
  const State& state = poll.state();
  CHECK(poll.notes.empty());
  CHECK(state.version.starts_with("v1.21"));
  CHECK(state.nodes.items.size() == 20);
  CHECK(std::ranges::count_if(state.nodes.items, [](const Node& node) {
          return node.taints.size() == 1 && node.taints[0].key == "amd.com/gpu" &&
                 node.taints[0].effect == "NoSchedule";
        }) == 6);
  for (const Node& node : state.nodes.items) {
    CHECK(node.ready == true);
    CHECK(node.internal_addresses.size() == 1);
    CHECK(node.pod_cidrs.size() == 1);
    CHECK(node.flannel_addresses.contains("flannel.alpha.coreos.com/public-ip"));
  }
  const Service* traefik = find(state.services, "kube-system/traefik");
  REQUIRE(traefik != nullptr);
  CHECK(traefik->type == "LoadBalancer");
  CHECK(traefik->load_balancer_addresses.size() == 14);
  const Service* grafana = find(state.services, "monitoring/grafana");
  REQUIRE(grafana != nullptr);
  CHECK((grafana->type == "ExternalName" && !grafana->external_name.empty()));
  const IngressRoute* route = find(state.ingress_routes, "cctv/cctv-api");
  REQUIRE(route != nullptr);
  REQUIRE(route->rules.size() == 1);
  CHECK(route->rules[0].match.starts_with("Host(`cctv."));
  CHECK(route->rules[0].middlewares.at(0).name == "cors");
  CHECK(route->rules[0].services.at(0).port == "http");
  const Ingress* console = find(state.ingresses, "portal/console");
  REQUIRE(console != nullptr);
  CHECK(console->class_name == "traefik");
  CHECK(console->traefik_annotations.size() == 1);
  CHECK(console->rules.at(0).paths.at(0).backend->port_name == "http");
  CHECK(state.middlewares.status == Listed<Middleware>::Status::listed);
  CHECK(state.middlewares.items.empty());
  CHECK(state.middleware_tcps.status == Listed<Middleware>::Status::absent);
  CHECK(state.validating_webhooks.known());
  CHECK(state.storage_classes.items[0].provisioner == "linstor.csi.linbit.com");
  CHECK(state.claims.items[0].phase == "Pending");
  const Pod* operator_pod =
      find(state.pods, "piraeus-datastore/piraeus-operator-controller-manager-0");
  REQUIRE(operator_pod != nullptr);
  CHECK(operator_pod->waiting_reason == "CrashLoopBackOff");
  CHECK(operator_pod->restarts == 17);
  CHECK_FALSE(operator_pod->ready);
  CHECK(find(state.pods, "monitoring/grafana-0")->claims ==
        std::vector<std::string>{"grafana-data"});
  REQUIRE(state.deployments.items.size() == 1);
  CHECK(state.deployments.items[0].proxies.at(0).where == "container scraper, env HTTPS_PROXY");
  CHECK(state.deployments.items[0].proxies.at(0).url == "http://100.101.102.103:8118");
  REQUIRE(state.config_maps.items.size() == 1);
  CHECK(state.config_maps.items[0].proxies.at(0).where == "key CALTRANS_PROXY");
  CHECK(state.daemon_sets.items[0].desired == 14);
  CHECK(state.daemon_sets.items[0].tolerations.size() == 3);
  CHECK(state.endpoints.items.size() == 5);
  CHECK(state.blind.empty());
}

TEST_CASE("kubernetes: every recording is read without a note") {
  int read = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(SHORTCIRCUIT_RECORDINGS)) {
    if (!entry.is_directory() || entry.path().filename() != "kubernetes" ||
        entry.path().string().find("/raw/") != std::string::npos) {
      continue;
    }
    INFO(entry.path().string());
    const Poll poll(answers_of(entry.path().string()));
    (void)poll.state();
    CHECK(poll.notes.empty());
    ++read;
  }
  CHECK(read >= 10);
}

TEST_CASE("kubernetes: what is recorded of a recording is read alike") {
  for (const std::string name : {"night/00-everything-broken", "healthy", "layer4-webhook-missing",
                                 "layer4-webhook-ca-missing"}) {
    const auto folder = answers_of(recorded(name));
    const Poll poll(folder);
    const Poll again([&](const HttpRequest& request) -> Result<HttpResponse> {
      auto response = folder(request);
      if (response->status != 200) return response;
      auto reduced = reduce_for_recording(request.answer, response->body);
      INFO(request.answer);
      REQUIRE(reduced);
      CHECK(reduced->find("last-applied") == std::string::npos);
      CHECK(reduced->find("objectset.rio.cattle.io/applied") == std::string::npos);
      response->body = *reduced;
      return response;
    });
    CHECK((poll.state() == again.state()));
  }
}

TEST_CASE("kubernetes: flannel's annotations of both families are read, and recorded") {
  const std::string prefix = "flannel.alpha.coreos.com/";
  std::map<std::string, std::string> wanted;
  std::string annotations;
  for (const std::string name : {"public-ip", "public-ip-overwrite", "node-public-ip",
                                 "public-ipv6", "public-ipv6-overwrite", "node-public-ipv6"}) {
    wanted[prefix + name] = "of " + name;
    annotations += (annotations.empty() ? "\"" : ",\"") + prefix + name + R"(":"of )" + name + "\"";
  }
  const HttpResponse nodes =
      list_of(R"({"metadata":{"name":"a","annotations":{)" + annotations + "}}}");
  const auto kept = reduce_for_recording("nodes", nodes.body);
  REQUIRE(kept);
  for (const std::string& body : {nodes.body, *kept}) {
    const Poll poll(empty_cluster({{"nodes", ok(body)}}));
    CHECK(poll.state().nodes.items[0].flannel_addresses == wanted);
  }
}
