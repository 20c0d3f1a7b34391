#!/usr/bin/env python3
"""What a reader is told to change in the manifests: the patches of deploy/README.md, users and passwords.

usage: kubernetes_changes_test.py FOLDER-FOR-TOOLS
"""
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import textwrap

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "end_to_end"))
from exporter import main  # noqa: E402
from kubernetes_tools import (  # noqa: E402
    COMPONENTS, KUBERNETES, MANIFESTS, Unavailable, Validator, build, kustomizes, one, pod_specs, rendered)


def test_the_narrower_mount_that_the_readme_tells():
    readme = (MANIFESTS.parent / "README.md").read_text()
    patch = textwrap.dedent(re.search(r"( *patches:\n.*?shortcircuit-exporter-node.*?)```", readme, re.S).group(1))
    spec = pod_specs(rendered(NEWEST, ["node"], further=patch))["shortcircuit-exporter-node"]
    assert [each["hostPath"]["path"] for each in spec["volumes"] if "hostPath" in each] == ["/run/tailscale"]
    mounts = {mount["name"]: mount["mountPath"] for mount in spec["containers"][0]["volumeMounts"]}
    assert mounts["run"] == "/host/run/tailscale"
    assert f'{mounts["run"]}/tailscaled.sock' in (MANIFESTS / "components/node/shortcircuit.yaml").read_text()


def test_the_mount_that_is_read_only_to_the_ground():
    readme = (MANIFESTS.parent / "README.md").read_text()
    [patch] = [textwrap.dedent(each) for each in re.findall(r"```yaml\n( *patches:\n.*?)```", readme, re.S)
               if "recursiveReadOnly" in each]
    objects = rendered(NEWEST, ["node"], further=patch)
    mounts = {each["name"]: each for each in pod_specs(objects)["shortcircuit-exporter-node"]["containers"][0]["volumeMounts"]}
    assert mounts["run"] == {"name": "run", "mountPath": "/host/run", "readOnly": True, "recursiveReadOnly": "IfPossible"}
    assert not VALIDATOR.problems(objects, KUBERNETES[-1])
    assert VALIDATOR.problems(objects, KUBERNETES[0]), "then it can be in the manifest itself"


def test_rules_with_the_readers_addresses_take_the_place_of_the_delivered_ones():
    told = (MANIFESTS.parents[1] / "rules/README.md").read_text()
    [command] = re.findall(r"(?m)^rules/generate (--runbooks (\S+) --dashboards (\S+)) --output", told)
    arguments, *addresses = command
    [patch] = re.findall(r"```yaml\n(patches:\n.*?)```", told, re.S)
    with tempfile.TemporaryDirectory(dir=MANIFESTS.parent, prefix=".test-") as folder:
        subprocess.run([MANIFESTS.parents[1] / "rules/generate", *arguments.split(), "--output", folder], check=True,
                       stdout=subprocess.DEVNULL)
        pathlib.Path(folder, "kustomization.yaml").write_text(
            "resources: [../kubernetes/base]\ncomponents: [../kubernetes/components/prometheus-operator]\n" + patch)
        objects = build(NEWEST, folder)
    groups = one(objects, "PrometheusRule", "shortcircuit-exporter")["spec"]["groups"]
    alerts = [rule for group in groups for rule in group["rules"] if "alert" in rule]
    assert len(alerts) > 30
    for alert in alerts:
        for key, address in zip(("runbook_url", "dashboard_url"), addresses):
            assert alert["annotations"].get(key, address).startswith(address), alert
    assert all("runbook_url" in alert["annotations"] for alert in alerts)


def test_users_shut_nobody_out_who_is_needed():
    others = [each for each in COMPONENTS if each != "users"]
    objects = rendered(NEWEST, [*others, "users"])
    specs = pod_specs(objects)
    for name in ("shortcircuit-exporter", "shortcircuit-exporter-node"):
        container = specs[name]["containers"][0]
        # The kubelet has no password.
        for probe in ("livenessProbe", "readinessProbe"):
            assert container[probe]["tcpSocket"] == {"port": "http"} and "httpGet" not in container[probe], name
        [file] = [each.partition("=")[2] for each in container["args"] if each.startswith("--web.config.file=")]
        [mount] = [each for each in container["volumeMounts"] if pathlib.PurePath(file).is_relative_to(each["mountPath"])]
        assert mount["readOnly"] and "subPath" not in mount, "a changed Secret would not be seen"
        [volume] = [each for each in specs[name]["volumes"] if each["name"] == mount["name"]]
        assert volume["secret"] == {"secretName": "shortcircuit-web"}, "not optional: without it nobody gets in"
    monitors = [one(objects, "ServiceMonitor", "shortcircuit-exporter")["spec"]["endpoints"],
                one(objects, "PodMonitor", "shortcircuit-exporter-node")["spec"]["podMetricsEndpoints"]]
    for [endpoint] in monitors:
        assert endpoint["basicAuth"] == {key: {"name": "shortcircuit-scrape", "key": key}
                                         for key in ("username", "password")}
    # Both Secrets are made in deploy/tls/README.md, with these names and keys.
    told = (MANIFESTS.parent / "tls/README.md").read_text().replace("\\\n", "")
    assert re.search(r"generic shortcircuit-web --from-file=web.yml\n", told)
    assert re.search(r"generic shortcircuit-scrape +--from-literal=username=\S+ --from-literal=password=", told)


try:
    NEWEST = list(kustomizes(sys.argv[1]).values())[-1]
    VALIDATOR = Validator(sys.argv[1])
except Unavailable as reason:
    print(reason)
    sys.exit(1 if os.environ.get("CI") else 77)
main([value for name, value in list(globals().items()) if name.startswith("test_")])
