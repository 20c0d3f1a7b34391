"""Real tools for the tests of the manifests, made once from their registries and kept in the build folder:
kustomize, built as a Go module; kubernetes-validate with the schemas of two Kubernetes versions; models made from the
Prometheus Operator's own definitions. And what the tests ask of rendered objects."""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import yaml

# Version and the oldest Go that builds it. The first is what Debian 12's Go 1.19 can do; kustomize changed the
# order of generators and components since, and people have both.
KUSTOMIZE = {"v5.0.3": (1, 19), "v5.4.3": (1, 21)}
# The models carry the operator's version, 0.80.1, the newest that Debian 12's Python takes; pydantic refuses keys that
# a model does not name since 2.12.
PACKAGES = ("kubernetes-validate==1.37.0", "cloudcoil-models-prometheus-operator==0.80.1.0", "pydantic>=2.12")
KUBERNETES = ("1.25", "1.37")  # the oldest and the newest schemas of kubernetes-validate
OPERATOR_KINDS = {"ServiceMonitor", "PodMonitor", "PrometheusRule"}
MANIFESTS = pathlib.Path(__file__).resolve().parents[2] / "deploy" / "kubernetes"
COMPONENTS = sorted(path.parent.name for path in MANIFESTS.glob("components/*/kustomization.yaml"))


class Unavailable(Exception):
    """A tool cannot be had on this machine."""


def go():
    """(path, version) of the Go that is here."""
    for place in ("go", "/usr/local/go/bin/go", "/usr/lib/go/bin/go"):
        path = shutil.which(place)
        if path:
            told = subprocess.run([path, "version"], capture_output=True, text=True, check=True).stdout
            return path, tuple(int(part) for part in re.search(r"go(\d+)\.(\d+)", told).groups())
    raise Unavailable("no Go here: deploy/install-packages test")


def attempt(what, command, **options):
    for _ in range(3):
        done = subprocess.run(command, capture_output=True, text=True, **options)
        if done.returncode == 0:
            return
    raise Unavailable(f"{what}: {done.stderr.strip()[-500:]}")


def kustomizes(folder):
    """{version: binary} of every kustomize that the Go here can build."""
    path, version = go()
    found = {}
    for wanted, oldest in KUSTOMIZE.items():
        if version < oldest:
            continue
        place = pathlib.Path(folder).resolve() / f"kustomize-{wanted}"
        if not (place / "kustomize").exists():
            attempt(f"kustomize {wanted}", [path, "install", f"sigs.k8s.io/kustomize/kustomize/v5@{wanted}"],
                    env={**os.environ, "GOBIN": str(place), "GOFLAGS": "", "GOTOOLCHAIN": "local"}, cwd="/")
        found[wanted] = str(place / "kustomize")
    if not found:
        raise Unavailable(f"{path} is older than Go 1.19")
    return found


def build(binary, overlay):
    done = subprocess.run([binary, "build", str(overlay)], capture_output=True, text=True)
    assert done.returncode == 0, f"kustomize build {overlay}: {done.stderr}"
    return [each for each in yaml.safe_load_all(done.stdout) if each]


def rendered(binary, components=(), resources=("base",), further=""):
    """The objects of an overlay made for the test."""
    with tempfile.TemporaryDirectory(dir=MANIFESTS.parent, prefix=".test-") as folder:
        lines = ["apiVersion: kustomize.config.k8s.io/v1beta1", "kind: Kustomization", "resources:"]
        lines += [f"  - ../kubernetes/{each}" for each in resources]
        if components:
            lines += ["components:", *(f"  - ../kubernetes/components/{each}" for each in components)]
        pathlib.Path(folder, "kustomization.yaml").write_text("\n".join([*lines, further, ""]))
        return build(binary, folder)


def switched_on(text):
    """`#key:` without one space after it is a setting to switch on, `# words` are words."""
    return re.sub(r"(?m)^(\s*)#(?! \w)", r"\1", text)


def by_kind(objects, kind):
    return [each for each in objects if each["kind"] == kind]


def one(objects, kind, name):
    found = [each for each in by_kind(objects, kind) if each["metadata"]["name"] == name]
    assert len(found) == 1, (kind, name, [(each["kind"], each["metadata"]["name"]) for each in objects])
    return found[0]


def pod_specs(objects):
    return {each["metadata"]["name"]: each["spec"]["template"]["spec"] for each in objects
            if "template" in each.get("spec", {})}


class Validator:
    def __init__(self, folder):
        place = pathlib.Path(folder).resolve() / "validators"
        self.python = place / "bin" / "python3"
        ready = place / "ready"
        if not ready.exists() or ready.read_text() != str(PACKAGES):
            shutil.rmtree(place, ignore_errors=True)
            attempt("a virtual environment (python3-venv)", [sys.executable, "-m", "venv", str(place)])
            attempt("the validators", [str(self.python), "-m", "pip", "install", "-q", "--disable-pip-version-check",
                                       *PACKAGES])
            ready.write_text(str(PACKAGES))

    def problems(self, objects, version):
        """One line for each object that this version of Kubernetes would not take as it is written."""
        return self._ask(
            "import kubernetes_validate\n"
            "def validate(o): kubernetes_validate.validate(o, sys.argv[1], strict=True)\n", objects, version)

    def operator_problems(self, objects):
        """The same for the Prometheus Operator's kinds: unknown keys, types, required keys, patterns, enumerations."""
        return self._ask(
            "from cloudcoil.models.prometheus_operator import v1\n"
            "def validate(o): getattr(v1, o['kind']).model_validate_json(json.dumps(o), strict=True, extra='forbid')\n",
            objects)

    def _ask(self, validate, objects, *arguments):
        program = (
            f"import json, sys\n{validate}"
            "for o in json.load(sys.stdin):\n"
            "    try: validate(o)\n"
            "    except Exception as e: print(o.get('kind'), repr(getattr(e, 'message', str(e))))\n")
        done = subprocess.run([str(self.python), "-c", program, *arguments], input=json.dumps(objects),
                              capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()
