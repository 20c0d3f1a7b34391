#!/usr/bin/env python3
"""What holds for every dashboard without a server: generated, of the SDK's types, and clean by the rules of the field's linters.

  static_test.py VENV        VENV is a folder where dashboards/generate puts the SDK (made when it is missing)
"""
import itertools
import json
import pathlib
import re
import subprocess
import sys

import yaml

import promql_reader

root = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(root / "dashboards"))
from generator import layers  # noqa: E402
from viewer import boards  # noqa: E402

own_panels = {"stat", "timeseries", "state-timeline", "table", "bargauge", "text", "row"}
# Not the exporter's: metric → why a dashboard may ask for it.
foreign = {"etcd_disk_wal_fsync_duration_seconds_bucket": "the other suspect; the panel says that etcd itself must be scraped"}
target_labels = {"cluster", "job", "instance"}
built_in = {"ALERTS": {"alertname", "alertstate", "severity", "cluster"}}


def known_metrics():
    """Metrics of the reference: name → (type, labels); and the names that the rules record."""
    metrics = {}
    for line in (root / "exporter/METRICS.md").read_text().splitlines():
        if line.startswith("| `"):
            name, kind, labels, _ = [part.strip() for part in line.strip("|").split("|")][:4]
            metrics[name.strip("`")] = (kind, set(re.findall(r"`(\w+)`", labels)))
    recorded = {rule["record"] for path in (root / "rules").glob("*/*.yaml") if path.parent.name in ("alerts", "recording")
                for group in yaml.safe_load(path.read_text())["groups"] for rule in group["rules"] if "record" in rule}
    return metrics, recorded


def judge_selector(one, metrics, recorded):
    if one.metric in foreign:
        needed, known = {"cluster"}, {"le", "instance"}
    elif one.metric in recorded:
        needed, known = {"cluster"}, set()
    elif one.metric in built_in:
        needed, known = {"cluster"}, built_in[one.metric]
    elif one.metric in metrics:
        needed, known = target_labels, metrics[one.metric][1]
    else:
        yield f"{one.metric} is neither in exporter/METRICS.md nor recorded by the rules"
        return
    for label in needed:
        if one.matchers.get(label) != ("=~", f"${label}"):
            yield f"{one.metric} does not ask for {label}=~\"${label}\""
    for label in set(one.matchers) - known - target_labels:
        yield f"{one.metric} has no label {label}"
    rated = one.function in ("rate", "irate", "increase")
    if rated and one.range != "$__rate_interval":
        yield f"{one.function} of {one.metric} over [{one.range}] instead of [$__rate_interval]"
    if one.metric in metrics and rated != (metrics[one.metric][0] == "counter"):
        yield f"{one.metric} is a {metrics[one.metric][0]} and " + ("inside" if rated else "not inside") + " rate or increase"


def judge_panel(panel, metrics, recorded):
    if panel["type"] not in own_panels:
        yield f"the panel type {panel['type']} does not come with every Grafana"
    for key in ("title", "description"):
        if not panel.get(key, "").strip():
            yield f"no {key}"
    if panel["type"] == "text":
        return
    defaults = panel["fieldConfig"]["defaults"]
    for key in ("unit", "noValue"):
        if not defaults.get(key) and not (key == "noValue" and "matrix" in str(panel.get("transformations", "")).lower()):
            yield f"no {key}"
    if not defaults.get("thresholds", {}).get("steps"):
        yield "no thresholds"
    if not panel.get("targets"):
        yield "asks nothing"
    if panel.get("datasource", {}).get("uid") != "${datasource}":
        yield "does not use $datasource"
    for mapping in [*defaults.get("mappings", ()), *(value for override in panel["fieldConfig"]["overrides"]
                    for one in override["properties"] if one["id"] == "mappings" for value in one["value"])]:
        options = mapping["options"]
        for result in [options["result"]] if "result" in options else options.values():
            if not result.get("text"):
                yield "a value is told by colour alone"
    if panel["type"] == "stat" and not any(mapping["type"] == "special" and mapping["options"]["match"] == "null+nan"
                                           for mapping in defaults.get("mappings", ())):
        yield "has no colour of its own for what is not there"
    references = [target["refId"] for target in panel.get("targets", ())]
    if len(references) != len(set(references)):
        yield "two queries of one name"
    for target in panel.get("targets", ()):
        if panel["type"] in ("stat", "bargauge") and (not target.get("instant") or target.get("range")):
            yield "shows the last value of a range: what has vanished would look as it did"
        if target["datasource"]["uid"] != "${datasource}":
            yield "a query does not use $datasource"
        try:
            found = promql_reader.selectors(target["expr"])
        except (ValueError, AssertionError) as error:
            yield f"cannot read {target['expr']!r}: {error}"
            continue
        for one in found:
            yield from judge_selector(one, metrics, recorded)


