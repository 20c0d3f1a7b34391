#!/usr/bin/env python3
"""The exporter knows no fleet: no host name, address or namespace of the recorded one stands below exporter/.

The names come from tests/recordings/night, all its steps and its configuration.
"""
import json
import pathlib
import re
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
NIGHT = ROOT / "tests" / "recordings" / "night"
# Not the fleet's: names that products give their own namespaces, and Kubernetes'.
OF_PRODUCTS = {"default", "kube-system", "kube-public", "kube-node-lease", "monitoring", "piraeus-datastore"}
# Not the fleet's: a word of Kubernetes' API groups.
OF_PRODUCTS |= {"networking"}
# Not the fleet's: this machine, every machine.
OF_ALL_MACHINES = {"127.0.0.1", "0.0.0.0", "255.255.255.255"}
ADDRESS = re.compile(r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?![\w.]*\d)|(?<![\w:])[0-9a-f]{1,4}(?::[0-9a-f]{0,4}){3,7}(?![\w:])")


def objects(folder, pattern):
    for file in sorted(folder.glob("*/kubernetes/" + pattern)):
        yield from json.loads(file.read_text()).get("items") or []


def hosts_of_routes(folder):
    for item in objects(folder, "ingresses.json"):
        for rule in item["spec"].get("rules") or []:
            yield rule.get("host") or ""
    rules = [route["match"] for item in objects(folder, "ingressroutes.json") for route in item["spec"]["routes"]]
    rules += [router.get("rule", "") for file in folder.glob("*/traefik/http-routers*.json") for router in json.loads(file.read_text())]
    for rule in rules:
        yield from re.findall(r"Host\(`([^`]+)`\)", rule)


def names_of(folder):
    """name → what it is"""
    configuration = "".join(file.read_text() for file in folder.glob("*.yaml"))
    names = {}
    for node in [item["metadata"]["name"] for item in objects(folder, "nodes.json")] + re.findall(r"\{name: ([\w-]+), (?:socket|url):", configuration):
        names[node] = "a node"
    for site in re.findall(r"site: (\w+)", configuration):
        names[site] = "a site"
    for host in [*hosts_of_routes(folder), *re.findall(r"https?://([\w.-]+\.(?:lab|xyz))", configuration)]:
        if "." in host:
            names[host] = "a host"
            names[host.partition(".")[2]] = "a domain"
    for item in objects(folder, "*.json"):
        if item["metadata"].get("namespace"):
            names[item["metadata"]["namespace"]] = "a namespace"
    for file in [*folder.glob("*.yaml"), *folder.glob("*/*/**/*.json"), *folder.glob("*/*/**/*.txt")]:
        for address in ADDRESS.findall(file.read_text()):
            names[address] = "an address"
    return {name: what for name, what in names.items() if name and name not in OF_PRODUCTS | OF_ALL_MACHINES}


def problems(root, names):
    words = re.compile(r"(?<!\w)(" + "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True)) + r")(?!\w|\.\d)", re.IGNORECASE)
    for path in sorted(file for file in root.rglob("*") if file.is_file()):
        try:
            text = path.read_text()
        except UnicodeDecodeError:
            yield f"{path.relative_to(root.parent)}: no text; nobody can look for names in it: it belongs elsewhere"
            continue
        for number, line in enumerate(text.splitlines(), 1):
            for name in words.findall(line):
                yield f"{path.relative_to(root.parent)}:{number}: {name} is {names[name.lower()]} of the recorded fleet: take another example"


def blind_spots(names):
    """What this test would not find, had somebody written it."""
    planted = {"a node": "// as on aus-node-01", "a site": '"lax"', "a host": "x(`cctv.kub0.xyz`)", "a domain": "*.kub0.xyz",
               "a namespace": "// like cctv-api", "an address": "http://100.67.0.1:2379"}
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch) / "exporter"
        folder.mkdir()
        for what, text in planted.items():
            (folder / "planted.cpp").write_text(text)
            if not any(f"is {what} of" in problem for problem in problems(folder, names)):
                yield f"{what} is not found in: {text}"


def main():
    names = names_of(NIGHT)
    found = [*blind_spots(names), *problems(ROOT / "exporter", names)]
    for problem in found:
        print(problem)
    print(f"{len(names)} names, {len(found)} problems")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
