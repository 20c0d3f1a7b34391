#!/usr/bin/env python3
"""The binary beside a Kubernetes API server that speaks list and watch: what changes is seen without lists, what
breaks is seen as well.

usage: kubernetes_watch_test.py BINARY
"""
import os
import pathlib
import shutil
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from exporter import Exporter, main, wait_for  # noqa: E402
from kubernetes_api import KubernetesApi  # noqa: E402

BINARY = sys.argv[1]
SCRATCH = pathlib.Path(tempfile.mkdtemp(prefix="sc-"))
NODES, SERVICES = "/api/v1/nodes", "/api/v1/services"
INGRESSES, CLASSES = "/apis/networking.k8s.io/v1/ingresses", "/apis/networking.k8s.io/v1/ingressclasses"
FAILURES = 'shortcircuit_source_poll_failures_total{source="kubernetes",target="",reason="timeout"}'
UP = 'shortcircuit_source_up{source="kubernetes",target=""}'
NEVER = "1h"
# A program under a sanitizer needs longer for its first lists.
INTERVAL, TIMEOUT = ("2s", "1900ms") if "SHORTCIRCUIT_SANITIZE" in os.environ else ("500ms", "400ms")


def node(name, ready=True):
    return {"metadata": {"name": name}, "status": {
        "addresses": [{"type": "InternalIP", "address": "10.1.0.1"}],
        "conditions": [{"type": "Ready", "status": "True" if ready else "False"}]}}


