"""Real tools for the tests of the manifests, made once from their registries and kept in the build folder:
kustomize, built as a Go module, and kubernetes-validate with the schemas of two Kubernetes versions."""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

import yaml

# Version and the oldest Go that builds it. The first is what Debian 12's Go 1.19 can do; kustomize changed the
# order of generators and components since, and people have both.
KUSTOMIZE = {"v5.0.3": (1, 19), "v5.4.3": (1, 21)}
KUBERNETES_VALIDATE = "1.37.0"
KUBERNETES = ("1.25", "1.37")  # the oldest and the newest of its schemas
# Kinds that are no part of Kubernetes: kubernetes-validate knows no schema.
FOREIGN_KINDS = {"ServiceMonitor", "PodMonitor", "PrometheusRule"}


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


class Validator:
    def __init__(self, folder):
        place = pathlib.Path(folder).resolve() / f"kubernetes-validate-{KUBERNETES_VALIDATE}"
        self.python = place / "bin" / "python3"
        if not (place / "ready").exists():
            shutil.rmtree(place, ignore_errors=True)
            attempt("a virtual environment (python3-venv)", [sys.executable, "-m", "venv", str(place)])
            attempt("kubernetes-validate", [str(self.python), "-m", "pip", "install", "-q", "--disable-pip-version-check",
                                            f"kubernetes-validate=={KUBERNETES_VALIDATE}"])
            (place / "ready").touch()

    def problems(self, objects, version):
        """One line for each object that this version of Kubernetes would not take as it is written."""
        program = (
            "import json, sys, kubernetes_validate as k\n"
            "for o in json.load(sys.stdin):\n"
            "    try: k.validate(o, sys.argv[1], strict=True)\n"
            "    except Exception as e: print(o.get('kind'), type(e).__name__, getattr(e, 'message', e))\n")
        done = subprocess.run([str(self.python), "-c", program, version], input=json.dumps(objects),
                              capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()
