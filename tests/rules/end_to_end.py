#!/usr/bin/env python3
"""Exporter → Prometheus → Alertmanager → a receiver, all real, for every recording: which alerts fire, what notifies.

  end_to_end.py BINARY RECORDINGS [--only NAME ...] [--show]

Each scenario of expected_notifications.yaml is an exporter of its own that replays a recording. One Prometheus scrapes all of them,
told apart by the label `cluster`, with the shipped rules, and one Alertmanager has the shipped configuration. Only times are
changed: every duration of both (interval, for, keep_firing_for, ranges, group_wait, group_interval, repeat_interval) is divided by
`factor`, so that the longest `for` of 15 minutes is 30 seconds. What is compared is order and number, never a time.
"""
import argparse
import collections
import concurrent.futures
import http.server
import json
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
import urllib.request

import yaml

root = pathlib.Path(__file__).resolve().parents[2]
factor = 30
units = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}


def shorter(duration):
    seconds = sum(float(number) * units[unit] for number, unit in re.findall(r"([0-9.]+)(ms|s|m|h|d)", duration))
    return f"{max(round(seconds / factor * 1000), 1)}ms"


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def write_rules(folder):
    files = sorted((root / "rules").glob("alerts/*.yaml")) + sorted((root / "rules").glob("recording/*.yaml"))
    for path in files:
        content = yaml.safe_load(path.read_text())
        for group in content["groups"]:
            group["interval"] = shorter(group["interval"])
            for rule in group["rules"]:
                # A replay polls its last step every 15 s, and that is not shortened.
                if rule.get("alert") == "ShortCircuitSnapshotStale":
                    continue
                for key in ("for", "keep_firing_for"):
                    if key in rule:
                        rule[key] = shorter(rule[key])
                rule["expr"] = re.sub(r"\[(\w+)\]", lambda found: f"[{shorter(found[1])}]", rule["expr"])
        (folder / path.name).write_text(yaml.safe_dump(content, allow_unicode=True))


def write_alertmanager(path, receiver_port):
    content = yaml.safe_load((root / "deploy/alertmanager/alertmanager.yml").read_text())

    def walk(route):
        for key in ("group_wait", "group_interval", "repeat_interval"):
            if key in route:
                route[key] = shorter(route[key])
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


def steps_of(recording):
    """Folders that are steps: those that hold a moment. A recording without steps is one step."""
    return sorted(path.parent for path in recording.glob("*/recorded_at"))


def prepare(recording, wanted, folder):
    """The recording, or only its first steps laid over each other, and its configuration."""
    upto = wanted.get("upto")
    if not upto:
        return recording, recording / "shortcircuit.yaml"
    target = folder / "recording"
    target.mkdir(parents=True)
    for step in steps_of(recording):
        # A later answer replaces an earlier status of the same name, and the other way round.
        for path in sorted(step.rglob("*")):
            if path.is_file():
                there = target / path.relative_to(step)
                there.parent.mkdir(parents=True, exist_ok=True)
                for other in (there.with_suffix(".json"), there.with_suffix(".txt"), there.with_suffix(".status")):
                    if other != there and other.exists() and there.suffix in (".json", ".txt", ".status"):
                        other.unlink()
                shutil.copy(path, there)
        if step.name == upto:
            break
    return target, recording / "shortcircuit.yaml"


class Receiver(http.server.BaseHTTPRequestHandler):
    notifications = []

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.notifications.append((self.path.strip("/"), body))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        pass


def fetch(url):
    with urllib.request.urlopen(url, timeout=5) as answer:
        return answer.read().decode()


def wait_for(url, seconds=60):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            return fetch(url)
        except OSError:
            time.sleep(0.1)
    raise TimeoutError(f"{url} does not answer")


