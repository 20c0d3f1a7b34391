#!/usr/bin/env python3
"""One instance in the cluster and one on every node find together what one instance that reads everything finds: at
every step of the recorded night, with the node configuration that is deployed.

usage: kubernetes_split_test.py BINARY RECORDINGS
"""
import json
import pathlib
import sys
import tempfile

import yaml

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "end_to_end"))
from exporter import main, run  # noqa: E402

BINARY, NIGHT = sys.argv[1], pathlib.Path(sys.argv[2], "night")
ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
WHOLE = yaml.safe_load((NIGHT / "shortcircuit.yaml").read_text())
NODES = [node["name"] for node in WHOLE["tailscale"]["nodes"]]
STEPS = sorted(path.name for path in NIGHT.iterdir() if path.is_dir())


def found(configuration, step, node=""):
    code, out, err = run(BINARY, "check", "--output", "json", "--config", str(configuration), "--replay", str(NIGHT),
                         "--replay.step", step, environment={"NODE_NAME": node})
    assert code in (0, 1, 2) and out, (configuration, step, err)
    return {(each["check"], each["reason"], each["kind"], each["object"]) for each in json.loads(out)["findings"]}


def test_split_instances_find_the_same():
    with tempfile.TemporaryDirectory() as folder:
        cluster, node = pathlib.Path(folder, "cluster.yaml"), pathlib.Path(folder, "node.yaml")
        cluster.write_text(yaml.safe_dump({key: value for key, value in WHOLE.items() if key != "tailscale"}))
        delivered = yaml.safe_load((ROOT / "deploy/kubernetes/components/node/shortcircuit.yaml").read_text())
        delivered["tailscale"]["path_mtu"] = True
        delivered["networks"] = WHOLE["networks"]
        node.write_text(yaml.safe_dump(delivered))
        seen = set()
        for step in STEPS:
            together = found(cluster, step).union(*(found(node, step, name) for name in NODES))
            whole = found(NIGHT / "shortcircuit.yaml", step)
            assert together == whole, (step, "missing", whole - together, "more", together - whole)
            seen |= whole
        assert len(seen) > 30


main([test_split_instances_find_the_same])
