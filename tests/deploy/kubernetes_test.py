#!/usr/bin/env python3
"""The Kubernetes manifests: rendered by real kustomizes, held against the schemas of two Kubernetes versions and
of the Prometheus Operator, and against what deploy/README.md promises. The configurations inside are read by the program.

usage: kubernetes_test.py BINARY FOLDER-FOR-TOOLS
"""
import copy
import os
import pathlib
import shutil
import sys
import tempfile

import yaml

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "end_to_end"))
sys.path.insert(0, str(pathlib.Path(__file__).parent))
from exporter import main, run  # noqa: E402
from kubernetes_tools import (  # noqa: E402
    COMPONENTS, KUBERNETES, MANIFESTS, OPERATOR_KINDS, Unavailable, Validator, build, by_kind, kustomizes, one,
    pod_specs, rendered, switched_on)

BINARY, TOOLS = sys.argv[1], sys.argv[2]
NAME, COMPONENT = "app.kubernetes.io/name", "app.kubernetes.io/component"


def everything():
    return rendered(NEWEST, COMPONENTS)


def renderings():
    """Every way of putting the pieces together that the files themselves offer."""
    yield "base", rendered(NEWEST)
    for each in COMPONENTS:
        yield each, rendered(NEWEST, [each])
    yield "all components", everything()
    for example in sorted(MANIFESTS.glob("examples/*/kustomization.yaml")):
        yield f"examples/{example.parent.name}", build(NEWEST, example.parent)
        yield f"examples/{example.parent.name}, all switched on", whole_example(example.parent)


def whole_example(example):
    """A copy of an example with everything switched on that it offers."""
    folder = MANIFESTS / "examples" / f".test-{os.getpid()}"
    shutil.copytree(example, folder)
    try:
        changed = folder / "kustomization.yaml"
        changed.write_text(switched_on(changed.read_text()))
        return build(NEWEST, folder)
    finally:
        shutil.rmtree(folder)


def test_every_kustomize_renders_the_same():
    overlays = [example.parent for example in MANIFESTS.glob("examples/*/kustomization.yaml")]
    assert overlays
    first, *others = KUSTOMIZES.values()
    for other in others:
        assert rendered(first, COMPONENTS) == rendered(other, COMPONENTS)
        for overlay in overlays:
            assert build(first, overlay) == build(other, overlay), overlay
    print("        kustomize", ", ".join(KUSTOMIZES))


def test_kubernetes_takes_every_object():
    for name, objects in renderings():
        own = [each for each in objects if each["kind"] not in OPERATOR_KINDS]
        assert own, name
        for version in KUBERNETES:
            problems = VALIDATOR.problems(own, version)
            assert not problems, (name, version, problems)


def test_the_prometheus_operator_takes_its_objects():
    objects = [each for _, rendering in renderings() for each in rendering if each["kind"] in OPERATOR_KINDS]
    assert {each["kind"] for each in objects} == OPERATOR_KINDS
    assert {each["apiVersion"] for each in objects} == {"monitoring.coreos.com/v1"}
    problems = VALIDATOR.operator_problems(objects)
    assert not problems, problems


def test_what_an_example_offers_works():
    for example in MANIFESTS.glob("examples/*/kustomization.yaml"):
        objects = whole_example(example.parent)
        assert by_kind(objects, "PodDisruptionBudget") and by_kind(objects, "PrometheusRule")
        for each in objects:
            if each["kind"] in OPERATOR_KINDS:
                assert each["metadata"]["labels"]["release"], each["metadata"]
        assert not any(container["image"].startswith("shortcircuit-exporter:") for spec in pod_specs(objects).values()
                       for container in spec["containers"])


def test_further_files_of_the_examples():
    for path in MANIFESTS.glob("examples/*/*.yaml"):
        objects = [each for each in yaml.safe_load_all(path.read_text()) if each["kind"] not in
                   {"Kustomization", "HelmChartConfig"}]
        for version in KUBERNETES:
            assert not VALIDATOR.problems(objects, version), path


def test_the_validator_refuses_what_is_wrong():
    good = one(rendered(NEWEST), "Deployment", "shortcircuit-exporter")
    misspelt, wrong_type = copy.deepcopy(good), copy.deepcopy(good)
    misspelt["spec"]["template"]["spec"]["securityContexts"] = {}
    wrong_type["spec"]["replicas"] = "one"
    for version in KUBERNETES:
        assert len(VALIDATOR.problems([misspelt, good, wrong_type], version)) == 2


