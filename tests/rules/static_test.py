#!/usr/bin/env python3
"""What can be said about the alert pack without running it.

  static_test.py [METRICS.md]

promtool accepts the rules; derived files are up to date; every check has an alert, every alert a runbook with all its
sections, a whole set of labels and annotations and three kinds of cases in rules/tests; every command that is told names its
configuration, every setting exists; every metric and label that a rule names exists in the program's generated list of metrics;
Alertmanager accepts its configuration and routes every alert as it should.
"""
import pathlib
import re
import subprocess
import sys

import yaml

root = pathlib.Path(__file__).resolve().parents[2]
rules_folder = root / "rules"
failures = []


def check(good, message):
    if not good:
        failures.append(message)


def run(*command):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def load(pattern):
    for path in sorted(rules_folder.glob(pattern)):
        for group in yaml.safe_load(path.read_text())["groups"]:
            for rule in group["rules"]:
                yield path, group, rule


all_rules = list(load("alerts/*.yaml")) + list(load("recording/*.yaml"))
alerts = [(path, group, rule) for path, group, rule in all_rules if "alert" in rule]
names = sorted({rule["alert"] for _, _, rule in alerts})
layers = re.findall(r'"(\w+)"', re.search(r"layer_names\{(.*?)\}", (root / "exporter/checks/finding.h").read_text(), re.S)[1])


def promtool_accepts():
    files = sorted(rules_folder.glob("alerts/*.yaml")) + sorted(rules_folder.glob("recording/*.yaml"))
    for batch in (files, [root / "deploy/prometheus/shortcircuit.rules.yml"]):
        code, text = run("promtool", "check", "rules", "--lint=all", "--lint-fatal", *batch)
        check(code == 0, f"promtool check rules:\n{text}")
    code, text = run("promtool", "check", "config", root / "deploy/prometheus/prometheus.yml")
    check(code == 0, f"promtool check config deploy/prometheus/prometheus.yml:\n{text}")


def derived_files_are_fresh():
    code, text = run(sys.executable, rules_folder / "generate", "--check")
    check(code == 0, text)
    made = yaml.safe_load((root / "deploy/kubernetes/components/prometheus-operator/prometheus-rule.yaml").read_text())
    plain = yaml.safe_load((root / "deploy/prometheus/shortcircuit.rules.yml").read_text())
    check(made["kind"] == "PrometheusRule" and made["spec"] == plain, "the PrometheusRule is not the same as the plain file")
    for path, _, rule in all_rules:
        found = [other for group in plain["groups"] for other in group["rules"] if other == rule]
        check(len(found) == 1, f"{path.name}: {rule.get('alert', rule.get('record'))} is not in shortcircuit.rules.yml, once")


def one_file_for_each_layer():
    have = {path.stem for path in rules_folder.glob("alerts/*.yaml")}
    check(have == {*layers, "pages", "exporter"}, f"rules/alerts: layers of the program are {layers}, files are {sorted(have)}")


def every_check_has_an_alert():
    checks = re.findall(r"^SHORTCIRCUIT_CHECK\((\w+)\)", (root / "exporter/checks/checks.def").read_text(), re.M)
    check(len(checks) > 0, "no check in exporter/checks/checks.def")
    alerted = {}
    for path, _, rule in alerts:
        for matcher in re.findall(r'check=~?"([^"]+)"', rule["expr"]):
            for name in matcher.split("|"):
                alerted.setdefault(name, set()).add((rule["alert"], path.stem))
    for name in checks:
        check(name in alerted, f"the check {name} has no alert: add one to rules/alerts")
    for name in alerted:
        check(name in checks, f"rules/alerts name the check {name}, and the program has none of that name")
    for name in checks:
        source = root / "exporter/checks" / f"{name}.cpp"
        if not source.exists():
            continue
        text = source.read_text()
        layer = re.search(r"Layer::(\w+)", text[text.find("CheckDefinition"):])
        for alert, stem in alerted.get(name, ()):
            check(not layer or layer[1] == stem, f"{alert} stands in {stem}.yaml, and the layer of {name} is {layer and layer[1]}")


