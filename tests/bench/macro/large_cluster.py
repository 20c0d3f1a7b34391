#!/usr/bin/env python3
"""What the whole program costs on a large cluster: 5,000 pods, 2,000 Services, 2,000 routes, 200 nodes.

Kubernetes, Traefik, Headscale and three tailscaled on loopback, all objects copies of recorded ones under other
names. A cycle is everything from one poll to the next: asking, reading, judging, rendering, packing.

  large_cluster.py BINARY RECORDINGS [--cycles 20] [--only TEXT]
"""
import argparse
import concurrent.futures
import copy
import itertools
import json
import pathlib
import random
import sys
import tempfile
import time
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "end_to_end"))
from exporter import Exporter, wait_for  # noqa: E402
from fake_upstreams import Upstream  # noqa: E402
from kubernetes_api import KubernetesApi  # noqa: E402
from processes import cpu_seconds, memory_mebibytes, middle, own_mebibytes, table  # noqa: E402

NODES, NAMESPACES, SERVICES, PODS, VIEWS = 200, 200, 2000, 5000, 3
INTERVAL_SECONDS = 10
words = random.Random(1)
MANAGED = {f"f:{words.getrandbits(32):x}": {"f:name": {}, "f:value": {}} for _ in range(40)}  # 1.4 kB


def recorded(night, path):
    """One object of each list, or the whole answer, as recorded."""
    for step in sorted(night.iterdir()):
        if (step / path).is_file():
            answer = json.loads((step / path).read_text())
            items = answer.get("items") if isinstance(answer, dict) else answer
            if items:
                return items[-1] if isinstance(answer, dict) else items[0]
            return answer
    raise FileNotFoundError(path)


class Names:
    def __init__(self, i):
        self.namespace, self.name, self.host = f"team-{i % NAMESPACES:03}", f"service-{i}", f"host-{i}.example.net"
        self.labels = {"app.kubernetes.io/name": self.name, "app.kubernetes.io/part-of": "bench"}

    def rename(self, template, name=None, **fields):
        item = copy.deepcopy(template)
        item["metadata"].update({"namespace": self.namespace, "name": name or self.name, "managedFields": [
            {"manager": "bench", "operation": "Update", "apiVersion": "v1", "time": "2026-11-24T15:01:57Z",
             "fieldsType": "FieldsV1", "fieldsV1": MANAGED}]})
        item.update(fields)
        return item


def mesh_address(i):
    return f"100.64.{i // 250}.{i % 250 + 1}"


def pod_address(i):
    return f"10.42.{i // 250}.{i % 250 + 1}"


def cluster(night, pending):
    api = KubernetesApi()
    template = {kind: recorded(night, f"kubernetes/{kind}.json")
                for kind in ("nodes", "pods", "services", "endpoints", "endpointslices", "ingresses", "ingressroutes", "ingressclasses")}
    api.put("/apis/networking.k8s.io/v1/ingressclasses", template["ingressclasses"])
    for i in range(NODES):
        node = copy.deepcopy(template["nodes"])
        node["metadata"]["name"] = f"node-{i}"
        node["metadata"]["annotations"]["flannel.alpha.coreos.com/public-ip"] = mesh_address(i)
        node["spec"] = {"podCIDR": f"10.42.{i}.0/24", "podCIDRs": [f"10.42.{i}.0/24"]}
        node["status"]["addresses"] = [{"type": "InternalIP", "address": mesh_address(i)}]
        api.put("/api/v1/nodes", node)
    for i in range(SERVICES):
        names = Names(i)
        spec = {**template["services"]["spec"], "type": "ClusterIP", "clusterIPs": [f"10.43.{i // 250}.{i % 250 + 1}"],
                "selector": names.labels, "ports": [{"name": "http", "port": 80, "targetPort": 8080, "protocol": "TCP"}]}
        api.put("/api/v1/services", names.rename(template["services"], spec=spec, status={"loadBalancer": {}}))
        pods = [i, *range(SERVICES + i, PODS, SERVICES)]
        targets = [{"node": f"node-{pod % NODES}", "ip": pod_address(pod), "pod": f"{names.name}-{pod}"} for pod in pods]
        api.put("/api/v1/endpoints", names.rename(template["endpoints"], subsets=[{
            "addresses": [{"ip": t["ip"], "nodeName": t["node"], "targetRef": {"kind": "Pod", "name": t["pod"]}} for t in targets],
            "ports": [{"name": "http", "port": 8080, "protocol": "TCP"}]}]))
        slice_ = names.rename(template["endpointslices"], names.name + "-slice", endpoints=[
            {"addresses": [t["ip"]], "conditions": {"ready": True}, "nodeName": t["node"],
             "targetRef": {"kind": "Pod", "name": t["pod"]}} for t in targets],
            ports=[{"name": "http", "port": 8080, "protocol": "TCP"}])
        slice_["metadata"]["labels"] = {"kubernetes.io/service-name": names.name,
                                        "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io"}
        api.put("/apis/discovery.k8s.io/v1/endpointslices", slice_)
        for target in targets:
            pod = names.rename(template["pods"], target["pod"])
            pod["metadata"]["labels"] = names.labels
            pod["spec"]["nodeName"] = target["node"]
            pod["status"].update({"phase": "Running", "podIP": target["ip"], "podIPs": [{"ip": target["ip"]}]})
            api.put("/api/v1/pods", pod)
        add_route(api, template, names, i)
    # Whether a pod uses a pending claim decides if that is a fault: with many namespaces all pods are read.
    for i in range(pending):
        api.put("/api/v1/persistentvolumeclaims", {"metadata": {"namespace": Names(i).namespace, "name": "waiting"},
                                                   "spec": {}, "status": {"phase": "Pending"}})
    api.compact()
    return api


