#include "sources/kubernetes/parse_services.h"

#include "sources/kubernetes/parse_common.h"

namespace shortcircuit::kubernetes {
namespace {

std::string label_or_empty(const Labels& labels, const std::string& name) {
  const auto found = labels.find(name);
  return found == labels.end() ? "" : found->second;
}

EndpointPort endpoint_port(JsonView view) {
  EndpointPort port;
  port.name = view["name"].string_or("");
  if (!view["port"].missing()) port.port = port_number(view["port"]);
  port.protocol = view["protocol"].string_or("TCP");
  return port;
}

// An address of an Endpoints object.
EndpointEntry endpoints_address(JsonView view, bool ready) {
  EndpointEntry entry;
  entry.addresses = {view["ip"].string()};
  entry.ready = ready;
  entry.node_name = view["nodeName"].string_or("");
  entry.target_kind = view["targetRef"]["kind"].string_or("");
  entry.target_name = view["targetRef"]["name"].string_or("");
  return entry;
}

}  // namespace

Service parse_service(JsonView object) {
  Service service;
  service.name = object_name(object);
  service.created = creation_time(object);
  service.annotations = annotations_with_prefix(object, "svccontroller.k3s.cattle.io/");
  const JsonView spec = object["spec"];
  service.type = spec["type"].string_or("ClusterIP");
  service.cluster_ips = spec["clusterIPs"].strings();
  if (service.cluster_ips.empty()) {
    if (std::string ip = spec["clusterIP"].string_or(""); !ip.empty()) {
      service.cluster_ips.push_back(std::move(ip));
    }
  }
  service.external_name = spec["externalName"].string_or("");
  service.selector = string_map(spec["selector"]);
  for (const JsonView& port : spec["ports"].items()) {
    service.ports.push_back({.name = port["name"].string_or(""),
                             .port = port_number(port["port"]),
                             .target_port = integer_or_text(port["targetPort"]),
                             .protocol = port["protocol"].string_or("TCP")});
  }
  service.load_balancer_class = spec["loadBalancerClass"].string_or("");
  service.external_ips = spec["externalIPs"].strings();
  service.external_traffic_policy = spec["externalTrafficPolicy"].string_or("");
  service.ip_families = spec["ipFamilies"].strings();
  const JsonView load_balancer = object["status"]["loadBalancer"];
  service.load_balancer_addresses = ingress_addresses(load_balancer);
  for (const JsonView& entry : load_balancer["ingress"].items()) {
    std::string host = entry["hostname"].string_or("");
    if (!host.empty()) service.load_balancer_host_names.push_back(std::move(host));
  }
  return service;
}

EndpointSlice parse_endpoint_slice(JsonView object) {
  EndpointSlice slice;
  slice.name = object_name(object);
  const Labels labels = string_map(object["metadata"]["labels"]);
  slice.service = label_or_empty(labels, "kubernetes.io/service-name");
  slice.managed_by = label_or_empty(labels, "endpointslice.kubernetes.io/managed-by");
  slice.address_type = object["addressType"].string_or("IPv4");
  for (const JsonView& view : object["endpoints"].items()) {
    EndpointEntry entry;
    entry.addresses = view["addresses"].strings();
    entry.ready = view["conditions"]["ready"].boolean_or(true);
    entry.node_name = view["nodeName"].string_or("");
    if (entry.node_name.empty()) {  // v1beta1
      entry.node_name = view["topology"]["kubernetes.io/hostname"].string_or("");
    }
    entry.target_kind = view["targetRef"]["kind"].string_or("");
    entry.target_name = view["targetRef"]["name"].string_or("");
    slice.endpoints.push_back(std::move(entry));
  }
  for (const JsonView& port : object["ports"].items()) slice.ports.push_back(endpoint_port(port));
  return slice;
}

std::vector<EndpointSlice> parse_endpoints(JsonView object) {
  std::vector<EndpointSlice> slices;
  const ObjectName name = object_name(object);
  const Labels labels = string_map(object["metadata"]["labels"]);
  for (const JsonView& subset : object["subsets"].items()) {
    EndpointSlice slice;
    slice.name = name;
    slice.service = name.name;
    slice.managed_by = label_or_empty(labels, "endpoints.kubernetes.io/managed-by");
    for (const JsonView& address : subset["addresses"].items()) {
      slice.endpoints.push_back(endpoints_address(address, true));
    }
    for (const JsonView& address : subset["notReadyAddresses"].items()) {
      slice.endpoints.push_back(endpoints_address(address, false));
    }
    for (const JsonView& port : subset["ports"].items()) slice.ports.push_back(endpoint_port(port));
    const auto first = slice.endpoints.empty()
                           ? std::nullopt
                           : IpAddress::parse(slice.endpoints.front().addresses.front());
    slice.address_type = first && !first->is_v4() ? "IPv6" : "IPv4";
    slices.push_back(std::move(slice));
  }
  return slices;
}

}  // namespace shortcircuit::kubernetes
