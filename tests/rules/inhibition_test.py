#!/usr/bin/env python3
"""Which alerts a real Alertmanager with the shipped configuration keeps quiet while others fire, and which it must not."""
import json
import pathlib
import sys
import tempfile
import time
import urllib.request

from notification_stack import Stack, fetch, free_ports, root


def alert(name, **labels):
    return {"alertname": f"ShortCircuit{name}", **labels}


def layer_page(layer, **labels):
    return alert("LayerBroken", severity="critical", impact="routes", layer=layer, incident=layer, **labels)


def route_down(layer, thing):
    return alert("RouteDown", severity="critical", layer=layer, incident=layer, object=thing, host=f"{thing}.example")


def source_down(source, severity="critical", **labels):
    return alert("SourceDown", severity=severity, incident="exporter", job="shortcircuit", source=source, **labels)


peer_offline = alert("PeerOffline", severity="critical", incident="node_offline", node="n1")
quorum_lost = alert("QuorumLost", severity="warning", layer="etcd", incident="etcd")
# What fires: those that stay quiet, those that do not. Each situation is a cluster of its own.
situations = {
    "a layer's page speaks for all its routes": (
        [route_down("middleware", "a"), route_down("middleware", "b")], [layer_page("middleware"), route_down("endpoint_port", "c")]),
    "a dead app's page speaks for its own route": (
        [route_down("backend", "a")], [layer_page("backend", object="a"), route_down("backend", "b")]),
    "Traefik without a pod speaks for every route": (
        [route_down("backend", "a"), route_down("backend", "b")], [layer_page("backend")]),
    "without a quorum there is no API, and without that no host names": (
        [source_down(source) for source in ("etcd", "kubernetes", "dns", "probes")], [quorum_lost, source_down("linstor")]),
    "without Kubernetes there are no host names": (
        [source_down("dns"), source_down("probes", "warning", target="routes")],
        [source_down("kubernetes"), source_down("headscale"), alert("SourceDown", severity="critical", job="shortcircuit-2", source="dns")]),
    "one target of Kubernetes is no reason": ([], [source_down("kubernetes", "warning", target="b"), source_down("dns")]),
    "a dead machine explains its satellite, and not the cure of its expired key": (
        [alert("SatelliteOffline", severity="warning", incident="node_offline", node="n1")],
        [peer_offline, alert("KeyExpiring", severity="warning", incident="node_offline", node="n1"),
         alert("SatelliteOffline", severity="warning", incident="node_offline", node="n2")]),
}


def post(url, alerts):
    request = urllib.request.Request(f"{url}/api/v2/alerts", json.dumps(alerts).encode(), {"Content-Type": "application/json"})
    urllib.request.urlopen(request, timeout=5).close()


def quiet_ones(url, count):
    """{cluster: labels of what is kept quiet}, once Alertmanager knows all."""
    end = time.monotonic() + 30
    while len(found := json.loads(fetch(f"{url}/api/v2/alerts"))) < count and time.monotonic() < end:
        time.sleep(0.1)
    quiet = {name: [] for name in situations}
    for one in found:
        if one["status"]["inhibitedBy"]:
            cluster = one["labels"].pop("cluster")
            quiet[cluster].append(one["labels"])
    return quiet


def main():
    everything = [{"labels": {"cluster": name, **labels}} for name, sides in situations.items() for side in sides for labels in side]
    with tempfile.TemporaryDirectory() as scratch, Stack(pathlib.Path(scratch)) as stack:
        url = f"http://127.0.0.1:{free_ports(1)[0]}"
        stack.start("alertmanager", "prometheus-alertmanager", f"--config.file={root}/deploy/alertmanager/alertmanager.yml",
                    f"--storage.path={scratch}/data", f"--web.listen-address={url.removeprefix('http://')}",
                    "--cluster.listen-address=", "--log.level=warn")
        stack.wait_for(f"{url}/-/ready")
        post(url, everything)
        quiet = quiet_ones(url, len(everything))
    failed = False
    for name, (wanted, _) in situations.items():
        if sorted(map(str, map(sorted, map(dict.items, wanted)))) != sorted(map(str, map(sorted, map(dict.items, quiet[name])))):
            failed = True
            print(f"{name}: kept quiet are {quiet[name]}")
    print("FAILED" if failed else f"ok: {len(situations)} situations, {len(everything)} alerts")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
