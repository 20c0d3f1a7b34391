#!/usr/bin/env python3
"""deploy/README.md: the commands marked as tried run as they are written, and print the lines that stand below them;
what it tells to copy is taken by the tools that read it.

usage: kubernetes_readme_test.py BINARY
"""
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import textwrap

import yaml

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "end_to_end"))
from exporter import main  # noqa: E402

BINARY = pathlib.Path(sys.argv[1]).resolve()
ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
README = (ROOT / "deploy/README.md").read_text()
EXAMPLE = ROOT / "deploy/kubernetes/examples/k3s"


def in_a_copy(run):
    """A folder that looks like the repository and may be written to."""
    with tempfile.TemporaryDirectory() as folder:
        place = pathlib.Path(folder)
        (place / "tests").symlink_to(ROOT / "tests")
        (place / "bin").mkdir()
        (place / "bin/shortcircuit-exporter").symlink_to(BINARY)
        run(place)


def shell(place, script):
    return subprocess.run(["sh", "-c", script], cwd=place, capture_output=True, text=True,
                          env={**os.environ, "PATH": f"{place}/bin:{os.environ['PATH']}"})


def test_commands_of_the_migration_run_as_written():
    blocks = re.findall(r"<!-- tried -->\n```sh\n(.*?)```\n```text\n(.*?)```", README, re.S)
    assert len(blocks) == README.count("<!-- tried -->") >= 5

    def run(place):
        for script, wanted in blocks:  # one after the other: later ones use files of earlier ones
            done = shell(place, script)
            assert done.returncode in (0, 1), (script, done.stdout, done.stderr)
            assert not done.stderr, (script, done.stderr)
            printed = done.stdout.splitlines()
            for line in wanted.splitlines():
                assert line in printed, (script, line, done.stdout)

    in_a_copy(run)


def test_the_migration_leaves_one_block_untried():
    kit = README.split("## The migration kit")[1]
    untried = re.findall(r"(?<!<!-- tried -->\n)```sh\n(.*?)```", kit, re.S)
    assert len(untried) == 1 and "shortcircuit-exporter capture" in untried[0], untried


def commands():
    """Every kubectl command, of blocks and of sentences, in one line each."""
    text = README.replace("\\\n", " ")
    blocks = "".join(re.findall(r"```sh\n(.*?)```", text, re.S)).splitlines()
    sentences = re.findall(r"`(kubectl [^`\n]+)`", text)
    return [line.partition(" #")[0].strip() for line in blocks + sentences if line.startswith("kubectl")]


def example_of(path):
    """The file of the example: itself, or what the reader's copy was made from."""
    return EXAMPLE / re.sub(r"^(deploy/kubernetes/examples/(mine|k3s)|…)/?", "", path)


def test_files_of_kubectl_commands_exist():
    named = [path for line in commands() for path in re.findall(r" -[fk] (\S+)", line)]
    assert len(named) >= 4 and all(example_of(path).exists() for path in named), named


def test_the_reader_has_a_copy_before_a_command_names_it():
    """The front page leads to step 3 alone, so that step may not need what step 2 makes."""
    step = README.split("**3. What the configuration names.**")[1].split("**4. Install.**")[0]
    assert "examples/k3s/traefik-api.yaml" in step and "examples/k3s/traefik-values.yaml" in step
    assert "examples/mine" not in step, step


def test_no_command_touches_values_of_traefik_that_are_there():
    """K3s knows one HelmChartConfig for its Traefik: to apply or delete ours is to lose the reader's."""
    made = []
    for line in commands():
        verb = re.match(r"kubectl (?:-n \S+ )?(\S+)", line).group(1)
        for path in re.findall(r" -f (\S+)", line):
            kinds = {each["kind"] for each in yaml.safe_load_all(example_of(path).read_text())}
            assert verb == "create" or "HelmChartConfig" not in kinds, line
            made += kinds if verb == "create" else []
        assert not (verb in ("apply", "delete", "replace", "patch") and "helmchartconfig" in line.lower()), line
    assert made == ["HelmChartConfig"], made
    service, = yaml.safe_load_all((EXAMPLE / "traefik-api.yaml").read_text())
    assert service["kind"] == "Service"
    kustomization = yaml.safe_load((EXAMPLE / "kustomization.yaml").read_text())
    assert not [each for each in kustomization["resources"] if "traefik" in each], "apply -k would take it along"


def test_what_is_to_be_added_to_traefiks_values_is_what_ours_hold():
    shown = re.search(r"```yaml\n( *additionalArguments:\n.*?)```", README, re.S).group(1)
    ours = yaml.safe_load((EXAMPLE / "traefik-values.yaml").read_text())["spec"]["valuesContent"]
    assert yaml.safe_load(shown) == yaml.safe_load(ours)


def test_no_command_waits_for_ever():
    waiting = [line for line in commands() if "rollout status" in line]
    assert len(waiting) == 2
    for line in waiting:
        assert "--timeout=" in line and len(re.findall(r"\w+/\w+", line)) == 1, line


