// Nodes, storage and the webhooks of the API server. See parse_common.h.
#pragma once

#include "base/json.h"
#include "sources/kubernetes/state.h"

namespace shortcircuit::kubernetes {

Node parse_node(JsonView object);
PersistentVolumeClaim parse_claim(JsonView object);
StorageClass parse_storage_class(JsonView object);
WebhookConfiguration parse_validating_webhook(JsonView object);
WebhookConfiguration parse_mutating_webhook(JsonView object);

}  // namespace shortcircuit::kubernetes
