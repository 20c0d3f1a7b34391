#include "checks/entry_services.h"

#include <algorithm>
#include <string_view>

namespace shortcircuit {

using kubernetes::Pod;
using kubernetes::Service;

namespace {

constexpr const char* namespace_label = "svccontroller.k3s.cattle.io/svcnamespace";

bool names_traefik(std::string_view text) { return text.find("traefik") != std::string_view::npos; }

bool labels_name_traefik(const kubernetes::Labels& labels) {
  return std::any_of(labels.begin(), labels.end(),
                     [](const auto& label) { return names_traefik(label.second); });
}

bool selects(const Service& service, const Pod& pod) {
  if (service.selector.empty() || service.name.namespace_name != pod.name.namespace_name)
    return false;
  return std::all_of(service.selector.begin(), service.selector.end(), [&](const auto& wanted) {
    const auto found = pod.labels.find(wanted.first);
    return found != pod.labels.end() && found->second == wanted.second;
  });
}

// Which Services lead to Traefik. Its pods are few, all pods may be thousands.
class TraefikSigns {
 public:
  explicit TraefikSigns(const kubernetes::State& cluster) {
    for (const Pod& pod : cluster.pods.items) {
      if (is_traefik_pod(pod)) pods_.push_back(&pod);
    }
  }

  [[nodiscard]] bool lead_to(const Service& service) const {
    return names_traefik(service.name.name) || labels_name_traefik(service.selector) ||
           std::ranges::any_of(pods_, [&](const Pod* pod) { return selects(service, *pod); });
  }

 private:
  std::vector<const Pod*> pods_;
};

bool has_web_port(const Service& service) {
  return std::any_of(service.ports.begin(), service.ports.end(),
                     [](const auto& port) { return port.port == 80 || port.port == 443; });
}

}  // namespace

bool is_labelled_for(const kubernetes::Labels& labels, const Service& service) {
  const auto name = labels.find(balancer_label);
  if (name == labels.end() || name->second != service.name.name) return false;
  const auto in = labels.find(namespace_label);
  return in == labels.end() || in->second == service.name.namespace_name;
}

bool is_traefik_pod(const Pod& pod) {
  // The load balancer's own pods carry the name of the Service that they serve.
  if (pod.labels.contains(balancer_label)) return false;
  return names_traefik(pod.owner_name) || names_traefik(pod.name.name) ||
         labels_name_traefik(pod.labels);
}

bool takes_web_port(const Pod& pod) {
  return is_traefik_pod(pod) && std::any_of(pod.host_ports.begin(), pod.host_ports.end(),
                                            [](int port) { return port == 80 || port == 443; });
}

bool serves_family(const Service& service, const IpAddress& address) {
  const auto& families = service.ip_families;
  return families.empty() || std::find(families.begin(), families.end(),
                                       address.is_v4() ? "IPv4" : "IPv6") != families.end();
}

std::vector<const Service*> entry_services(const kubernetes::State& cluster) {
  std::vector<const Service*> balancers;
  std::vector<const Service*> with_web_port;
  for (const Service& service : cluster.services.items) {
    if (service.type != "LoadBalancer") continue;
    balancers.push_back(&service);
    if (has_web_port(service)) with_web_port.push_back(&service);
  }
  const TraefikSigns signs(cluster);
  for (const auto* list : {&with_web_port, &balancers}) {
    std::vector<const Service*> traefiks;
    std::copy_if(list->begin(), list->end(), std::back_inserter(traefiks),
                 [&](const Service* service) { return signs.lead_to(*service); });
    if (!traefiks.empty()) return traefiks;
  }
  return with_web_port;
}

std::vector<const Service*> traefik_services(const kubernetes::State& cluster) {
  const TraefikSigns signs(cluster);
  std::vector<const Service*> all;
  std::vector<const Service*> with_web_port;
  std::vector<const Service*> balancers;
  for (const Service& service : cluster.services.items) {
    if (!signs.lead_to(service)) continue;
    all.push_back(&service);
    if (!has_web_port(service)) continue;
    with_web_port.push_back(&service);
    if (service.type == "LoadBalancer") balancers.push_back(&service);
  }
  for (auto* found : {&balancers, &with_web_port}) {
    if (!found->empty()) return *found;
  }
  return all;
}

}  // namespace shortcircuit