def overlaps(panels):
    for one, other in itertools.combinations(panels, 2):
        a, b = one["gridPos"], other["gridPos"]
        if a["x"] < b["x"] + b["w"] and b["x"] < a["x"] + a["w"] and a["y"] < b["y"] + b["h"] and b["y"] < a["y"] + a["h"]:
            yield f"{one['title']} lies over {other['title']}"


def judge_board(board, metrics, recorded):
    text = json.dumps(board)
    for word in ("__inputs", "${DS_"):
        if word in text:
            yield f"{word} is of dashboards that are imported by hand"
    for key, wanted in {"refresh": "30s", "editable": False, "tags": ["shortcircuit"], "schemaVersion": 41, "timezone": ""}.items():
        if board.get(key) != wanted:
            yield f"{key} is {board.get(key)!r} and not {wanted!r}"
    if "id" in board:
        yield "has a numeric id, which belongs to one Grafana"
    if not board.get("description"):
        yield "no description"
    variables = {one["name"]: one for one in board["templating"]["list"]}
    if list(variables)[:4] != ["datasource", "cluster", "job", "instance"]:
        yield f"begins with the variables {list(variables)[:4]}"
    for name, one in variables.items():
        if not one.get("label") or not one.get("description"):
            yield f"the variable {name} has no label or no description"
        if name != "datasource":
            if one["refresh"] != 2 or one["datasource"]["uid"] != "${datasource}" or not one["includeAll"]:
                yield f"the variable {name} must follow the time range, use $datasource and have All"
            everything = ".*" if name in ("cluster", "host") else ".+"  # the label may be empty: a route of every host
            if one["multi"] != (name != "cluster") or one["allValue"] != everything:
                yield f"the variable {name} must allow several values, and All must be {everything}"
            for selector in promql_reader.selectors(one["query"]["query"].split("(", 1)[1].rsplit(",", 1)[0]):
                if selector.metric not in metrics:
                    yield f"the variable {name} asks for {selector.metric}"
    used = {name for name in re.findall(r"\$\{?(\w+)", text) if not name.startswith("__") and not name.isdigit()}
    for name in used - set(variables):
        yield f"uses ${name}, which it does not have"
    for name in set(variables) - used:
        yield f"has the variable {name} and uses it nowhere"
    for link in board["links"] + [link for panel in boards.panels(board) for link in panel.get("links") or ()]:
        if not (link["keepTime"] and link["includeVars"]):
            yield f"the link {link['title']} forgets time or variables"
        target = re.match(r"/d/([\w-]+)$", link.get("url") or "")
        if link["type"] == "link" and (not target or target[1] not in boards.load()):
            yield f"the link {link['title']} leads to {link.get('url')}"
    if not any("ALERTS" in one.get("expr", "") for one in board["annotations"]["list"]):
        yield "shows no alerts as annotations"
    for one in board["annotations"]["list"]:
        for selector in promql_reader.selectors(one["expr"]):
            yield from judge_selector(selector, metrics, recorded)
    everything = list(board["panels"])
    identifiers = [panel["id"] for panel in everything]
    if len(identifiers) != len(set(identifiers)):
        yield "two panels have one id"
    if any(panel["gridPos"]["x"] + panel["gridPos"]["w"] > 24 for panel in everything):
        yield "a panel is outside of the grid"
    yield from overlaps(everything)
    for panel in boards.panels(board):
        for problem in judge_panel(panel, metrics, recorded):
            yield f"{panel.get('title')}: {problem}"


def judge_knowledge():
    """Layers, checks and runbooks as the exporter and the rules have them."""
    checks = re.findall(r"SHORTCIRCUIT_CHECK\((\w+)\)", (root / "exporter/checks/checks.def").read_text())
    comments = re.findall(r"^// (\w+)$", (root / "exporter/checks/checks.def").read_text(), re.M)
    if comments != layers.layers:
        yield f"the layers are {layers.layers}, and {comments} in checks.def"
    if checks != list(layers.do_first):
        yield f"do_first must have the checks of checks.def, in order: {sorted(set(checks) ^ set(layers.do_first))}"
    for check, text in layers.do_first.items():
        if len(text) > 75:
            yield f"do_first of {check} is too long for a cell: {len(text)}"
        page = {"replication_over_retired": "replicationovertunnel"}.get(check, check.replace("_", ""))
        if not (root / f"rules/runbooks/shortcircuit{page}.md").exists():
            yield f"the runbook of {check} is not called {page}"
    for page in layers.layer_runbooks.values():
        if not (root / f"rules/runbooks/shortcircuit{page}.md").exists():
            yield f"there is no runbook {page}"
    wanted = {uid for path in (root / "rules/alerts").glob("*.yaml") for uid in re.findall(r"/d/([\w-]+)", path.read_text())}
    for uid in wanted ^ set(boards.load()):
        yield f"alerts and dashboards do not agree about {uid}"


