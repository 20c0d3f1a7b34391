// Services and what stands behind them. See parse_common.h.
#pragma once

#include <vector>

#include "base/json.h"
#include "sources/kubernetes/state.h"

namespace shortcircuit::kubernetes {

Service parse_service(JsonView object);
EndpointSlice parse_endpoint_slice(JsonView object);  // discovery.k8s.io/v1 and v1beta1
// One slice for each subset of an Endpoints object; none when it is empty.
std::vector<EndpointSlice> parse_endpoints(JsonView object);

}  // namespace shortcircuit::kubernetes