def test_the_models_of_the_operator_refuse_what_is_wrong():
    kinds = {each["kind"]: each for each in everything() if each["kind"] in OPERATOR_KINDS}
    wrong = []

    def plant(kind, path, key, value):
        broken = copy.deepcopy(kinds[kind])
        place = broken
        for step in path:
            place = place[step]
        if value is None:
            del place[key]
        else:
            place[key] = value
        wrong.append(broken)

    endpoint, pod_endpoint = ("spec", "endpoints", 0), ("spec", "podMetricsEndpoints", 0)
    rule = ("spec", "groups", 0, "rules", 0)
    plant("ServiceMonitor", endpoint, "intervall", "30s")
    plant("ServiceMonitor", endpoint, "interval", 30)
    plant("ServiceMonitor", endpoint, "interval", "half a minute")
    plant("ServiceMonitor", endpoint, "scheme", "gopher")
    plant("ServiceMonitor", ("spec",), "selector", None)
    plant("PodMonitor", ("metadata",), "label", {})
    plant("PodMonitor", (*pod_endpoint, "relabelings", 0), "target_label", "node")
    plant("PodMonitor", pod_endpoint, "port", 10067)
    plant("PrometheusRule", rule, "keepFiringFor", "5m")
    plant("PrometheusRule", (*rule, "labels"), "severity", 1)
    plant("PrometheusRule", rule, "expr", None)
    problems = VALIDATOR.operator_problems([*wrong, *kinds.values()])
    assert [line.split()[0] for line in problems] == [each["kind"] for each in wrong], problems


def test_pods_have_no_privileges():
    specs = pod_specs(rendered(NEWEST, [each for each in COMPONENTS if each != "users"]))
    assert set(specs) >= {"shortcircuit-exporter", "shortcircuit-exporter-node"}
    for name in ("shortcircuit-exporter", "shortcircuit-exporter-node"):
        spec = specs[name]
        assert spec["securityContext"]["runAsNonRoot"] is True and spec["securityContext"]["runAsUser"] > 0, name
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name
        for key in ("hostNetwork", "hostPID", "hostIPC", "shareProcessNamespace"):
            assert not spec.get(key), (name, key)
        for container in spec["containers"]:
            context = container["securityContext"]
            assert context["readOnlyRootFilesystem"] is True and context["allowPrivilegeEscalation"] is False, name
            assert context["capabilities"] == {"drop": ["ALL"]} and not context.get("privileged"), name
            assert set(container["resources"]) == {"requests", "limits"}, name
            assert all(set(each) == {"cpu", "memory"} for each in container["resources"].values()), name
            assert all(mount["readOnly"] for mount in container["volumeMounts"]), name
            assert container["livenessProbe"]["httpGet"] == {"path": "/-/healthy", "port": "http"}, name
            assert container["readinessProbe"]["httpGet"] == {"path": "/-/ready", "port": "http"}, name


def test_the_node_instance_is_everywhere_and_asks_nobody():
    objects = everything()
    spec = pod_specs(objects)["shortcircuit-exporter-node"]
    assert spec["tolerations"] == [{"operator": "Exists"}], "every taint, or it falls into layer 1 itself"
    assert spec["automountServiceAccountToken"] is False
    account = spec["serviceAccountName"]
    bound = {subject["name"] for binding in by_kind(objects, "ClusterRoleBinding") + by_kind(objects, "RoleBinding")
             for subject in binding["subjects"]}
    assert account not in bound and one(objects, "ServiceAccount", account)["automountServiceAccountToken"] is False
    policy = one(objects, "NetworkPolicy", "shortcircuit-exporter-node")["spec"]
    assert "Egress" in policy["policyTypes"] and not policy.get("egress")


def test_what_a_namespace_enforces_fits_its_pods():
    for components, level in (((), "restricted"), (("two-replicas",), "restricted"), (("node",), "privileged")):
        namespace = by_kind(rendered(NEWEST, components), "Namespace")[0]
        assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == level, components
    assert not any("hostPath" in volume for spec in pod_specs(rendered(NEWEST)).values() for volume in spec["volumes"])


