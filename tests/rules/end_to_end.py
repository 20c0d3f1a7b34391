#!/usr/bin/env python3
"""Exporter → Prometheus → Alertmanager → a receiver, all real, for every recording: which alerts fire, what notifies.

  end_to_end.py BINARY RECORDINGS [--only NAME ...] [--show] [--keep FOLDER]

Each scenario of expected_notifications.yaml is an exporter of its own that replays a recording. One Prometheus scrapes all of them,
told apart by the label `cluster`, with the shipped rules, and one Alertmanager has the shipped configuration. Only times are
changed: every duration of both (interval, for, keep_firing_for, ranges, group_wait, group_interval, repeat_interval) is divided by
30, so that the longest `for` of 15 minutes is 30 seconds. What is compared is order and number, never a time. But a machine that
stands still for a second is one that stands still for half a minute, and that is told twice by right. So what is not as expected
is tried once more, alone and at half the pace: a fault of the rules shows there as well.
"""
import argparse
import collections
import concurrent.futures
import json
import os
import pathlib
import shutil
import sys
import tempfile
import time
import urllib.parse

import yaml

from notification_stack import Receiver, Stack, fetch, listening_port

fast, slow = 30, 15


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


class Run:
    """Some scenarios at one pace: what was notified, and which alerts fired."""

    def __init__(self, options, scenarios, folder, factor):
        self.options, self.scenarios, self.folder, self.factor = options, scenarios, folder, factor
        self.notifications, self.fired, self.ended = [], collections.defaultdict(set), []
        folder.mkdir(exist_ok=True)
        with Receiver() as receiver, Stack(folder) as stack:
            exporters = self.start_exporters(stack)
            prometheus = stack.start_prometheus(factor, receiver.port,
                                                {name: port for name, (_, port) in exporters.items()})
            self.watch({name: process for name, (process, _) in exporters.items()})
            self.ask(prometheus)
        self.notifications = list(receiver.notifications)
        (folder / "notifications.json").write_text(json.dumps(self.notifications, indent=1))

    def start_exporters(self, stack):
        started = {}
        for name, want in self.scenarios.items():
            (self.folder / name).mkdir(exist_ok=True)
            recording, config = prepare(self.options.recordings / want.get("recording", name), want, self.folder / name)
            command = [self.options.binary, "serve", "--config", config, "--replay", recording,
                       "--web.listen-address", "127.0.0.1:0"]
            if "step_seconds" in want:
                command += ["--replay.step-interval", f"{self.stretched(want['step_seconds']):g}s"]
            started[name] = stack.start(name, *command)
        ports = {name: (process, listening_port(self.folder / f"{name}.log", process)) for name, process in started.items()}
        # Every exporter answers before Prometheus starts: what is missing at the start is not what is tested here.
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda port: stack.wait_for(f"http://127.0.0.1:{port}/-/ready"), [port for _, port in ports.values()]))
        return ports

    def stretched(self, seconds):
        """The times of the table are for the fast pace."""
        return seconds * fast / self.factor

    def watch(self, exporters):
        begin = time.monotonic()
        kills = {name: self.stretched(want["killed_after"]) for name, want in self.scenarios.items() if "killed_after" in want}
        length = self.stretched(max(want.get("seconds", 60) for want in self.scenarios.values()))
        print(f"{len(exporters)} exporters, one Prometheus, one Alertmanager: {length:.0f} s", flush=True)
        while time.monotonic() - begin < length:
            for name in [name for name, after in kills.items() if time.monotonic() - begin > after]:
                exporters[name].kill()
                del kills[name]
            for name, process in exporters.items():
                if process.poll() is not None and "killed_after" not in self.scenarios[name]:
                    raise RuntimeError(f"{name}: the exporter ended with {process.returncode}, see its log:\n"
                                       + (self.folder / f"{name}.log").read_text()[-2000:])
            time.sleep(0.2)

    def ask(self, prometheus):
        query = urllib.parse.urlencode({"query":
            'group by (cluster, alertname, layer, severity) (last_over_time(ALERTS{alertstate="firing"}[1h]))'})
        for series in json.loads(fetch(f"{prometheus}/api/v1/query?{query}"))["data"]["result"]:
            self.fired[series["metric"].get("cluster", "")].add(series["metric"]["alertname"])

    def seen(self, name):
        return {"pages": sorted(pages_of(self.notifications, name)), "informs": sorted(informs_of(self.notifications, name)),
                "alerts": sorted(self.fired[name])}

    def failures(self, name):
        want, seen = self.scenarios[name], self.seen(name)
        for kind in ("pages", "informs", "alerts"):
            if sorted(want[kind]) != seen[kind]:
                yield f"{name}: {kind}: expected {sorted(want[kind])}, seen {seen[kind]}"
        ending = ending_of(self.notifications, name)
        if want.get("ends", ending) != ending:
            yield f"{name}: the pages should end as {want['ends']}, and are {ending}"

    def print_table(self):
        width = max(len(name) for name in self.scenarios)
        print(f"{'replayed':{width}}  pages, one for each: incident | informs: layer | alerts that fire")
        for name in self.scenarios:
            seen = self.seen(name)
            print(f"{name:{width}}  {', '.join(seen['pages']) or 'none'} | {', '.join(seen['informs']) or 'none'} | "
                  + (", ".join(alert.removeprefix("ShortCircuit") for alert in seen["alerts"]) or "none"))


def compare(options, scenarios, folder):
    """What is not as expected, also when tried again."""
    first = Run(options, scenarios, folder, fast)
    if options.show:
        print(yaml.safe_dump({name: first.seen(name) for name in scenarios}, sort_keys=False, width=110,
                             default_flow_style=None))
    first.print_table()
    blanks = sorted(set(blanks_of(first.notifications)))
    doubtful = {name: want for name, want in scenarios.items() if list(first.failures(name))}
    if not doubtful:
        return blanks
    print("tried again at half the pace:", *(line for name in doubtful for line in first.failures(name)), sep="\n  ")
    second = Run(options, doubtful, folder / "again", slow)
    second.print_table()
    return blanks + [line for name in doubtful for line in second.failures(name)]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary", type=pathlib.Path)
    parser.add_argument("recordings", type=pathlib.Path)
    parser.add_argument("--only", nargs="+", default=[])
    parser.add_argument("--show", action="store_true", help="print what was seen as the content of the table of expectations")
    parser.add_argument("--keep", type=pathlib.Path, help="work in this folder and leave logs and notifications there")
    options = parser.parse_args()
    try:
        os.nice(-10)  # Prometheus keeps its pace beside other work; only root may ask for that
    except PermissionError:
        pass

    table = yaml.safe_load(pathlib.Path(__file__).with_name("expected_notifications.yaml").read_text())
    scenarios = {name: want for name, want in table.items() if not options.only or name in options.only}
    with tempfile.TemporaryDirectory() as scratch:
        try:
            failures = compare(options, scenarios, options.keep or pathlib.Path(scratch))
        except (RuntimeError, TimeoutError) as error:
            failures = [str(error)]
    print("\n".join(failures) if failures else "ok")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