def pages_of(notifications, name):
    """Incidents in the order in which they paged. A notification that tells nothing new (a host that is up again) is no page."""
    known, pages = collections.defaultdict(set), []
    for receiver, body in notifications:
        if receiver != "page" or body["groupLabels"].get("cluster", "") != name:
            continue
        firing = {alert["fingerprint"] for alert in body["alerts"] if alert["status"] == "firing"}
        if firing - known[body["groupKey"]]:
            pages.append(body["groupLabels"]["incident"])
        known[body["groupKey"]] = firing
    return pages


def informs_of(notifications, name):
    return {body["groupLabels"].get("layer", "") for receiver, body in notifications
            if receiver == "inform" and body["groupLabels"].get("cluster", "") == name and body["status"] == "firing"}


def ending_of(notifications, name):
    """`resolved` when every page was said to be over, `kept` when none was, else `mixed`."""
    last = {body["groupKey"]: body["status"] for receiver, body in notifications
            if receiver == "page" and body["groupLabels"].get("cluster", "") == name}
    states = set(last.values())
    return {frozenset({"resolved"}): "resolved", frozenset({"firing"}): "kept"}.get(frozenset(states), "mixed")


def blanks_of(notifications):
    for _, body in notifications:
        for alert in body["alerts"]:
            for key, text in [*alert["labels"].items(), *alert["annotations"].items()]:
                if not text.strip() or "no value" in text or "  " in text:
                    yield f"{alert['labels']['alertname']} renders {key} as {text!r}"


def listening_port(log, process):
    """The port that the system chose for an exporter, which says it in its log."""
    end = time.monotonic() + 60
    while time.monotonic() < end and process.poll() is None:
        found = re.search(r"msg=listening address=127\.0\.0\.1:(\d+)", log.read_text())
        if found:
            return int(found.group(1))
        time.sleep(0.05)
    raise RuntimeError(f"{log.stem} does not listen:\n{log.read_text()}")


class Stack:
    """All processes, stopped in the opposite order; only those that were started here."""

    def __init__(self, folder):
        self.folder, self.processes = folder, []

    def start(self, name, *command):
        log = open(self.folder / f"{name}.log", "wb")
        process = subprocess.Popen([str(part) for part in command], stdout=log, stderr=log)
        self.processes.append(process)
        return process

    def stop(self):
        for process in reversed(self.processes):
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for process in self.processes:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary", type=pathlib.Path)
    parser.add_argument("recordings", type=pathlib.Path)
    parser.add_argument("--only", nargs="+", default=[])
    parser.add_argument("--show", action="store_true", help="print what was seen as the content of the table of expectations")
    parser.add_argument("--keep", type=pathlib.Path, help="work in this folder and leave logs and notifications there")
    options = parser.parse_args()
    if not options.binary.exists():
        print(f"skipped: {options.binary} does not exist yet")
        return 77

    table = yaml.safe_load(pathlib.Path(__file__).with_name("expected_notifications.yaml").read_text())
    expected = {name: want for name, want in table.items() if not options.only or name in options.only}
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.keep or pathlib.Path(scratch)
        folder.mkdir(exist_ok=True)
        return run(options, expected, folder)


