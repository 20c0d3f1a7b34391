#!/usr/bin/env python3
"""The night in another fleet: other nodes, namespaces, hosts, networks, taints, and the retired overlay in IPv6. The findings must
be the same but for the names, or something was tuned to the recording.

usage: renamed_night_test.py BINARY RECORDINGS
"""
import json
import pathlib
import re
import shutil
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from exporter import main, run  # noqa: E402

BINARY, NIGHT = sys.argv[1], pathlib.Path(sys.argv[2]) / "night"
SCRATCH = pathlib.Path(tempfile.mkdtemp(prefix="sc-"))

NAMES = [
    (r"\btoa(?=\W)", "zq"), (r"\blax(?=\W)", "brno"), (r"\baus(?=\W)", "k"), (r"\bhnd(?=\W)", "mu-9"),
    (r"kub0\.xyz", "shop.example"), (r"kub0-xyz", "shop-example"), (r"kub0", "east"),
    (r"\badsb(?=\W)", "radar1"), (r"\bcctv(?=\W)", "eyes"), (r"\bmonitoring(?=\W)", "watch-it"), (r"\bportal(?=\W)", "front"),
    (r"\bnetworking(?=[-/\"])", "sharededge"), (r"\bpiraeus-datastore\b", "blocks"),
    (r"amd\.com/gpu", "example.com/special"), (r"\bkube-system(?=\W)", "gate"), (r"nebula", "mist"),
]
ADDRESSES = [
    (r"\b100\.67\.", "100.91."), (r"\b10\.67\.", "10.201."), (r"\b10\.42\.", "10.244."), (r"\b10\.43\.", "172.24."),
    (r"\b172\.30\.", "172.21."), (r"\b192\.168\.", "10.99."),
]
IPV6 = [
    (r"\b10\.67\.0\.0/16", "fd67::/64"),
    (r"(//(?:[^/@\"]*@)?)10\.67\.(\d+)\.(\d+)", r"\1[fd67::\2:\3]"), (r"\b10\.67\.(\d+)\.(\d+):(\d)", r"[fd67::\1:\2]:\3"),
    (r"\b10\.67\.(\d+)\.(\d+)", r"fd67::\1:\2"),
]


def renamed(text, table):
    for pattern, replacement in table:
        text = re.sub(pattern, replacement, text)
    return text


def rename_recording(name, table):
    target = SCRATCH / name
    for file in sorted(NIGHT.rglob("*")):
        if file.is_file() and file.name not in ("README.md", "expected.json", "client-answers.txt"):
            path = target / renamed(str(file.relative_to(NIGHT)) + " ", table).rstrip()
            path.parent.mkdir(parents=True, exist_ok=True)
            text = file.read_text()
            path.write_text(renamed(text.replace("networking.k8s.io", "NET.k8s.io"), table).replace("NET.k8s.io", "networking.k8s.io"))
    return target


def judged(recording, step):
    code, out, err = run(BINARY, "check", "--replay", str(recording), "--replay.step", step, "--output", "json")
    assert code in (0, 1), (code, err)
    document = json.loads(out)
    findings = sorted(f"{f['check']} {f['reason']} {f['object']} {sorted(f.get('hosts', []))} {f['severity']}" for f in document["findings"])
    layers = [(layer["layer"], layer["status"], len(layer["unknown"])) for layer in document["layers"]]
    return findings, layers


def compare(name, table):
    recording = rename_recording(name, table)
    for step in sorted(folder.name for folder in NIGHT.iterdir() if folder.is_dir()):
        there, layers_there = judged(recording, renamed(step + " ", table).rstrip())
        here, layers_here = judged(NIGHT, step)
        wanted = sorted(renamed(line, table) for line in here)
        # Hosts are sorted by name: compared without their order.
        normal = lambda lines: sorted(sorted(re.split(r"[\[\],' ]+", line)) for line in lines)  # noqa: E731
        assert normal(there) == normal(wanted), (step, sorted(set(there) ^ set(wanted)))
        assert layers_there == layers_here, (step, layers_there, layers_here)


def test_the_night_with_other_names():
    compare("names", NAMES)


def test_the_night_with_other_addresses():
    compare("addresses", ADDRESSES)


def test_the_night_with_other_names_and_addresses():
    compare("both", NAMES + ADDRESSES)


def test_the_night_with_the_retired_overlay_in_ipv6():
    compare("ipv6", IPV6)


if __name__ == "__main__":
    try:
        main([test for name, test in list(globals().items()) if name.startswith("test_")])
    finally:
        shutil.rmtree(SCRATCH, ignore_errors=True)