def add_route(api, template, names, i):
    if i % 2:
        api.put("/apis/traefik.io/v1alpha1/ingressroutes", names.rename(template["ingressroutes"], spec={
            "entryPoints": ["web"], "routes": [{"kind": "Rule", "match": f"Host(`{names.host}`)",
                                                "services": [{"name": names.name, "port": "http"}]}]}))
        return
    ingress = names.rename(template["ingresses"])
    ingress["metadata"]["annotations"] = {}
    ingress["spec"]["rules"] = [{"host": names.host, "http": {"paths": [{
        "path": "/", "pathType": "Prefix", "backend": {"service": {"name": names.name, "port": {"name": "http"}}}}]}}]
    api.put("/apis/networking.k8s.io/v1/ingresses", ingress)


def serve(upstream, answers):
    """Answers by path and query; the value is an object, or its bytes and the page that follows."""
    def behaviour(handler, path):
        query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(handler.path).query))
        answer = answers.get(path)
        if answer is None:
            return False
        body, following = answer.get(query.get("page", "1"), (None, None)) if "1" in answer else (answer["body"], None)
        handler.send_response(200)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", str(len(body)))
        if following:
            handler.send_header("X-Next-Page", following)
        handler.end_headers()
        handler.wfile.write(body)
        return True
    upstream.behaviour = behaviour
    return upstream


def whole(answer):
    return {"body": json.dumps(answer).encode()}


def pages(items, size=10_000):
    """As Traefik pages them: 1 follows the last page."""
    found = {}
    for at in range(0, max(len(items), 1), size):
        number = at // size + 1
        found[str(number)] = (json.dumps(items[at:at + size]).encode(), str(number + 1 if at + size < len(items) else 1))
    return found


def traefik(night):
    router, service = recorded(night, "traefik/http-routers.json"), recorded(night, "traefik/http-services.json")
    routers, services = [], []
    for i in range(SERVICES):
        names = Names(i)
        kind = "kubernetescrd" if i % 2 else "kubernetes"
        rule = f"Host(`{names.host}`)" + ("" if i % 2 else " && PathPrefix(`/`)")
        prefix = f"{names.namespace}-{names.name}-"
        backend = prefix + (f"deadbeef{i:012x}" if i % 2 else "http")
        name = (backend if i % 2 else prefix + names.host.replace(".", "-")) + "@" + kind
        common = {k: v for k, v in router.items() if k not in ("middlewares", "error")}
        routers.append({**common, "service": backend, "rule": rule, "status": "enabled", "name": name, "provider": kind})
        urls = [f"http://{pod_address(pod)}:8080" for pod in (i, *range(SERVICES + i, PODS, SERVICES))]
        services.append({**service, "loadBalancer": {**service["loadBalancer"], "servers": [{"url": url} for url in urls]},
                         "usedBy": [name], "name": f"{backend}@{kind}", "provider": kind,
                         "serverStatus": {url: "UP" for url in urls}})
    return serve(Upstream("traefik", [night / "00-everything-broken" / "traefik"], {
        "/api/version": "version", "/api/overview": "overview", "/api/entrypoints": "entrypoints"}), {
            "/api/http/routers": pages(routers), "/api/http/services": pages(services), "/api/http/middlewares": pages([])})


def headscale(night):
    node = recorded(night, "headscale/node.json")["nodes"][0]
    nodes = [{**node, "id": str(i + 1), "name": f"node-{i}", "givenName": f"node-{i}", "ipAddresses": [mesh_address(i)]}
             for i in range(NODES)]
    return serve(Upstream("headscale", [night / "00-everything-broken" / "headscale"],
                          {"/health": "health", "/api/v1/apikey": "apikey", "/api/v1/preauthkey": "preauthkey"}),
                 {"/api/v1/node": whole({"nodes": nodes})})


