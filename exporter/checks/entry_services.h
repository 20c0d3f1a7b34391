// The Services that public requests come in through, and the pods that belong to them. Pure.
#pragma once

#include <vector>

#include "sources/kubernetes/state.h"

namespace shortcircuit {

// The label by which servicelb's DaemonSets and pods name their Service.
inline constexpr const char* balancer_label = "svccontroller.k3s.cattle.io/svcname";

// The LoadBalancer Services that bring public requests to Traefik; without a sign of Traefik those
// with a web port. Of Traefik's own the ones with a web port, if there are any.
std::vector<const kubernetes::Service*> entry_services(const kubernetes::State& cluster);

// The Services that lead to Traefik from outside its pods: of those with a web port the
// LoadBalancer ones, or else all; without a web port any. Empty when nothing is a sign of Traefik.
std::vector<const kubernetes::Service*> traefik_services(const kubernetes::State& cluster);

// Do servicelb's labels name the Service?
bool is_labelled_for(const kubernetes::Labels& labels, const kubernetes::Service& service);
// A pod of the ingress controller itself, by its name, owner or labels.
bool is_traefik_pod(const kubernetes::Pod& pod);
// One that itself takes the node's web port.
bool takes_web_port(const kubernetes::Pod& pod);
// Of a Service that does not say its families nothing is concluded.
bool serves_family(const kubernetes::Service& service, const IpAddress& address);

}  // namespace shortcircuit