def test_questions_in_a_pod_name_the_configuration():
    asked = [line for line in commands() if " exec " in line and "shortcircuit-exporter " in line.partition(" -- ")[2]]
    assert len(asked) >= 3
    mounted = "/etc/shortcircuit/shortcircuit.yaml"
    for line in asked:
        assert line.endswith(f"--config {mounted}"), line
    for each in ("base/deployment.yaml", "components/node/daemon-set.yaml"):
        assert f"--config={mounted}" in (ROOT / "deploy/kubernetes" / each).read_text(), each


def test_components_are_named_from_where_an_overlay_is():
    seen = 0
    for document in ("dashboards/README.md", "rules/README.md", "deploy/README.md", "deploy/tls/README.md"):
        for path in re.findall(r"components: \[([./][^\]]+)\]", (ROOT / document).read_text()):
            assert (EXAMPLE / path / "kustomization.yaml").exists(), (document, path)
            seen += 1
    assert seen


def test_the_configuration_of_the_front_page_is_good():
    front = (ROOT / "README.md").read_text()
    block = textwrap.dedent(re.search(r"```yaml\n(.*?)```", front, re.S).group(1))
    with tempfile.TemporaryDirectory() as folder:
        place = pathlib.Path(folder)
        (place / "key").write_text("key\n")
        (place / "kubeconfig").write_text("clusters: [{name: a, cluster: {server: 'https://192.0.2.1:6443'}}]\n"
                                          "users: [{name: a, user: {token: nobody}}]\ncurrent-context: a\n"
                                          "contexts: [{name: a, context: {cluster: a, user: a}}]\n")
        for path, file in (("/etc/rancher/k3s/k3s.yaml", "kubeconfig"), ("/run/secrets/headscale", "key")):
            assert path in block
            block = block.replace(path, str(place / file))
        (place / "shortcircuit.yaml").write_text(block)
        done = subprocess.run([BINARY, "--config.check", "--config", place / "shortcircuit.yaml"], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr


def test_the_front_page_names_the_layers_in_walking_order():
    source = (ROOT / "exporter/checks/finding.h").read_text()
    layers = re.findall(r'"(\w+)"', re.search(r"layer_names\{(.*?)\}", source, re.S).group(1))
    named = re.findall(r"(\d+) `(\w+)`", (ROOT / "README.md").read_text())
    assert named == [(str(number), layer) for number, layer in enumerate(layers, 1)], named


def test_flags_exist():
    told = subprocess.run([BINARY, "--help"], capture_output=True, text=True, check=True).stdout
    seen = 0
    for script in re.findall(r"```sh\n(.*?)```", README, re.S):
        for line in script.replace("\\\n", " ").splitlines():
            if line.startswith("kubectl"):
                line = line.partition(" -- ")[2]
            called = re.search(r"(?:^|\s)shortcircuit-exporter (?=--|check|depends|capture|serve)(.*)", line)
            for flag in re.findall(r"--[a-z][a-z.-]+", called.group(1) if called else ""):
                assert re.search(rf"^  {re.escape(flag)}\b", told, re.M), (line, flag)
                seen += 1
    assert seen > 10


def test_every_alert_that_is_explained_exists():
    rules = yaml.safe_load((ROOT / "deploy/prometheus/shortcircuit.rules.yml").read_text())
    alerts = {rule["alert"].removeprefix("ShortCircuit") for group in rules["groups"] for rule in group["rules"]
              if "alert" in rule}
    table = README.split("| alert | means now | do |")[1].split("\n\n")[0]
    explained = {name for row in table.splitlines()[2:] for name in re.findall(r"`([A-Z]\w+)`", row.split("|")[1])}
    assert len(explained) > 15 and explained <= alerts, explained - alerts


def test_the_scrape_configuration_is_one():
    assert README.count("kubernetes_sd_configs: [{role: ") == 2
    block = re.search(r"```yaml\n(- job_name: shortcircuit .*?)```", README, re.S).group(1)
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "prometheus.yml")
        # Debian's Prometheus is built without Kubernetes; the rest is read as it stands.
        found = re.sub(r"kubernetes_sd_configs: .*", "static_configs: [{targets: [a:10067]}]", block)
        path.write_text("scrape_configs:\n" + found)
        done = subprocess.run(["promtool", "check", "config", str(path)], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr


def anchors_of(text):
    return {re.sub(r"[^\w -]", "", title).strip().lower().replace(" ", "-")
            for title in re.findall(r"^#+ (.*)$", text, re.M)}


def test_links_lead_somewhere():
    for document in (ROOT / "README.md", *(ROOT / "deploy").glob("**/README.md"), ROOT / "dashboards/README.md"):
        for target in re.findall(r"\]\(([^)]+)\)", document.read_text()):
            path, _, anchor = target.partition("#")
            file = document.parent / path if path else document
            assert file.exists(), (document, target)
            assert not anchor or anchor in anchors_of(file.read_text()), (document, target)


main([value for name, value in list(globals().items()) if name.startswith("test_")])
