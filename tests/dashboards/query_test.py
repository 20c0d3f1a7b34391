#!/usr/bin/env python3
"""Every query of every dashboard runs on a real Prometheus that scraped the exporter through the night's replay.

  query_test.py BINARY RECORDINGS

Each query must give a series at some moment of the night, or is listed below with the reason why it cannot; a listed query
that does give one is an error too, so that the list stays true. The Overview must also tell the story of the night.
"""
import html
import pathlib
import re
import sys
import tempfile
import time

root = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(root / "dashboards"))
from viewer import boards, page, replay  # noqa: E402
from generator import layers  # noqa: E402

no_probe = "the recording has no probes"
three_members = "etcd of the lab has three members"
# (dashboard, panel, query): reason. Without a query: all of the panel.
empty = {
    ("routes", "Probes"): no_probe, ("routes", "Time of a probe"): no_probe, ("routes", "Answers of probes"): no_probe,
    ("mesh", "Nodes at the control server", "C"): "no key of the lab has an end",
    ("etcd", "May still fail", "B"): three_members, ("overview", "etcd: may still fail", "B"): three_members,
    ("etcd", "Findings of etcd"): "etcd is well the whole night",
    ("etcd", "The other suspect: disk"): "etcd's own metric; here only the exporter is scraped",
    ("exporter", "Sources", "E"): "the recording's configuration checks every certificate",
    ("exporter", "Failed polls by reason"): "every poll of the recording succeeds",
}


def listed(uid, panel, reference):
    name = uid.removeprefix("shortcircuit-")
    return empty.get((name, panel, reference), empty.get((name, panel)))


def check_queries(url, begin, end):
    count = 0
    for uid, board in boards.load().items():
        for panel in boards.panels(board):
            for target in panel.get("targets", ()):
                count += 1
                where = f"{uid} / {panel['title']} / {target['refId']}"
                expression = boards.substituted(target["expr"], end - begin, "5s")
                try:
                    found = replay.ask(url, "query_range", query=expression, start=begin, end=end, step=1)["result"]
                    if target.get("instant"):
                        replay.ask(url, "query", query=expression, time=end)
                except ValueError as error:
                    yield f"{where}: {error}\n  {expression}"
                    continue
                reason = listed(uid, panel["title"], target["refId"])
                if not found and reason is None:
                    yield f"{where}: no series in the whole night, and no reason for it\n  {expression}"
                if found and reason is not None:
                    yield f"{where}: is listed as empty ({reason}) and has {len(found)} series"
        for annotation in board["annotations"]["list"]:
            expression = boards.substituted(annotation["expr"], end - begin)
            if not replay.ask(url, "query_range", query=expression, start=begin, end=end, step=1)["result"]:
                yield f"{uid}: no alert fired that {annotation['name']} could show"
        for variable in board["templating"]["list"]:
            found = re.fullmatch(r"label_values\((.*), (\w+)\)", variable["query"]["query"] if variable["type"] == "query" else "")
            if found:
                match = boards.substituted(found[1], end - begin)
                values = replay.ask(url, f"label/{found[2]}/values", **{"match[]": match, "start": begin, "end": end})
                if not values and found[2] != "cluster":
                    yield f"{uid}: the variable {found[2]} has no value"
    print(f"{count} queries")


def rows(url, title, at, seconds):
    """Rows of a table of the Overview: labels of each series at a moment."""
    board = boards.load()["shortcircuit-overview"]
    panel = next(panel for panel in boards.panels(board) if panel["title"] == title)
    found = replay.ask(url, "query", query=boards.substituted(panel["targets"][0]["expr"], seconds), time=at)["result"]
    return [(one["metric"], float(one["value"][1])) for one in found]