def tailscaled(night, view, socket):
    folder = sorted((night / "00-everything-broken" / "tailscale").iterdir())[0]
    status = json.loads((folder / "status.json").read_text())
    peer = list(status["Peer"].values())[0]

    def seen(i):
        return {**peer, "HostName": f"node-{i}", "DNSName": f"node-{i}.mesh.", "TailscaleIPs": [mesh_address(i)],
                "AllowedIPs": [mesh_address(i) + "/32"], "CurAddr": f"192.168.{i // 250}.{i % 250 + 1}:41641", "Online": True}
    status["Self"] = {**status["Self"], **{key: seen(view)[key] for key in ("HostName", "DNSName", "TailscaleIPs")}}
    status["TailscaleIPs"] = [mesh_address(view)]
    status["Peer"] = {f"nodekey:{i:064x}": seen(i) for i in range(NODES) if i != view}
    return serve(Upstream("tailscale", [folder], {"/localapi/v0/prefs": "prefs", "/localapi/v0/usermetrics": "usermetrics"},
                          socket_path=socket), {"/localapi/v0/status": whole(status)})


def measure(binary, night, every_pod, watch, cycles):
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        (scratch / "key").write_text("test-api-key\n")
        api = cluster(night, 25 if every_pod else 0)
        upstreams = [traefik(night), headscale(night)]
        views = [tailscaled(night, view, str(scratch / f"{view}.sock")) for view in range(VIEWS)]
        every = f"interval: {INTERVAL_SECONDS}s"
        (scratch / "shortcircuit.yaml").write_text(
            f"kubernetes: {{url: '{api.url}', watch: {str(watch).lower()}, {every}}}\n"
            f"traefik: {{url: '{upstreams[0].url}', {every}}}\n"
            f"headscale: {{url: '{upstreams[1].url}', api_key_file: {scratch / 'key'}, {every}}}\n"
            f"tailscale:\n  interval: {INTERVAL_SECONDS}s\n  nodes:\n" +
            "".join(f"    - {{name: node-{view}, socket: {scratch / f'{view}.sock'}}}\n" for view in range(VIEWS)))
        polls = 'shortcircuit_source_polls_total{source="kubernetes",target=""}'
        lasted = 'shortcircuit_source_poll_duration_seconds{source="kubernetes",target=""}'
        with Exporter(binary, "--config", str(scratch / "shortcircuit.yaml")) as exporter:
            exporter.ready()
            wait_for("two polls", lambda: exporter.metric(polls) >= 2, patience=120)
            time.sleep(INTERVAL_SECONDS / 2)  # between two polls, here and below
            pid, before = exporter.process.pid, exporter.metric(polls)
            cpu, own, durations, changes = cpu_seconds(pid), [], [], itertools.count()
            while exporter.metric(polls) < before + cycles:
                # 60 a minute. Not with lists: they cost the same, but the fake would have to pack them anew.
                for key in [list(api.objects["/api/v1/pods"])[next(changes) * 7 % PODS] for _ in range(10 if watch else 0)]:
                    old = api.objects["/api/v1/pods"][key]
                    api.put("/api/v1/pods", {**old, "status": {**old["status"], "message": str(time.time())}})
                time.sleep(INTERVAL_SECONDS)
                own.append(own_mebibytes(pid))
                durations.append(exporter.metric(lasted))
            share = (cpu_seconds(pid) - cpu) / (exporter.metric(polls) - before)
            up = [line for line in exporter.text().splitlines() if line.startswith("shortcircuit_source_up{")]
            assert all(line.endswith(" 1") for line in up), (up, exporter.log[-3:])
            judged = exporter.findings()
            assert len(judged["routes"]) == SERVICES and not judged["findings"], (len(judged["routes"]), judged["findings"][:3])
            # Files (the libraries) are resident, but nobody's own.
            peak = memory_mebibytes(pid, "VmHWM") - memory_mebibytes(pid, "RssFile")
        for each in (api, *upstreams, *views):
            each.close()
    return share, middle(durations), middle(own), peak


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binary")
    parser.add_argument("recordings", type=pathlib.Path)
    parser.add_argument("--cycles", type=int, default=20)
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    rows = []
    for every_pod, watch in itertools.product((False, True), (False, True)):
        name = ("every pod read" if every_pod else "pods by selector, as usual") + (", watches" if watch else ", lists")
        if options.only not in name:
            continue
        # A process of its own: what the fake upstreams of the case before hold would slow this one's down.
        with concurrent.futures.ProcessPoolExecutor(1) as pool:
            share, duration, own, peak = pool.submit(measure, options.binary, options.recordings / "night", every_pod, watch,
                                                     options.cycles).result()
        rows.append([name, f"{share * 1e3:.0f} ms", f"{duration * 1e3:.0f} ms", f"{own:.0f} MiB", f"{peak:.0f} MiB"])
    print(table(["pods, by", "CPU of a cycle", "poll of Kubernetes, wall", "own memory", "own memory, peak"], rows))


if __name__ == "__main__":
    main()