def labels_and_annotations():
    check(25 <= len(names) <= 40, f"{len(names)} alerts; 25 to 40 is what people can know")
    for path, group, rule in alerts:
        name, labels, notes = rule["alert"], rule.get("labels", {}), rule.get("annotations", {})
        where = f"{path.name}: {name}"
        check(re.fullmatch(r"ShortCircuit([A-Z][a-z]+)+", name), f"{where}: not CamelCase")
        check(group.get("interval") == "30s", f"{where}: the group has no interval of its own")
        severities = set(re.findall(r"\}\}(\w+)", str(labels.get("severity")))) or {labels.get("severity")}
        check(severities <= {"critical", "warning", "info"}, f"{where}: severity {labels.get('severity')}")
        check(set(notes) == {"summary", "description", "runbook_url", "dashboard_url"}, f"{where}: annotations {sorted(notes)}")
        check("{{" not in notes["summary"], f"{where}: the summary must be the same for every instance")
        check(notes["runbook_url"].endswith(f"/{name.lower()}.md"), f"{where}: runbook_url {notes['runbook_url']}")
        check("$value" not in str(labels), f"{where}: a value in a label makes a new alert each time")
        check("Cure:" in notes["description"], f"{where}: the description says no cure")
        if path.stem not in ("pages", "exporter"):
            check(labels.get("layer") == path.stem, f"{where}: layer {labels.get('layer')}")
            check({"incident", "page"} <= set(labels), f"{where}: labels incident and page are needed")
            check("keep_firing_for" in rule, f"{where}: without keep_firing_for a restart of the exporter is an all-clear")
        if "finding" in rule["expr"] and "label_replace" not in rule["expr"] and path.stem not in ("pages",):
            check(not re.search(r"objects? of|namespace/", notes["description"]), f"{where}: a namespace is named and not set")


def every_alert_has_a_runbook():
    sections = ["## Meaning", "## Impact", "## Diagnosis", "## Mitigation", "## How to tell it from its twin"]
    pages = {path.stem for path in rules_folder.glob("runbooks/*.md")} - {"README"}
    check(pages == {name.lower() for name in names}, f"runbooks without alert or alerts without runbook: {sorted(pages ^ {n.lower() for n in names})}")
    overview = (rules_folder / "runbooks/README.md").read_text()
    for path in sorted(rules_folder.glob("runbooks/*.md")):
        text = path.read_text()
        for target in re.findall(r"\]\(([^)]+)\)", text):
            file, _, anchor = target.partition("#")
            linked = (path.parent / file) if file else path
            check("://" in target or linked.exists() or "tests/recordings" in target, f"{path.name}: link to {target} leads nowhere")
            if anchor and linked.name == "README.md" and linked.parent.name == "runbooks":
                check(f'id="{anchor}"' in linked.read_text(), f"{path.name}: no anchor {anchor} in {file}")
        if path.stem == "README":
            continue
        check(f"({path.name})" in overview, f"{path.name} is not in runbooks/README.md")
        found = [line for line in text.splitlines() if line.startswith("## ")]
        check(found == sections, f"{path.name}: sections {found}")
        check("```sh" in text, f"{path.name}: no commands under Diagnosis")
        check(text.splitlines()[0][2:].lower() == path.stem, f"{path.name}: its title is another alert")


def commands_work_as_pasted():
    """A one-shot command without its configuration ends with exit 2 at two in the morning; a setting that is named exists."""
    keys, section = set(), ""
    for line in (root / "exporter/CONFIGURATION.md").read_text().splitlines():
        section = re.sub(r"[^\w.]", "", line[3:]) if line.startswith("## ") else section
        if found := re.match(r"\| `(\w+)` \|", line):
            keys.add(f"{section}.{found[1]}")
    check("limits.series_per_family" in keys, "exporter/CONFIGURATION.md is not read as it should be")
    sections = {key.split(".")[0] for key in keys}
    seen = 0
    texts = [(f"{path.name}: {rule['alert']}", rule["annotations"]["description"]) for path, _, rule in alerts]
    texts += [(path.name, path.read_text()) for path in sorted(rules_folder.glob("runbooks/*.md"))]
    for where, text in texts:
        for command in re.findall(r"shortcircuit-exporter (?:check|depends|capture|--config\.check)\b[^`;\n]*", text):
            seen += 1
            check(re.search(r"--config /etc/shortcircuit(-exporter)?/shortcircuit\.yaml", command), f"{where}: {command} names no configuration")
        for key in re.findall(r"\b([a-z_]+\.[a-z_]+)\b(?![./(-])", text):
            if key.split(".")[0] in sections and not key.endswith((".yaml", ".io")):
                check(key in keys, f"{where}: there is no setting {key}")
    check(seen > 20, f"only {seen} commands found")