def check_story(url, play):
    """The Overview alone, step by step: which layers are broken, what to do first, which routes stand still."""
    wanted = ["load_balancer", "external_name", "middleware", "webhook", "endpoint_address", "endpoint_port", "proxy_chain", "path_mtu", "mesh"]
    seconds, moments = 60, play.moments()
    for number, step in enumerate(play.steps):
        if step not in moments:
            yield f"Prometheus saw nothing of {step}"
            continue
        at, left = moments[step], sorted(layers.lanes[layer] for layer in wanted[number:])
        broken = sorted(metric["lane"] for metric, value in rows(url, "What broke first", at, seconds) if value > 0)
        if broken != left:
            yield f"{step}: the Overview shows {broken} as broken instead of {left}"
        first = min(metric["lane"] for metric, _ in rows(url, "Mend this layer first", at, seconds))
        if first != (left[0] if left else "99 nothing broken"):
            yield f"{step}: the Overview says first {first}"
        do = rows(url, "What to do, from the top", at, seconds)
        if {metric["lane"].removesuffix(", then") for metric, _ in do} != set(left):
            yield f"{step}: nothing to do for {set(left) - {metric['lane'] for metric, _ in do}}"
        for metric, _ in do:
            if metric["do_first"] not in layers.do_first or not (root / f"rules/runbooks/shortcircuit{metric['runbook']}.md").exists():
                yield f"no advice or no runbook: {metric}"
    def still(step):
        found = rows(url, "Routes and what stops them", moments.get(step, 0), seconds)
        return {metric["host"]: metric.get("lane") for metric, value in found if value == 0}
    causes, standing = still(play.steps[0]), still(play.steps[-1])
    if len(causes) != 4 or set(causes.values()) != {"01 load balancer"}:
        yield f"{play.steps[0]}: the causes of the routes are {causes}"
    if standing:
        yield f"{play.steps[-1]}: routes that stand still: {standing}"


def check_blindness(url, play):
    """Without the exporter nothing may look fine."""
    play.stop_exporter()
    lanes = rows(url, "What broke first", time.time(), 60)
    if len(lanes) != len(layers.layers) or {value for _, value in lanes} != {-1}:
        yield f"without the exporter the lanes say {lanes}"
    first = min((metric["lane"] for metric, _ in rows(url, "Mend this layer first", time.time(), 60)), default="nothing")
    if not first.startswith("98 not known"):
        yield f"without the exporter the first tile says {first}"
    still = rows(url, "Routes and what stops them", time.time(), 60)
    if still:
        yield f"without the exporter there are routes: {still}"


def check_replicas(url, at):
    """Two exporters that see the same (two replicas) change no number: nothing is counted twice."""
    for uid, board in boards.load().items():
        if uid == "shortcircuit-exporter":  # it is about the exporters themselves
            continue
        for panel in boards.panels(board):
            for target in panel.get("targets", ()):
                if "rate(" in target["expr"]:  # two scrapes at two moments: never quite the same
                    continue
                one, both = [replay.ask(url, "query", time=at, query=boards.substituted(target["expr"].replace("$instance", name), 60, "5s"))["result"]
                             for name in ("first", ".+")]
                values = [sorted((sorted(each["metric"].items()), each["value"][1]) for each in found) for found in (one, both)]
                if values[0] != values[1]:
                    yield f"{uid} / {panel['title']} / {target['refId']}: another number with two exporters that see the same"


def check_preview(url, begin, end):
    """The preview can draw everything; how it looks is for people to say."""
    for uid, board in boards.load().items():
        content, _ = page.render(url, board, begin, end)
        for panel in boards.panels(board):
            if html.escape(panel["title"]) not in content:
                yield f"{uid}: the preview leaves out {panel['title']}"


def middle(play, step):
    """A moment at which both scrapes saw the same step."""
    moments = list(play.moments().values())
    return (moments[step - 1] + moments[step] + 1) / 2


def main():
    binary, recordings = map(pathlib.Path, sys.argv[1:3])
    with tempfile.TemporaryDirectory() as scratch:
        with replay.Replay(binary.resolve(), recordings / "night", pathlib.Path(scratch), step_seconds=3, twice=True) as play:
            play.play()
            url, end = f"http://127.0.0.1:{play.port}", time.time()
            failures = [*check_queries(url, play.begin - 2, end), *check_story(url, play), *check_replicas(url, middle(play, 1)),
                        *check_preview(url, play.begin - 2, end), *check_blindness(url, play)]
    print("\n".join(failures) if failures else "ok")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
