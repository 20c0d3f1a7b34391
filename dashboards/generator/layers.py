"""The layers in walking order, and what to do first for each check. tests/dashboards holds it against the rules."""
from generator import promql

layers = ["load_balancer", "external_name", "middleware", "webhook", "endpoint_address", "endpoint_port",
          "proxy_chain", "path_mtu", "backend", "mesh", "etcd", "storage"]

# A lane sorts by its number; Prometheus and tables sort by text.
lanes = {layer: f"{number:02d} {layer.replace('_', ' ')}" for number, layer in enumerate(layers, 1)}

# Short enough for a cell. The exact command with names in it: the exporter's status page, or `shortcircuit-exporter check`.
do_first = {
    "entry_without_load_balancer": "Let the load balancer tolerate the node's taint, or point DNS elsewhere",
    "external_name_refused": "Start Traefik with allowExternalNameServices for this provider",
    "middleware_missing": "Create the Middleware, or take its name out of the route",
    "webhook_missing": "Apply the operator's manifests again",
    "webhook_unavailable": "Bring back the webhook's Service, its pods or its CA bundle",
    "claim_pending": "Mend the storage operator and its webhook, then describe the claim",
    "operator_crash_looping": "Read the pod's previous log; mend a missing webhook first",
    "endpoint_address_stale": "Write the present address into the Endpoints or EndpointSlice",
    "endpoint_port_mismatch": "Give the endpoint's port the name of the Service's port",
    "proxy_address_stale": "Write the proxy's present address into the workload or ConfigMap",
    "proxy_unreachable": "Start the proxy again, or correct its address",
    "path_mtu_low": "Lower the tunnel's MTU on the sending node to what the path carries",
    "transfer_stalled": "Look for a low path MTU on the way; lower the tunnel's MTU",
    "backend_missing": "Bring back the Service, its port or a ready pod",
    "peer_relayed": "Open UDP 41641 between the two nodes",
    "nested_tunnel": "Block the other overlay's port for tailscaled, then retire it",
    "tunnel_loop": "Keep one overlay off the other's interface, then restart it",
    "flannel_address_mismatch": "Annotate the node with its present address, restart flannel or k3s",
    "node_half_migrated": "Log tailscaled in to the new control server, or set node-ip anew",
    "peer_offline": "Bring the machine or its tailscaled back",
    "key_expiring": "tailscale up --force-reauth on that node",
    "quorum_lost": "Start the missing members; restore a snapshot only if they are gone",
    "quorum_margin_zero": "Bring the missing member back before the next one fails",
    "leader_flapping": "Look for stalls of a second: disk, CPU, a tunnel that drops packets",
    "round_trip_over_budget": "Raise heartbeat and election timeout, or move the far member",
    "database_near_quota": "Compact, defragment each member, or raise the quota",
    "alarm_active": "Compact and defragment, then etcdctl alarm disarm",
    "replication_over_tunnel": "Give the pair a path over the LAN",
    "replication_over_retired": "Move the replication's address off the retired network",
    "replication_interface_missing": "Create the interface, or correct PrefNic",
    "satellite_offline": "Start the satellite; look at the node first",
    "resource_degraded": "Look at the replica that is not UpToDate",
    "pool_nearly_full": "Delete snapshots or resources, or add disks",
}

# Mostly a consequence of another check of the same layer, so it comes after that one.
later = ["claim_pending", "operator_crash_looping", "proxy_unreachable", "transfer_stalled", "leader_flapping", "resource_degraded"]

# The runbook of a layer in which a route can stop.
layer_runbooks = {
    "load_balancer": "entrywithoutloadbalancer", "external_name": "externalnamerefused",
    "middleware": "middlewaremissing", "endpoint_address": "endpointaddressstale",
    "endpoint_port": "endpointportmismatch", "backend": "backendmissing",
}


def in_lanes(expression):
    """Adds the label `lane`: number and name of the label `layer`."""
    return promql.named(expression, "layer", "lane", lanes)


def in_order(expression):
    """The same, with consequences behind their causes."""
    marked = promql.named(in_lanes(expression), "check", "late", {check: ", then" for check in later})
    return f'label_join({marked}, "lane", "", "lane", "late")'


def with_runbook(expression):
    """Adds the label `runbook`: the check without underscores, which is how its page is called."""
    several = f'label_replace({expression}, "runbook", "$1$2$3$4$5", "check", ' \
              '"([^_]+)_?([^_]*)_?([^_]*)_?([^_]*)_?([^_]*)")'
    return promql.named(several, "check", "runbook", {"replication_over_retired": "replicationovertunnel"})


def state_of_layers():
    """2 critical, 1 warning, 0 fine, -1 not known: judged within the last seven days, and not any more."""
    findings = promql.series("finding", 'severity="critical"')
    judged = promql.series("layer_findings")
    cases = promql.coded([(2, f"count by (layer) ({findings})")])
    cases += f"\nor (max by (layer) ({judged}) > bool 0)"
    cases += "\nor " + promql.coded([(-1, f"max by (layer) ({promql.lately('layer_findings')})")])
    return f"max by (lane) ({in_lanes(cases)})"
