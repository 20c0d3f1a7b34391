"""A Prometheus with the shipped rules and an Alertmanager with the shipped configuration, every duration of both divided by a
factor, and the receiver of its notifications. Used by end_to_end.py."""
import http.server
import json
import pathlib
import re
import socket
import sys
import threading
import time
import urllib.parse
import urllib.request

import yaml

root = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(root / "dashboards"))
from viewer.programs import Programs, shorter  # noqa: E402


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def write_rules(folder, factor):
    files = sorted((root / "rules").glob("alerts/*.yaml")) + sorted((root / "rules").glob("recording/*.yaml"))
    for path in files:
        content = yaml.safe_load(path.read_text())
        for group in content["groups"]:
            group["interval"] = shorter(group["interval"], factor)
            for rule in group["rules"]:
                # A replay polls its last step every 15 s, and that is not shortened.
                if rule.get("alert") == "ShortCircuitSnapshotStale":
                    continue
                for key in ("for", "keep_firing_for"):
                    if key in rule:
                        rule[key] = shorter(rule[key], factor)
                rule["expr"] = re.sub(r"\[(\w+)\]", lambda found: f"[{shorter(found[1], factor)}]", rule["expr"])
        (folder / path.name).write_text(yaml.safe_dump(content, allow_unicode=True))


def write_alertmanager(path, receiver_port, factor):
    content = yaml.safe_load((root / "deploy/alertmanager/alertmanager.yml").read_text())

    def walk(route):
        for key in ("group_wait", "group_interval", "repeat_interval"):
            if key in route:
                route[key] = shorter(route[key], factor)
        for child in route.get("routes", ()):
            walk(child)

    walk(content["route"])
    for receiver in content["receivers"]:
        for hook in receiver.get("webhook_configs", ()):
            hook["url"] = f"http://127.0.0.1:{receiver_port}{urllib.parse.urlparse(hook['url']).path}"
    path.write_text(yaml.safe_dump(content))


def write_prometheus(path, alertmanager_port, targets):
    path.write_text(yaml.safe_dump({
        "global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"},
        "rule_files": ["rules/*.yaml"],
        "alerting": {"alertmanagers": [{"static_configs": [{"targets": [f"127.0.0.1:{alertmanager_port}"]}]}]},
        "scrape_configs": [{"job_name": "shortcircuit", "static_configs": [
            {"targets": [f"127.0.0.1:{port}"], "labels": {"cluster": name}} for name, port in targets.items()]}]}))


class Receiver:
    """Keeps what Alertmanager sends, as (receiver's name, body)."""

    def __init__(self):
        self.notifications = []
        kept = self.notifications

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                kept.append((self.path.strip("/"), body))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


def fetch(url):
    with urllib.request.urlopen(url, timeout=5) as answer:
        return answer.read().decode()


def listening_port(log, process):
    """The port that the system chose for an exporter, which says it in its log."""
    end = time.monotonic() + 60
    while time.monotonic() < end and process.poll() is None:
        found = re.search(r"msg=listening address=127\.0\.0\.1:(\d+)", log.read_text())
        if found:
            return int(found.group(1))
        time.sleep(0.05)
    raise RuntimeError(f"{log.stem} does not listen:\n{log.read_text()}")


class Stack(Programs):
    def start_prometheus(self, factor, receiver_port, targets):
        """Its address, once it and its Alertmanager answer. `targets`: the port of each cluster's exporter."""
        prometheus_port, alertmanager_port = free_ports(2)
        (self.folder / "rules").mkdir(exist_ok=True)
        write_rules(self.folder / "rules", factor)
        write_alertmanager(self.folder / "alertmanager.yml", receiver_port, factor)
        write_prometheus(self.folder / "prometheus.yml", alertmanager_port, targets)
        self.start("alertmanager", "prometheus-alertmanager", f"--config.file={self.folder}/alertmanager.yml",
                   f"--storage.path={self.folder}/alertmanager", f"--web.listen-address=127.0.0.1:{alertmanager_port}",
                   "--cluster.listen-address=", "--log.level=warn")
        self.wait_for(f"http://127.0.0.1:{alertmanager_port}/-/ready")
        # Alertmanager believes an alert for four resend delays: one second of them made a machine that stood still for four
        # seconds notify twice, which four minutes at the usual pace do not.
        self.start("prometheus", "prometheus", f"--config.file={self.folder}/prometheus.yml",
                   f"--storage.tsdb.path={self.folder}/prometheus", f"--web.listen-address=127.0.0.1:{prometheus_port}",
                   "--rules.alert.resend-delay=5s", "--log.level=warn")
        self.wait_for(f"http://127.0.0.1:{prometheus_port}/-/ready")
        return f"http://127.0.0.1:{prometheus_port}"
