"""deploy/README.md's way with Kubernetes on a real node: its commands as they are printed, the image in pods that a
kubelet starts, probes, ends and starts anew, and what these pods see and may do.

    unshare --mount --net --pid --fork --mount-proc real_kubelet_test.py PROGRAMS IMAGE.oci.tar RECORDINGS

What is not there: more than one node, a network plugin that enforces policies, and what K3s brings (Traefik). Nor DNS:
the pod has to find the API server without.
"""
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from machine import main_of
from real_node import ADDRESS, CGROUPS, Node, PATIENCE_SECONDS, wait_for

PROGRAMS, IMAGE, RECORDINGS = (pathlib.Path(each).resolve() for each in sys.argv[1:4])
ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
README = (ROOT / "deploy/README.md").read_text()
NAMESPACE, NAME, NODE = "shortcircuit", "shortcircuit-exporter", "aus-aero"
MINE = "deploy/kubernetes/examples/mine"
HEADSCALE_PORT = 8080
SOCKET = pathlib.Path("/run/tailscale/tailscaled.sock")


def printed(step):
    """The commands below this bold title of the README."""
    found = README.split(f"**{step}", 1)[1].split("\n**", 1)[0].split("\n### ", 1)[0]
    lines = "".join(re.findall(r"```sh\n(.*?)```", found, re.S)).replace("\\\n", " ").splitlines()
    return [line.partition("  #")[0].strip() for line in lines]


