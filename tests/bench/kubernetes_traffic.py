#!/usr/bin/env python3
"""Bytes per minute from a Kubernetes API server to the exporter, with lists and with watches.

A loopback server (end_to_end/kubernetes_api.py) holds 5,000 pods, speaks list, watch and bookmarks, packs large
lists as the real one does, and counts every byte it writes. Plain HTTP: TLS would add to both sides.

usage: kubernetes_traffic.py BINARY [MINUTES]    (10; less than 5 shows no full list)
"""
import collections
import concurrent.futures
import pathlib
import random
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "end_to_end"))
from exporter import Exporter, wait_for  # noqa: E402
from kubernetes_api import KubernetesApi  # noqa: E402

BINARY = sys.argv[1]
MINUTES = float(sys.argv[2]) if len(sys.argv) > 2 else 10
NAMESPACES = [f"team-{i:02}" for i in range(25)]
PODS, POD_BYTES = 5000, 4900  # a pod of a real cluster, plain


def bulk(size):
    """What all objects of a kind have alike; with the random parts beside it 5,000 pods of 25 MB pack to less than
    1 MB, as those of a real cluster do."""
    words = random.Random(size)
    return "".join(f"f:{words.getrandbits(16):x}.name " for _ in range(size // 13))


POD_BULK, OTHER_BULK, SETTINGS = bulk(POD_BYTES - 900), bulk(600), bulk(1500)


def pod(bits, i):
    return {"apiVersion": "v1", "kind": "Pod",
            "metadata": {"namespace": NAMESPACES[i % 25], "name": f"app-{i:05}-{bits.getrandbits(40):010x}",
                         "uid": f"{bits.getrandbits(128):032x}", "labels": {"app": f"app-{i % 500}"},
                         "managedFields": [{"fieldsV1": POD_BULK}]},
            "spec": {"nodeName": f"node-{i % 50:02}", "containers": [{"name": "main", "image": f"registry/app:{i % 97}"}]},
            "status": {"phase": "Running", "podIP": f"10.{i // 65536}.{i // 256 % 256}.{i % 256}",
                       "startTime": "2026-11-24T15:46:31Z", "conditions": [{"type": "Ready", "status": "True"}],
                       "containerStatuses": [{"name": "main", "ready": True, "restartCount": 0}]}}


def fill(api, every_pod):
    bits = random.Random(1)
    fields = {"managedFields": [{"fieldsV1": OTHER_BULK}]}
    for i in range(50):
        api.put("/api/v1/nodes", {"metadata": {"name": f"node-{i:02}", **fields}, "status": {
            "addresses": [{"type": "InternalIP", "address": f"10.200.0.{i + 1}"}],
            "conditions": [{"type": "Ready", "status": "True"}]}})
    for i in range(1000):
        metadata = {"namespace": NAMESPACES[i % 25], "name": f"service-{i}", **fields}
        address = f"10.0.{i // 250}.{i % 250}"
        api.put("/api/v1/services", {"metadata": metadata, "spec": {"selector": {"app": f"app-{i % 500}"},
                                                                    "ports": [{"port": 80}]}})
        api.put("/api/v1/endpoints", {"metadata": metadata, "subsets": [
            {"addresses": [{"ip": address}], "ports": [{"port": 8080}]}]})
        api.put("/apis/discovery.k8s.io/v1/endpointslices", {
            "metadata": {**metadata, "labels": {"kubernetes.io/service-name": f"service-{i}"}},
            "endpoints": [{"addresses": [address]}], "ports": [{"port": 8080, "name": ""}]})
    for i in range(500):
        metadata = {"namespace": NAMESPACES[i % 25], "name": f"app-{i}", **fields}
        api.put("/apis/apps/v1/deployments", {"metadata": metadata, "spec": {"replicas": 10}, "status": {"readyReplicas": 10}})
        api.put("/api/v1/configmaps", {"metadata": metadata, "data": {"settings": SETTINGS}})
    for i in range(PODS):
        api.put("/api/v1/pods", pod(bits, i))
    # Whether a pod uses a pending claim decides if that is a fault: with many namespaces all pods are read.
    for i in range(25 if every_pod else 0):
        api.put("/api/v1/persistentvolumeclaims", {"metadata": {"namespace": NAMESPACES[i], "name": "waiting"},
                                                   "spec": {}, "status": {"phase": "Pending"}})
    api.events.clear()


def measure(watch, every_pod, changes_a_minute):
    api = KubernetesApi()
    fill(api, every_pod)
    bits = random.Random(2)
    with tempfile.TemporaryDirectory() as scratch:
        config = pathlib.Path(scratch) / "shortcircuit.yaml"
        config.write_text(f"kubernetes: {{url: '{api.url}', watch: {str(watch).lower()}}}\n")
        with Exporter(BINARY, "--config", str(config)) as exporter:
            exporter.ready()
            wait_for("the first lists", lambda: api.requests.count("/version") >= 3, patience=120)
            before, asked = collections.Counter(api.sent), len(api.requests)
            began = time.monotonic()
            changed = 0
            while time.monotonic() < began + MINUTES * 60:
                while changed < changes_a_minute * (time.monotonic() - began) / 60:
                    changed += 1
                    old = api.objects["/api/v1/pods"][sorted(api.objects["/api/v1/pods"])[bits.randrange(PODS)]]
                    api.put("/api/v1/pods", {**old, "status": {**old["status"], "phase": bits.choice(["Running", "Failed"])}})
                time.sleep(0.2)
            minutes = (time.monotonic() - began) / 60
            sent = api.sent - before
            for line in exporter.log:
                if "cannot" in line:
                    print("disturbed:", line, file=sys.stderr, flush=True)
            assert exporter.metric('shortcircuit_source_up{source="kubernetes",target=""}') == 1
            peak = [line for line in pathlib.Path(f"/proc/{exporter.process.pid}/status").read_text().splitlines()
                    if line.startswith("VmHWM")][0].split()[1]
            requests = (len(api.requests) - asked) / minutes
    api.close()
    return sum(sent.values()) / minutes, {k: round(v / minutes) for k, v in sent.items()}, requests, int(peak) // 1024


def main():
    cases = [(every_pod, changes, watch) for every_pod in (False, True) for changes in (0, 60) for watch in (False, True)]
    cases = [case for case in cases if case[0] or case[1] == 0]
    print(f"{MINUTES:g} minutes each, bytes per minute from the server\n")
    print("| every pod read | changes of pods a minute | watch | bytes a minute | requests a minute | peak memory, MB | of which |")
    print("|---|---|---|---|---|---|---|")
    with concurrent.futures.ProcessPoolExecutor(3) as pool:
        running = [(case, pool.submit(measure, case[2], case[0], case[1])) for case in cases]
        for (every_pod, changes, watch), future in running:
            total, parts, requests, peak = future.result()
            print(f"| {'yes' if every_pod else 'no'} | {changes} | {'yes' if watch else 'no'} | {total:,.0f} | "
                  f"{requests:.0f} | {peak} | {parts} |", flush=True)


if __name__ == "__main__":
    main()