def test_selectors_find_one_instance_each():
    objects = everything()
    labels = {each["metadata"]["name"]: each["spec"]["template"]["metadata"]["labels"] for each in objects
              if "template" in each.get("spec", {})}
    selectors = {(each["kind"], each["metadata"]["name"]): each["spec"]["selector"] for each in objects
                 if each["kind"] in ("Service", "PodMonitor", "PodDisruptionBudget")}
    selectors |= {("NetworkPolicy", each["metadata"]["name"]): each["spec"]["podSelector"]
                  for each in by_kind(objects, "NetworkPolicy")}
    for (kind, name), selector in selectors.items():
        wanted = selector.get("matchLabels", selector)
        chosen = [workload for workload, has in labels.items() if wanted.items() <= has.items()]
        assert chosen == [name], (kind, name, chosen)
    service = one(objects, "Service", "shortcircuit-exporter")
    monitored = one(objects, "ServiceMonitor", "shortcircuit-exporter")["spec"]
    assert monitored["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
    assert monitored["endpoints"][0]["port"] in {port["name"] for port in service["spec"]["ports"]}


def test_what_the_rules_look_for_in_a_job_is_there():
    objects = everything()
    # ServiceMonitor: the job is the Service's name; PodMonitor: namespace/name of the monitor.
    assert "shortcircuit" in by_kind(objects, "ServiceMonitor")[0]["metadata"]["name"]
    pods = by_kind(objects, "PodMonitor")[0]
    assert "shortcircuit" in pods["metadata"]["name"]
    assert "node" in {each["targetLabel"] for each in pods["spec"]["podMetricsEndpoints"][0]["relabelings"]}


def test_another_namespace_takes_everything_along():
    for binary in KUSTOMIZES.values():
        objects = rendered(binary, COMPONENTS, further="namespace: elsewhere")
        for each in objects:
            if each["kind"] == "Namespace":
                assert each["metadata"]["name"] == "elsewhere"
            elif each["kind"] not in ("ClusterRole", "ClusterRoleBinding"):
                assert each["metadata"]["namespace"] == "elsewhere", each["metadata"]
        for binding in by_kind(objects, "ClusterRoleBinding"):
            assert all(subject["namespace"] == "elsewhere" for subject in binding["subjects"])


def rights(configuration):
    code, out, err = run(BINARY, "--print.rbac", "--config", str(configuration))
    assert code == 0, (configuration, err)
    return out


def configuration_of(objects, folder, start="shortcircuit-exporter-"):
    """The file that a rendered ConfigMap gives the cluster instance."""
    found = [each for each in by_kind(objects, "ConfigMap") if each["metadata"]["name"].startswith(start) and
             not each["metadata"]["name"].startswith(start + "node") and "shortcircuit.yaml" in each["data"]]
    assert len(found) == 1
    path = pathlib.Path(folder, "shortcircuit.yaml")
    path.write_text(found[0]["data"]["shortcircuit.yaml"])
    return path


def granted(objects):
    return {(group, resource): set(rule["verbs"]) for role in by_kind(objects, "ClusterRole") for rule in role["rules"]
            for group in rule["apiGroups"] for resource in rule["resources"]}


def test_the_rights_are_those_that_the_configuration_needs():
    committed = (MANIFESTS / "base/rbac.yaml").read_text()
    printed = rights(MANIFESTS / "base/shortcircuit.yaml")
    assert committed == printed, "out of date: --print.rbac --config deploy/kubernetes/base/shortcircuit.yaml"
    for name, objects in renderings():
        with tempfile.TemporaryDirectory() as folder:
            wanted = list(yaml.safe_load_all(rights(configuration_of(objects, folder))))
        assert granted(objects) == granted(wanted), name
        for (group, resource), verbs in granted(objects).items():
            assert verbs <= {"get", "list", "watch"} and resource not in ("secrets", "*") and group != "*", (group, resource)


def test_kinds_that_are_switched_off_need_no_rights():
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "shortcircuit.yaml")
        path.write_text("kubernetes: {pods: false, config_maps: false}\n")
        less = granted(list(yaml.safe_load_all(rights(path))))
        path.write_text("traefik: {url: http://127.0.0.1:8080}\n")
        assert not list(filter(None, yaml.safe_load_all(rights(path))))
    full = granted(rendered(NEWEST))
    assert set(full) - set(less) == {("", "pods"), ("", "configmaps")}


def test_the_program_takes_every_configuration():
    seen = 0
    for name, objects in renderings():
        mounted = {volume["configMap"]["name"] for spec in pod_specs(objects).values()
                   for volume in spec["volumes"] if "configMap" in volume}
        for each in by_kind(objects, "ConfigMap"):
            if "shortcircuit.yaml" not in each["data"]:
                continue
            assert each["metadata"]["name"] in mounted, (name, each["metadata"]["name"])
            with tempfile.TemporaryDirectory() as folder:
                path = pathlib.Path(folder, "shortcircuit.yaml")
                path.write_text(each["data"]["shortcircuit.yaml"])
                code, out, err = run(BINARY, "--config.check", "--config", str(path),
                                     environment={"NODE_NAME": "some-node"})
                assert code == 0, (name, each["metadata"]["name"], out, err)
            seen += 1
    assert seen >= 4


def test_what_is_commented_out_in_them_is_good_too():
    for path in (*MANIFESTS.glob("**/shortcircuit.yaml"), *MANIFESTS.glob("**/shortcircuit-node.yaml")):
        with tempfile.TemporaryDirectory() as folder:
            whole = pathlib.Path(folder, "shortcircuit.yaml")
            whole.write_text(switched_on(path.read_text()))
            code, out, err = run(BINARY, "--config.check", "--config", str(whole),
                                 environment={"NODE_NAME": "some-node"})
            assert code == 0, (path, whole.read_text(), out, err)


try:
    KUSTOMIZES = kustomizes(TOOLS)
    VALIDATOR = Validator(TOOLS)
except Unavailable as reason:
    print(reason)
    sys.exit(1 if os.environ.get("CI") else 77)
NEWEST = list(KUSTOMIZES.values())[-1]
main([value for name, value in list(globals().items()) if name.startswith("test_")])