class Story:
    def __init__(self, folder, node):
        self.folder, self.node = folder, node
        self.place = folder / "checkout"
        shutil.copytree(ROOT / "deploy", self.place / "deploy")
        self.key = folder / "key"
        self.key.write_text("the-key\n")
        self.neighbours = None
        self.start_neighbours()

    def start_neighbours(self):
        """Headscale and tailscaled; the latter's directory is made anew, as systemd does it."""
        SOCKET.parent.mkdir()
        self.neighbours = subprocess.Popen(
            [sys.executable, ROOT / "tests/deploy/fake_neighbours.py", RECORDINGS / "healthy", str(HEADSCALE_PORT),
             SOCKET, self.key.read_text().strip(), ADDRESS], stdout=subprocess.PIPE, text=True)
        assert self.neighbours.stdout.readline() == "answering\n"

    def stop_neighbours(self):
        self.neighbours.kill()
        self.neighbours.wait()
        shutil.rmtree(SOCKET.parent)

    def sh(self, line, codes=(0,)):
        done = subprocess.run(["sh", "-c", line], cwd=self.place, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              env={**os.environ, "KUBECONFIG": str(self.node.kubeconfig),
                                   "PATH": f"{PROGRAMS}:{os.environ['PATH']}"}, timeout=PATIENCE_SECONDS)
        assert done.returncode in codes, (line, done.returncode, done.stdout)
        return done.stdout

    def pods(self, component):
        """Those that are not about to end."""
        pods = json.loads(self.node.kubectl("-n", NAMESPACE, "get", "pods", "-o", "json", "-l",
                                            f"app.kubernetes.io/component={component}"))["items"]
        return [pod for pod in pods if "deletionTimestamp" not in pod["metadata"]]

    def ready(self, component):
        return [pod for pod in self.pods(component)
                if any(each["ready"] for each in pod["status"].get("containerStatuses", []))]

    def the_pod(self, component):
        [pod] = wait_for(f"one pod of {component}", lambda: len(self.pods(component)) == 1 and self.ready(component))
        return pod

    def process(self, pod):
        """The number of the program's process, as this machine sees it, and its control group."""
        container = pod["status"]["containerStatuses"][0]["containerID"].rpartition("/")[2]
        [procs] = [path for path in (CGROUPS / "memory").rglob("cgroup.procs") if container in str(path)]
        return int(procs.read_text().split()[0]), procs.parent

    def metrics(self, pod):
        return self.sh(f"kubectl get --raw /api/v1/namespaces/{NAMESPACE}/pods/{pod['metadata']['name']}:10067/proxy/metrics")

    def source(self, component, name):
        """1, 0, or nothing where the pod does not answer yet."""
        found = re.search(rf'shortcircuit_source_up{{source="{name}",target="[^"]*"}} (\d)', self.metrics(self.the_pod(component)))
        return found and int(found.group(1))

    def imports_the_image(self):
        names = printed("1. The image")[-1].replace("ssh node-a sudo k3s ctr", "ctr -n k8s.io")
        self.node.ctr("images", "import", str(IMAGE))
        [self.image] = self.sh(names).split()
        assert self.image == "docker.io/library/shortcircuit-exporter:0.1.0", self.image

    def makes_an_overlay(self):
        copy, name, *_ = printed("2. Your overlay.")
        repository, _, tag = self.image.rpartition(":")
        self.sh(copy)
        self.sh(name.replace("git.example/ops/shortcircuit-exporter, newTag: 0.1.0", f"{repository}, newTag: {tag}"))
        assert repository in (self.place / MINE / "kustomization.yaml").read_text()
        settings = self.place / MINE / "settings/shortcircuit.yaml"
        settings.write_text(f"kubernetes: {{}}\nheadscale: {{url: 'http://{ADDRESS}:{HEADSCALE_PORT}', "
                            "api_key_file: /run/secrets/shortcircuit/headscale}\n")

    def installs(self):
        namespace, secret, api, values = printed("3. What the configuration names.")
        self.sh(namespace)
        self.sh(secret.replace("/path/to/the/key", str(self.key)))
        self.sh(api)
        assert "get helmchartconfig" in values, values
        apply, deployment, daemon_set, pods = printed("4. Install.")
        said = self.sh(apply)
        assert "Warning" not in said, said
        assert "successfully rolled out" in self.sh(deployment)
        assert "successfully rolled out" in self.sh(daemon_set)
        assert len(re.findall(r" 1/1 +Running +0 ", self.sh(pods))) == 2

    def reads_what_it_is_configured_to(self):
        """In the cluster: by the token that the kubelet put into the pod, at the Service's address; the Secret's key as a file."""
        for component, name in (("cluster", "kubernetes"), ("cluster", "headscale"), ("node", "tailscale")):
            wait_for(f"{name} that is up", lambda: self.source(component, name) == 1, PATIENCE_SECONDS)
        assert f'node_name="{NODE}"' in self.metrics(self.the_pod("cluster"))

    def has_no_rights_on_the_node(self):
        for component in ("cluster", "node"):
            process, _ = self.process(self.the_pod(component))
            status = dict(line.split(":\t", 1) for line in pathlib.Path(f"/proc/{process}/status").read_text().splitlines()
                          if ":\t" in line)
            assert set(status["Uid"].split()) == {"65532"} and set(status["Gid"].split()) == {"65532"}, status
            assert {int(status[each], 16) for each in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == {0}, status
            assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2"), status
            mounts = [line.split() for line in pathlib.Path(f"/proc/{process}/mountinfo").read_text().splitlines()]
            # Below /host/run other file systems of the node are as they are: deploy/README.md says so.
            writable = {fields[4] for fields in mounts if "rw" in fields[5].split(",")
                        and not fields[4].startswith(("/proc", "/dev", "/sys/fs/cgroup", "/host/run/"))}
            assert writable <= {"/etc/hosts", "/etc/hostname", "/etc/resolv.conf"}, writable

    def stays_below_its_limits(self):
        for component in ("cluster", "node"):
            pod = self.the_pod(component)
            group = self.process(pod)[1]
            peak, limit = (int((group / f"memory.{each}_in_bytes").read_text()) for each in ("max_usage", "limit"))
            wanted = pod["spec"]["containers"][0]["resources"]["limits"]["memory"]
            assert limit == int(wanted.removesuffix("Mi")) << 20 and peak < limit * 0.8, (component, peak, limit)
            print(f"         {component}: {peak >> 20} MiB at most, of {limit >> 20}")

    def answers_through_the_service_and_in_the_pod(self):
        forward, browser, check, nodes, node_check = printed("5. Look.")
        url = browser.removeprefix("xdg-open ")
        page = self.sh(f"{forward.removesuffix(' &')} & trap 'kill $!' EXIT; "
                       f"for i in $(seq 100); do curl -fs {url} && exit; sleep 0.2; done; exit 1")
        assert "Sources" in page and "</html>" in page, page[-500:]
        assert "ShortCircuit check at" in self.sh(check, codes=(0, 1))
        [name] = self.sh(nodes.replace("node-a", NODE)).split()
        assert "ShortCircuit check at" in self.sh(node_check.replace("pod/shortcircuit-exporter-node-abcde", name), codes=(0, 1))

    def finds_a_tailscaled_that_started_anew(self):
        self.stop_neighbours()
        wait_for("a tailscaled that is down", lambda: self.source("node", "tailscale") == 0, PATIENCE_SECONDS)
        self.start_neighbours()
        wait_for("its return", lambda: self.source("node", "tailscale") == 1, PATIENCE_SECONDS)

    def ends_when_told_to_and_is_started_anew(self):
        for component, number, code in (("cluster", signal.SIGTERM, 0), ("node", signal.SIGTERM, 0), ("cluster", signal.SIGKILL, 137)):
            pod = self.the_pod(component)
            count = pod["status"]["containerStatuses"][0]["restartCount"]
            os.kill(self.process(pod)[0], number)
            wait_for("a new start", lambda: self.the_pod(component)["status"]["containerStatuses"][0]["restartCount"] == count + 1,
                     PATIENCE_SECONDS)
            ended = self.the_pod(component)["status"]["containerStatuses"][0]["lastState"]["terminated"]
            assert ended["exitCode"] == code, ended

    def rolls_after_a_change(self):
        before = {component: self.the_pod(component)["metadata"]["name"] for component in ("cluster", "node")}
        settings = self.place / MINE / "settings/shortcircuit.yaml"
        settings.write_text(settings.read_text() + "expect: {entry_addresses: [192.0.2.1]}\n")
        apply, deployment, daemon_set, _ = printed("4. Install.")
        for line in (apply, deployment, daemon_set):
            self.sh(line)
        assert self.the_pod("cluster")["metadata"]["name"] != before["cluster"]
        assert self.the_pod("node")["metadata"]["name"] == before["node"]
        [restart] = [line.strip() for line in README.splitlines() if "rollout restart" in line]
        self.sh(restart)
        self.sh(deployment)
        self.sh(daemon_set)
        assert self.the_pod("node")["metadata"]["name"] != before["node"]

    def runs_twice(self):
        overlay = self.place / MINE / "kustomization.yaml"
        overlay.write_text(overlay.read_text().replace("#- ../../components/two-replicas", "- ../../components/two-replicas"))
        apply, deployment, *_ = printed("4. Install.")
        self.sh(apply)
        self.sh(deployment)
        assert len(self.ready("cluster")) == 2

    def is_removed(self):
        [remove] = re.findall(r"\*\*Remove\*\*: `([^`]*)`", README)
        started = time.monotonic()
        self.sh(remove)  # waits for the end of all of it
        print(f"         gone after {time.monotonic() - started:.0f} s")
        assert NAMESPACE not in self.node.kubectl("get", "namespaces")
        log = (self.node.folder / "containerd.log").read_text()
        assert "Stop container" in log and "Kill container" not in log, "a pod did not end in its grace time"


with tempfile.TemporaryDirectory() as scratch, Node(PROGRAMS, pathlib.Path(scratch) / "node", NODE) as real_node:
    story = Story(pathlib.Path(scratch), real_node)
    main_of([story.imports_the_image, story.makes_an_overlay, story.installs, story.reads_what_it_is_configured_to,
             story.has_no_rights_on_the_node, story.stays_below_its_limits, story.answers_through_the_service_and_in_the_pod,
             story.finds_a_tailscaled_that_started_anew, story.ends_when_told_to_and_is_started_anew,
             story.rolls_after_a_change, story.runs_twice, story.is_removed])