def every_alert_has_cases():
    fires, silent, before = set(), set(), set()
    for path in sorted(rules_folder.glob("tests/*.yaml")):
        for test in yaml.safe_load(path.read_text())["tests"]:
            asked = test.get("alert_rule_test", [])
            firing = {case["alertname"] for case in asked if case["exp_alerts"]}
            fires |= firing
            for case in asked:
                if not case["exp_alerts"]:
                    (before if case["alertname"] in firing else silent).add(case["alertname"])
                for alert in case["exp_alerts"]:
                    text = " ".join(str(part) for part in [*alert["exp_labels"].values(), *alert["exp_annotations"].values()])
                    check("no value" not in text and "  " not in text and not re.search(r"[:(] ?[.,;)]| [:.,;)]|^ | $", text)
                          and all(str(part).strip() for part in [*alert["exp_labels"].values(), *alert["exp_annotations"].values()]),
                          f"{path.name}: {case['alertname']} renders something blank: {text}")
    for name in names:
        check(name in fires, f"{name}: no case in rules/tests in which it fires")
        check(name in before, f"{name}: no case in rules/tests just before it fires")
        check(name in silent, f"{name}: no innocent case in rules/tests")


def dashboards_exist():
    folder = root / "dashboards"
    uids = set()
    for path in folder.glob("*.json") if folder.exists() else ():
        uids |= set(re.findall(r'"uid":\s*"(shortcircuit-[\w-]+)"', path.read_text()))
    if not uids:
        check(False, "there are no dashboards/*.json, to which each dashboard_url leads")
    for name in sorted({rule["annotations"]["dashboard_url"].rsplit("/", 1)[1] for _, _, rule in alerts}):
        check(name in uids, f"dashboard_url leads to {name}, and there are only {sorted(uids)}")


# Labels that Prometheus, its targets or the rules themselves bring.
target_labels = {"cluster", "job", "instance", "namespace", "node"}
functions_and_words = set("""label_replace label_join max min sum count avg group by on without and or unless ignoring rate increase changes
    absent absent_over_time time round last_over_time min_over_time bool offset group_left group_right quantile topk""".split())