def judge_types(python):
    """Reads every file into the SDK's types and writes it again: what the types do not know would be lost."""
    script = """
import json, sys
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard
for path in sys.argv[1:]:
    read = json.load(open(path))
    again = json.loads(json.dumps(Dashboard.from_json(read), cls=JSONEncoder))
    for one in read["annotations"]["list"]:
        # Prometheus' own fields, which the types of an annotation leave to the data source.
        for key in ("titleFormat", "textFormat", "tagKeys", "step"):
            del one[key]
    if again != read:
        print(path + ": is not what the SDK's types read and write")
"""
    files = sorted(map(str, (root / "dashboards").glob("shortcircuit-*.json")))
    done = subprocess.run([python, "-c", script, *files], capture_output=True, text=True)
    yield from done.stdout.splitlines()
    if done.returncode:
        yield done.stderr


def judge_lint(metrics, recorded):
    """The lint itself: each thing that is broken on purpose is told."""
    def first(board, kind):
        return next(panel for panel in board["panels"] if panel["type"] == kind)

    def ask(expression):
        return lambda board: first(board, "stat")["targets"][0].update(expr=expression)
    scope = 'cluster=~"$cluster", job=~"$job", instance=~"$instance"'
    for told, spoil in {
        "neither in": ask(f"shortcircuit_no_such_metric{{{scope}}}"),
        "does not ask for job": ask("shortcircuit_route_up{cluster=~\"$cluster\", instance=~\"$instance\"}"),
        "has no label colour": ask(f"shortcircuit_route_up{{{scope}, colour=\"red\"}}"),
        "is a counter and not inside": ask(f"shortcircuit_source_polls_total{{{scope}}}"),
        "is a gauge and inside": ask(f"rate(shortcircuit_route_up{{{scope}}}[$__rate_interval])"),
        "instead of [$__rate_interval]": ask(f"rate(shortcircuit_source_polls_total{{{scope}}}[5m])"),
        "cannot read": ask("sum("),
        "no unit": lambda board: first(board, "table")["fieldConfig"]["defaults"].pop("unit"),
        "no description": lambda board: first(board, "table").pop("description"),
        "asks nothing": lambda board: first(board, "table").pop("targets"),
        "colour alone": lambda board: next(iter(first(board, "state-timeline")["fieldConfig"]["defaults"]["mappings"][0]["options"].values())).pop("text"),
        "two panels have one id": lambda board: first(board, "table").update(id=1),
        "lies over": lambda board: first(board, "table")["gridPos"].update(y=0),
        "outside of the grid": lambda board: first(board, "table")["gridPos"].update(x=5),
        "does not come with every Grafana": lambda board: first(board, "table").update(type="some-plugin-panel"),
        "forgets time": lambda board: board["links"][0].update(keepTime=False),
        "no alerts": lambda board: board["annotations"].update(list=[]),
        "last value of a range": lambda board: first(board, "stat")["targets"][0].update(instant=False, range=True),
        "not there": lambda board: first(board, "stat")["fieldConfig"]["defaults"].pop("mappings"),
        "uses $host": ask(f"shortcircuit_route_up{{{scope}, host=~\"$host\"}}"),
    }.items():
        board = boards.load()["shortcircuit-overview"]
        spoil(board)
        if not any(told in problem for problem in judge_board(board, metrics, recorded)):
            yield f"the lint does not tell: {told}"


def main():
    environment = pathlib.Path(sys.argv[1])
    done = subprocess.run([sys.executable, root / "dashboards/generate", "--check", "--venv", environment], capture_output=True, text=True)
    failures = (done.stdout + done.stderr).splitlines() if done.returncode else []
    failures += judge_types(environment / "bin/python")
    failures += judge_knowledge()
    metrics, recorded = known_metrics()
    failures += judge_lint(metrics, recorded)
    shown, asked = boards.load(), set()
    for uid, board in shown.items():
        failures += [f"{uid}: {problem}" for problem in judge_board(board, metrics, recorded)]
        asked |= {one.metric for panel in boards.panels(board) for target in panel.get("targets", ())
                  for one in promql_reader.selectors(target["expr"])}
    if len({board["title"] for board in shown.values()}) != len(shown):
        failures.append("two dashboards have one title")
    failures += [f"no dashboard shows {name}" for name in sorted(set(metrics) - asked)]
    print("\n".join(failures) if failures else f"ok: {len(shown)} dashboards, {sum(len(list(boards.panels(b))) for b in shown.values())} panels")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