def ingress(name):
    backend = {"service": {"name": name, "port": {"number": 80}}}
    return {"metadata": {"namespace": "shop", "name": name}, "spec": {"ingressClassName": "traefik", "rules": [
        {"host": f"{name}.example", "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]}}]}}


def routes_of(exporter):
    return [line for line in exporter.request("/metrics")[2].decode().splitlines() if line.startswith("shortcircuit_route_up{")]


def ready_of(exporter, name):
    return exporter.metric(f'shortcircuit_kubernetes_node_ready{{node_name="{name}"}}')


class Following:
    """An exporter that follows `api`; by default without a full list during the test."""

    def __init__(self, api, full_list_interval=NEVER, more=""):
        config = SCRATCH / f"{api.port}.yaml"
        config.write_text(f"kubernetes: {{url: '{api.url}', interval: {INTERVAL}, timeout: {TIMEOUT}, "
                          f"full_list_interval: {full_list_interval}{more}}}\n")
        self.exporter = Exporter(BINARY, "--config", str(config))

    def __enter__(self):
        return self.exporter.__enter__().ready()

    def __exit__(self, *error):
        self.exporter.__exit__(*error)


def lists(api):
    return [path for path in api.requests if path != "/version" and "watch=1" not in path]


def polls(api, count):
    """Waits until `count` more polls have begun."""
    before = api.requests.count("/version")
    wait_for("polls", lambda: api.requests.count("/version") >= before + count)


def cluster(**objects):
    api = KubernetesApi(**objects)
    for name in ("a", "b"):
        api.put(NODES, node(name))
    return api


def steady(api):
    """Until no kind is listed any more that is there; those that are not there are asked for by lists."""
    wait_for("watches", lambda: len([p for p in api.requests if "watch=1" in p]) >= 15)
    polls(api, 2)
    api.requests.clear()


def test_changes_are_seen_without_lists():
    api = cluster()
    with Following(api) as exporter:
        assert ready_of(exporter, "a") == 1 and ready_of(exporter, "b") == 1
        steady(api)
        api.put(NODES, node("c"))
        wait_for("a new node", lambda: ready_of(exporter, "c") == 1)
        api.put(NODES, node("a", ready=False))
        wait_for("a changed node", lambda: ready_of(exporter, "a") == 0)
        api.delete(NODES, "", "b")
        wait_for("a node that went", lambda: ready_of(exporter, "b") is None)
        assert ready_of(exporter, "c") == 1 and exporter.metric(UP) == 1
        present = [path for path in lists(api) if "traefik" not in path]
        assert not present, present
    api.close()


def test_a_broken_connection_is_resumed_from_the_last_version():
    api = cluster()
    api.bookmark_seconds = 0.2
    with Following(api) as exporter:
        steady(api)
        # What breaks while a poll reads is listed by it, so the break comes before the poll reads anything. A machine
        # that is too slow to notice it, or to open the resumed watch within the poll, lists as well: another try.
        for attempt in range(5):
            api.put(SERVICES, {"metadata": {"namespace": "shop", "name": f"web-{attempt}"}, "spec": {}})
            polls(api, 3)  # bookmarks bring the version of the other kinds along
            version, broken = api.version, threading.Event()

            def break_all_but(connection):
                api.requests.clear()
                api.break_connections(but=connection)
                api.put(NODES, node(f"new-{attempt}"))
                time.sleep(0.2)
                broken.set()
            api.at_next_poll = break_all_but
            wait_for("a poll", broken.is_set)
            wait_for("a change after the break", lambda: ready_of(exporter, f"new-{attempt}") == 1)
            assert exporter.metric(UP) == 1
            resumed = [path for path in api.requests if "watch=1" in path and path.startswith(NODES)]
            if resumed and f"&resourceVersion={version}&" in resumed[0]:
                break
        else:
            raise AssertionError((version, resumed))
    api.close()


def test_versions_that_are_too_old_lead_to_a_list():
    api = cluster()
    with Following(api) as exporter:
        steady(api)
        api.put(SERVICES, {"metadata": {"namespace": "shop", "name": "web"}, "spec": {}})
        api.put(NODES, node("c"))
        api.compact()
        api.break_connections()
        wait_for("what came while nobody followed", lambda: ready_of(exporter, "c") == 1)
        wait_for("lists", lambda: any(path.startswith(SERVICES) for path in lists(api)))
        api.put(NODES, node("c", ready=False))
        wait_for("a change after the list", lambda: ready_of(exporter, "c") == 0)
    api.close()


def test_a_server_that_is_gone_is_down_and_comes_back():
    api = cluster()
    with Following(api) as exporter:
        steady(api)
        port = api.port
        api.close()
        wait_for("the source to be down", lambda: exporter.metric(UP) == 0)
        wait_for("old objects to be forgotten", lambda: ready_of(exporter, "a") is None)
        other = KubernetesApi(port=port)
        other.put(NODES, node("d"))
        wait_for("the new server's node", lambda: ready_of(exporter, "d") == 1)
        assert ready_of(exporter, "a") is None and exporter.metric(UP) == 1
        other.close()


def test_a_server_that_only_keeps_its_connections_is_down():
    api = cluster()
    with Following(api) as exporter:
        steady(api)
        api.mute = True  # watches stay open, requests get no answer
        wait_for("the source to be down", lambda: exporter.metric(UP) == 0)
        wait_for("old objects to be forgotten", lambda: ready_of(exporter, "a") is None)
        api.mute = False
        wait_for("the source to be up", lambda: exporter.metric(UP) == 1 and ready_of(exporter, "a") == 1)
    api.close()


def test_a_route_that_comes_while_a_watch_ended_is_no_fault():
    """The resumed watch is open before it has told of the new Service; the Ingress is known at once."""
    api = cluster()
    api.put(CLASSES, {"metadata": {"name": "traefik"}, "spec": {"controller": "traefik.io/ingress-controller"}})
    api.watch_delay = 0.005
    with Following(api) as exporter:
        steady(api)
        for attempt in range(4):
            name = f"web-{attempt}"
            api.break_watch(SERVICES)
            api.put(SERVICES, {"metadata": {"namespace": "shop", "name": name}, "spec": {"ports": [{"port": 80}]}})
            api.put(INGRESSES, ingress(name))
            wanted, seen = f'shortcircuit_route_up{{host="{name}.example",path="/",object="shop/{name}"}}', []

            def is_known():
                seen.extend(finding for finding in exporter.findings()["findings"] if finding["reason"] == "service_absent")
                return exporter.metric(wanted) is not None or any(name in route for route in routes_of(exporter))
            wait_for("the route", is_known)
            polls(api, 1)
            is_known()
            assert not seen, seen
        # It is no blindness: a Service that is really absent is found.
        api.put(INGRESSES, ingress("lost"))
        wait_for("what is really absent", lambda: [finding for finding in exporter.findings()["findings"]
                                                   if finding["reason"] == "service_absent"])
    api.close()


def test_a_list_that_is_late_hides_nothing():
    api = cluster()
    api.put(CLASSES, {"metadata": {"name": "traefik"}, "spec": {"controller": "traefik.io/ingress-controller"}})
    api.put(INGRESSES, ingress("web"))
    with Following(api, full_list_interval="2s") as exporter:
        steady(api)
        wait_for("the route", lambda: any("shop/web" in route for route in routes_of(exporter)))
        api.list_delay[NODES] = 60
        seen = []

        def missed():
            seen.append(ready_of(exporter, "a"))
            return exporter.metric(FAILURES) > 0
        wait_for("a late list", missed)
        seen.append(ready_of(exporter, "a"))
        assert set(seen) == {1} and exporter.metric(UP) == 1, seen
        # Late for good: it is unknown, and says so.
        wait_for("nodes to be unknown", lambda: ready_of(exporter, "a") is None)
        assert any("shop/web" in route for route in routes_of(exporter))
        del api.list_delay[NODES]
        wait_for("nodes to be known", lambda: ready_of(exporter, "a") == 1)
    api.close()


def test_a_restored_server_heals_with_the_full_list():
    api = cluster()
    then = api.saved()
    for _ in range(20):
        api.put(NODES, node("a"))
    api.put(NODES, node("late"))
    with Following(api, full_list_interval="3s") as exporter:
        wait_for("the late node", lambda: ready_of(exporter, "late") == 1)
        wait_for("watches", lambda: len([p for p in api.requests if "watch=1" in p]) >= 15)
        api.restore(then)  # silent: the version that the watches ask for lies ahead
        wait_for("the older state", lambda: ready_of(exporter, "late") is None)
        api.put(NODES, node("a", ready=False))
        wait_for("a change after it", lambda: ready_of(exporter, "a") == 0)
    api.close()


def test_where_watches_are_refused_lists_do():
    api = cluster()
    api.watch_status = 403
    with Following(api) as exporter:
        polls(api, 4)
        api.put(NODES, node("c"))
        wait_for("a new node", lambda: ready_of(exporter, "c") == 1)
        asked = [path for path in api.requests if "watch=1" in path and path.startswith(NODES)]
        assert len(asked) == 1, asked
    said = [line for line in exporter.log if "watches are refused" in line]
    assert len(said) == 1 and "nodes" in said[0] and "services" in said[0], said
    api.close()


def test_watch_false_lists():
    api = cluster()
    with Following(api, more=", watch: false") as exporter:
        polls_before = len([path for path in lists(api) if path.startswith(NODES)])
        wait_for("lists", lambda: len([p for p in lists(api) if p.startswith(NODES)]) >= polls_before + 3)
        assert exporter.metric(UP) == 1
        assert not [path for path in api.requests if "watch=1" in path]
    api.close()


def test_hundreds_of_changes_between_two_polls():
    api = cluster()
    with Following(api) as exporter:
        steady(api)
        for i in range(400):
            api.put(NODES, {**node(f"n{i % 40}", ready=i >= 360), "padding": "x" * 5000})
        wait_for("all of them", lambda: all(ready_of(exporter, f"n{i}") == 1 for i in range(40)))
        api.delete(NODES, "", "n0")
        wait_for("one that went", lambda: ready_of(exporter, "n0") is None)
    api.close()


if __name__ == "__main__":
    try:
        main([test for name, test in list(globals().items()) if name.startswith("test_")])
    finally:
        shutil.rmtree(SCRATCH, ignore_errors=True)