def metrics_and_labels_exist(listing):
    if not listing.exists():
        check(False, f"there is no {listing}, which names the metrics and labels that rules may use")
        return
    metrics = {}
    for line in listing.read_text().splitlines():
        cells = [cell.strip().strip("`") for cell in line.strip().strip("|").split("|")]
        if line.startswith("|") and len(cells) >= 4 and re.fullmatch(r"[a-z_0-9:]+", cells[0]) and cells[0] != "name":
            metrics[cells[0]] = set(re.findall(r"[a-z_][a-z_0-9]*", cells[2]))
    check(len(metrics) > 20, f"{listing} has no table of | name | type | labels | help |")
    metrics["up"] = {"job", "instance", "node"}
    metrics["ALERTS"] = {"alertname", "alertstate"} | {label for _, _, rule in alerts for label in rule["labels"]} | {"cluster", "check", "object", "reason"}
    recorded = {}
    for path, _, rule in all_rules:
        if "record" in rule:
            labels = re.search(r"\bby \(([^)]*)\)", rule["expr"])
            recorded[rule["record"]] = set(re.findall(r"\w+", labels[1])) if labels else set()
    metrics |= recorded
    for path, _, rule in all_rules:
        title = rule.get("alert", rule.get("record"))
        expressions = [re.sub(r"#.*", "", rule["expr"])]
        for note in rule.get("annotations", {}).values():
            expressions += [text.replace('\\"', '"').replace("%q", '"x"').replace("%s", "")
                            for text in re.findall(r'query \(printf "((?:[^"\\]|\\.)*)"', note)]
        for expression in expressions:
            used = set()
            for name, matchers in re.findall(r"([a-zA-Z_:][\w:]*)\s*\{([^}]*)\}", expression):
                used.add(name)
                for label in re.findall(r"([a-z_]\w*)\s*(?:=~|!~|!=|=)", matchers):
                    if name in metrics:
                        check(label in metrics[name] | target_labels, f"{path.name}: {title}: {name} has no label {label}")
            bare = re.sub(r'"(?:[^"\\]|\\.)*"', "", re.sub(r"\{[^}]*\}", "", expression))
            bare = re.sub(r"\b(by|on|without|ignoring|group_left|group_right)\s*\([^)]*\)", "", bare)
            used |= set(re.findall(r"(?<![\w.])([a-zA-Z_:][\w:]*)", re.sub(r"\[[^\]]*\]", "", bare))) - functions_and_words
            for name in used:
                check(name in metrics, f"{path.name}: {title}: there is no metric {name}")
            # Grouping labels must come from a metric, a target, or a label_replace of the same expression.
            known = set().union(target_labels, *(metrics.get(name, set()) for name in used),
                                re.findall(r'label_replace\([^"]*"(\w+)"', expression), re.findall(r',\s*"(\w+)",\s*"', expression))
            for names_list in re.findall(r"\b(?:by|on)\s*\(([^)]*)\)", expression):
                for label in re.findall(r"\w+", names_list):
                    check(label in known, f"{path.name}: {title}: groups by {label}, which none of {sorted(used)} has")


def alertmanager_routes():
    config = root / "deploy/alertmanager/alertmanager.yml"
    code, text = run("amtool", "check-config", config)
    check(code == 0, f"amtool check-config:\n{text}")
    table = [
        ("shortcircuit-page", "alertname=ShortCircuitLayerBroken severity=critical layer=mesh incident=mesh impact=findings"),
        ("shortcircuit-page", "alertname=ShortCircuitRouteDown severity=critical layer=backend incident=backend"),
        ("shortcircuit-page", "alertname=ShortCircuitPeerOffline severity=critical layer=mesh incident=node_offline"),
        ("shortcircuit-page", "alertname=ShortCircuitExporterDown severity=critical incident=exporter"),
        ("shortcircuit-inform", "alertname=ShortCircuitMiddlewareMissing severity=warning layer=middleware incident=middleware"),
        ("shortcircuit-inform", "alertname=ShortCircuitSourceDown severity=warning incident=exporter"),
        ("shortcircuit-silent", "alertname=ShortCircuitWebhookUnavailable severity=info layer=webhook incident=webhook"),
    ]
    for receiver, labels in table:
        code, text = run("amtool", "config", "routes", "test", f"--config.file={config}", *labels.split())
        text = "".join(line for line in text.splitlines() if not line.startswith("Warning: --config.file"))
        check(code == 0 and text.split() == [receiver], f"{labels} goes to {text.strip()}, not to {receiver}")
    for rule in yaml.safe_load(config.read_text())["inhibit_rules"]:
        for side in ("source_matchers", "target_matchers"):
            for pattern in re.findall(r'alertname=~?"([^"]+)"', str(rule[side])):
                body = re.fullmatch(r"(\w+)\((.*)\)", pattern)
                for name in [body[1] + part for part in body[2].split("|")] if body else [pattern]:
                    check(name in names, f"alertmanager.yml inhibits by {name}, and there is no such alert")


def main():
    listing = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else root / "exporter/METRICS.md"
    tests = [promtool_accepts, derived_files_are_fresh, one_file_for_each_layer, every_check_has_an_alert, labels_and_annotations,
             every_alert_has_a_runbook, commands_work_as_pasted, every_alert_has_cases, dashboards_exist,
             lambda: metrics_and_labels_exist(listing), alertmanager_routes]
    tests[9].__name__ = "metrics_and_labels_exist"
    for test in tests:
        before = len(failures)
        test()
        print(f"{'ok    ' if len(failures) == before else 'FAILED'} {test.__name__}")
    for failure in failures:
        print(f"  {failure}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
