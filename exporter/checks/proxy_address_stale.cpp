#include <fmt/format.h>

#include <map>
#include <tuple>

#include "base/text.h"
#include "checks/address.h"
#include "checks/check.h"
#include "checks/unknown.h"

namespace shortcircuit {
namespace {

// All proxies of one object that are stale for one reason make one finding.
class ProxyJudge {
 public:
  ProxyJudge(const Fleet& fleet, Verdict& verdict)
      : fleet_(fleet), judge_(fleet), verdict_(verdict) {}

  void add(const std::string& kind, const std::string& object, const std::string& url,
           const std::string& where, const std::string& edit) {
    const auto parsed = parse_url(url);
    const auto address = parsed ? parsed->address() : std::nullopt;
    if (!address) return;  // a name: DNS may lead anywhere
    const AddressJudgement judgement = judge_.judge(*address);
    needs_mesh_ = needs_mesh_ || judgement.needs_mesh;
    if (judgement.state != AddressState::stale) return;
    Finding& finding = found_[{kind, object, judgement.reason}];
    if (finding.object.empty()) {
      finding = {.severity = Severity::critical,
                 .reason = judgement.reason,
                 .kind = kind,
                 .object = object,
                 .message = fmt::format("{} {} sends its requests through {}, which {} ({}).", kind,
                                        object, url, judgement.because, where),
                 .cure = fmt::format("{}# {}: {}", edit.empty() ? "" : edit + "   ", where,
                                     advice_for(fleet_, judgement.reason))};
    }
  }

  [[nodiscard]] bool needs_mesh() const { return needs_mesh_; }
  void finish() {
    for (auto& [key, finding] : found_) verdict_.findings.push_back(std::move(finding));
  }

 private:
  const Fleet& fleet_;
  AddressJudge judge_;
  Verdict& verdict_;
  bool needs_mesh_ = false;
  std::map<std::tuple<std::string, std::string, std::string>, Finding> found_;
};

Verdict judge_proxy_address_stale(const Fleet& fleet) {
  Verdict verdict{.applicable = !fleet.config.kubernetes.empty()};
  ProxyJudge judge(fleet, verdict);
  for (const probes::Config& probe : fleet.config.probes) {
    if (probe.proxy.empty()) continue;
    verdict.applicable = true;
    judge.add("Probe", probe.target, without_userinfo(probe.proxy),
              fmt::format("the exporter's probes: {}: proxy", probe.target), "");
  }
  if (!fleet.config.kubernetes.empty() && need(fleet.snapshot.kubernetes, "Kubernetes", verdict)) {
    const auto& cluster = *fleet.cluster();
    need(cluster.nodes, "nodes", verdict);  // which pods' addresses are somebody's
    const auto add_workloads = [&](const kubernetes::Listed<kubernetes::Workload>& list,
                                   std::string_view kind) {
      need(list, kind, verdict);
      for (const auto& workload : list.items) {
        for (const auto& proxy : workload.proxies) {
          judge.add(workload.kind, workload.name.text(), proxy.url, proxy.where,
                    fmt::format("kubectl -n {} edit {} {}", workload.name.namespace_name,
                                to_lower(workload.kind), workload.name.name));
        }
      }
    };
    add_workloads(cluster.deployments, "deployments");
    add_workloads(cluster.stateful_sets, "statefulsets");
    add_workloads(cluster.daemon_sets, "daemonsets");
    add_workloads(cluster.cron_jobs, "cronjobs");
    need(cluster.config_maps, "configmaps", verdict);
    for (const auto& config_map : cluster.config_maps.items) {
      for (const auto& proxy : config_map.proxies) {
        judge.add("ConfigMap", config_map.name.text(), proxy.url, proxy.where,
                  fmt::format("kubectl -n {} edit configmap {}", config_map.name.namespace_name,
                              config_map.name.name));
      }
    }
  }
  if (judge.needs_mesh()) {
    if (fleet.config.headscale.empty()) {
      verdict.unknown.push_back("tailscale: no tailscaled could be read");
    } else {
      need(fleet.snapshot.headscale, "Headscale", verdict);
    }
  }
  judge.finish();
  return verdict;
}

}  // namespace

const CheckDefinition proxy_address_stale_check{
    .name = "proxy_address_stale",
    .layer = Layer::proxy_chain,
    .question =
        "Does every proxy URL in workloads, ConfigMaps and probes lead to something that is there?",
    .reasons = {{"retired_network",
                 "Its address lies in a network that the configuration calls retired."},
                {"no_such_peer", "Its address lies in the tailnet, and no peer has it."},
                {"no_such_node",
                 "Its address lies in the pods' range, and no node has that block."},
                {"peer_offline", "Its address belongs to a peer that is offline."},
                {"peer_expired", "Its address belongs to a peer whose key is expired."}},
    .judge = judge_proxy_address_stale};

}  // namespace shortcircuit