def run(options, expected, folder):
    prometheus_port, alertmanager_port, receiver_port = free_ports(3)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", receiver_port), Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    (folder / "rules").mkdir(exist_ok=True)
    write_rules(folder / "rules")
    write_alertmanager(folder / "alertmanager.yml", receiver_port)

    stack = Stack(folder)
    kills, failures = {}, []
    try:
        stack.start("alertmanager", "prometheus-alertmanager", f"--config.file={folder}/alertmanager.yml",
                    f"--storage.path={folder}/alertmanager", f"--web.listen-address=127.0.0.1:{alertmanager_port}",
                    "--cluster.listen-address=", "--log.level=warn")
        exporters = {}
        for name, want in expected.items():
            (folder / name).mkdir(exist_ok=True)
            recording, config = prepare(options.recordings / want.get("recording", name), want, folder / name)
            command = [options.binary, "serve", "--config", config, "--replay", recording,
                       "--web.listen-address", "127.0.0.1:0"]
            if "step_interval" in want:
                command += ["--replay.step-interval", want["step_interval"]]
            exporters[name] = stack.start(name, *command)
        ports = {name: listening_port(folder / f"{name}.log", process) for name, process in exporters.items()}
        write_prometheus(folder / "prometheus.yml", alertmanager_port, ports)
        # Every exporter answers before Prometheus starts: what is missing at the start is not what is tested here.
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda name: wait_for(f"http://127.0.0.1:{ports[name]}/-/ready"), expected))
        # Alertmanager believes an alert for four resend delays: one second of them made a machine that stood still for four
        # seconds notify twice, which four minutes at the usual pace do not.
        stack.start("prometheus", "prometheus", f"--config.file={folder}/prometheus.yml",
                    f"--storage.tsdb.path={folder}/prometheus", f"--web.listen-address=127.0.0.1:{prometheus_port}",
                    "--rules.alert.resend-delay=5s", "--log.level=warn")
        wait_for(f"http://127.0.0.1:{prometheus_port}/-/ready")
        wait_for(f"http://127.0.0.1:{alertmanager_port}/-/ready")
        begin = time.monotonic()
        kills = {name: want["killed_after"] for name, want in expected.items() if "killed_after" in want}
        length = max(want.get("seconds", 60) for want in expected.values())
        print(f"{len(expected)} exporters, one Prometheus, one Alertmanager: {length} s", flush=True)
        while time.monotonic() - begin < length:
            for name in [name for name, after in kills.items() if time.monotonic() - begin > after]:
                exporters[name].kill()
                del kills[name]
            for name, process in exporters.items():
                if process.poll() is not None and "killed_after" not in expected[name]:
                    failures.append(f"{name}: the exporter ended with {process.returncode}, see its log:\n"
                                    + (folder / f"{name}.log").read_text()[-2000:])
                    raise InterruptedError
            time.sleep(0.2)
        query = urllib.parse.urlencode({"query":
            'group by (cluster, alertname, layer, severity) (last_over_time(ALERTS{alertstate="firing"}[1h]))'})
        fired = collections.defaultdict(set)
        for series in json.loads(fetch(f"http://127.0.0.1:{prometheus_port}/api/v1/query?{query}"))["data"]["result"]:
            fired[series["metric"].get("cluster", "")].add(series["metric"]["alertname"])
    except (InterruptedError, TimeoutError) as error:
        failures.append(str(error))
        print("\n".join(failures))
        return 1
    finally:
        stack.stop()
        server.shutdown()
    notifications = list(Receiver.notifications)
    (folder / "notifications.json").write_text(json.dumps(notifications, indent=1))
    seen = {name: {"pages": sorted(pages_of(notifications, name)), "informs": sorted(informs_of(notifications, name)),
                   "alerts": sorted(fired[name])} for name in expected}
    failures += [f"{name}: {kind}: expected {sorted(want[kind])}, seen {seen[name][kind]}"
                 for name, want in expected.items() for kind in ("pages", "informs", "alerts")
                 if sorted(want[kind]) != seen[name][kind]]
    failures += [f"{name}: the pages should end as {want['ends']}, and are {ending_of(notifications, name)}"
                 for name, want in expected.items() if "ends" in want and ending_of(notifications, name) != want["ends"]]
    failures += sorted(set(blanks_of(notifications)))
    if options.show:
        print(yaml.safe_dump(seen, sort_keys=False, width=110, default_flow_style=None))
    width = max(len(name) for name in expected)
    print(f"{'replayed':{width}}  pages, one for each: incident | informs: layer | alerts that fire")
    for name in expected:
        print(f"{name:{width}}  {', '.join(seen[name]['pages']) or 'none'} | {', '.join(seen[name]['informs']) or 'none'} | "
              + (", ".join(alert.removeprefix("ShortCircuit") for alert in seen[name]["alerts"]) or "none"))
    print("\n".join(failures) if failures else "ok")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
